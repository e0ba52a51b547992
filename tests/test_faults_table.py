"""Which test proves what must happen in each fault: of Redis (1-13), of names, processes, disks and clocks (26-36), of files.

Payloads, data and alerters (14-25, 37-50) have suites of their own: tests/kernels, tests/io/test_clean.py, tests/alerters.
"""

import ast
from functools import cache

import pytest
from conftest import ROOT

REDIS, RUN, LISTING = "io/test_redis_faults.py", "system/test_run_faults.py", "io/test_redis_listing.py"
DEADLINE, NO_DATA, ATOMIC = "system/test_run_deadline.py", "system/test_run_no_data.py", "io/test_atomic.py"
FILES = "engine/test_handoff_files.py"
STATE, CONFIG, CACHE = "io/test_state.py", "engine/test_config.py", "kernels/native/test_damage.py"
# By number and fault: (file below tests/, test) pairs.
FAULTS = {
    (1, "Redis is down when a run starts"): [
        (RUN, "test_down_at_start"),
        (REDIS, "test_down_at_the_start_is_said_soon"),
    ],
    (2, "Redis dies in mid-run"): [
        (RUN, "test_lost_mid_run_alerts_on_what_was_analysed_and_the_next_run_on_the_rest"),
        (REDIS, "test_killed_in_mid_run_delivers_what_was_read"),
    ],
    (3, "Redis restarts empty"): [
        (RUN, "test_a_source_that_restarts_empty_is_no_data_not_health"),
        (REDIS, "test_emptied_between_listing_and_reading_shows_as_missing"),
    ],
    (4, "Redis is slow, or a black hole"): [
        (RUN, "test_a_run_ends_within_its_deadline"),
        (RUN, "test_a_black_hole_from_the_start"),
        (REDIS, "test_slow_is_not_lost"),
        (REDIS, "test_a_black_hole_takes_no_longer_than_its_time_outs"),
        (DEADLINE, "test_a_listing_that_hangs"),
    ],
    (5, "a reply is cut off"): [
        (REDIS, "test_a_reply_cut_anywhere_is_read_again_or_an_error"),
        (REDIS, "test_a_reply_always_cut_is_an_error_and_no_value"),
        ("io/test_redis_reply.py", "test_any_reply_cut_anywhere_is_read_as_it_was_sent"),
    ],
    (6, "a wrong password, a right denied, a password changed in mid-run"): [
        (RUN, "test_wrong_password_is_tried_once_and_never_shown"),
        (RUN, "test_a_user_who_may_not_list_ends_with_one_sentence"),
        (REDIS, "test_a_wrong_password_is_offered_once"),
        (REDIS, "test_a_password_changed_in_mid_run_ends_it_after_one_attempt"),
    ],
    (7, "Redis is loading, or a replica"): [
        (REDIS, "test_a_server_that_finishes_loading_is_waited_for"),
        (REDIS, "test_what_a_server_may_answer"),
        ("system/test_run_replica.py", "test_a_replica_is_read_and_its_alerts_go_out"),
    ],
    (8, "Redis is a cluster"): [
        (REDIS, "test_a_real_cluster_node_is_refused"),
        (REDIS, "test_what_a_server_may_answer"),
    ],
    (9, "Redis has no memory for our own writes"): [
        (RUN, "test_no_memory_for_our_own_writes_stops_no_alert"),
        (STATE, "test_redis_full_is_a_state_error"),
    ],
    (10, "a key of another type, a key that vanishes"): [
        (RUN, "test_keys_of_another_type_and_keys_that_vanished"),
        ("io/test_redis_source.py", "test_each_way_to_have_no_points_has_its_reason"),
    ],
    (11, "TLS with a bad authority, a wrong host, an expired certificate"): [
        (REDIS, "test_tls_is_refused_and_never_falls_back"),
        (REDIS, "test_tls_where_there_is_none_and_none_where_there_is"),
    ],
    (12, "a list of a million names"): [
        (LISTING, "test_memory_of_a_listing_is_that_of_its_names"),
        (LISTING, "test_names_without_end_are_limited"),
    ],
    (13, "replies of hostile size"): [
        (REDIS, "test_a_claimed_length_is_refused_before_it_is_read"),
        ("io/test_redis_reply.py", "test_a_claim_that_cannot_be_right_is_refused_unread"),
        ("io/test_redis_source.py", "test_a_value_beyond_the_limit_is_refused_and_the_others_are_read"),
    ],
    (26, "names of any bytes"): [
        ("system/test_hostile_names.py", "test_every_sink_shows_every_name_and_is_broken_by_none"),
        ("io/test_redis_source.py", "test_names_are_any_bytes"),
        ("io/test_redis_source.py", "test_base_names_are_distinct_and_can_be_shown"),
        ("io/test_text.py", "test_escaped_text_is_one_printable_line"),
        ("engine/test_files.py", "test_the_dump_is_valid_json_for_any_name"),
        ("../alerters/testing/contract.py", "test_a_hostile_name_is_one_text_that_stays_one"),
    ],
    (27, "a full disk"): [
        (RUN, "test_a_full_disk_comes_after_the_alerts"),
        ("io/test_publish.py", "test_a_full_disk_leaves_nothing"),
        (ATOMIC, "test_a_full_disk_leaves_the_old_file_and_no_temporary_one"),
        (ATOMIC, "test_a_really_full_file_system"),
        (STATE, "test_a_full_disk_is_a_state_error"),
        ("engine/test_delivery.py", "test_a_full_disk_repeats_an_alert_and_loses_none"),
        ("engine/test_backtest.py", "test_a_full_disk_ends_with_74_and_whole_files"),
        ("kernels/native/test_compiling.py", "test_on_a_full_disk_the_next_folder_is_taken_and_found_again"),
    ],
    (28, "SIGTERM"): [
        (RUN, "test_sigterm_and_sigkill_at_any_moment_leave_nothing_behind"),
        (DEADLINE, "test_a_signal_reaches_a_run_whose_listing_hangs"),
        (DEADLINE, "test_what_was_sent_when_a_signal_came_is_not_sent_again"),
        ("system/test_watchdog.py", "test_signals_become_exit_codes"),
    ],
    (29, "kill -9"): [
        (RUN, "test_sigterm_and_sigkill_at_any_moment_leave_nothing_behind"),
        (ATOMIC, "test_kills"),
        (ATOMIC, "test_five_hundred_kills"),
        (ATOMIC, "test_sweeping_takes_orphans_and_nothing_else"),
        ("io/test_state_bounded.py", "test_kill_leaves_a_batch_whole_or_undone"),
    ],
    (30, "a power cut"): [(ATOMIC, "test_the_order_survives_a_power_cut")],
    (31, "two runs that overlap"): [
        (RUN, "test_two_runs_at_once"),
        (ATOMIC, "test_exactly_one_of_many_processes_runs"),
    ],
    (32, "a clock that is wrong"): [
        (NO_DATA, "test_a_clock_that_is_hours_off"),
        (NO_DATA, "test_some_metrics_of_the_future_are_told_and_left_out"),
        (NO_DATA, "test_redis_has_a_clock_too"),
        (LISTING, "test_the_clocks_are_compared_once"),
        (STATE, "test_a_clock_that_was_ahead"),
    ],
    (33, "a state file that is damaged, old or another's"): [
        (STATE, "test_an_unusable_file_is_moved_aside"),
        (STATE, "test_any_bytes_are_state_or_moved_aside"),
        (STATE, "test_rows_of_nonsense_are_absent"),
    ],
    (34, "a damaged cache of kernels, no home"): [
        (CACHE, "test_damage_costs_one_rebuild"),
        (CACHE, "test_damage_is_found_before_anything_is_loaded"),
        ("kernels/native/test_trust.py", "test_roots_own_cache_serves_users_who_cannot_write"),
        ("kernels/native/test_trust.py", "test_a_user_without_a_passwd_entry_or_an_environment_has_a_cache"),
        ("system/test_bare_user.py", "test_it_scores_runs_and_says_in_a_sentence_what_it_lacks"),
    ],
    (35, "threads of numba in forked processes"): [
        ("test_faults_table.py", "test_kernels_start_no_threads"),
        ("engine/test_drawings.py", "test_pictures_are_drawn_by_a_process_that_was_never_forked"),
    ],
    (36, "a wrong configuration"): [
        ("system/test_run.py", "test_a_wrong_configuration_sends_nothing"),
        (CONFIG, "test_golden_messages"),
        (CONFIG, "test_mutated_files_never_break_the_reader_nor_show_a_secret"),
        (CONFIG, "test_any_values_anywhere_get_an_answer"),
    ],
    (51, "a metric's name that would leave its folder"): [
        ("io/test_text.py", "test_file_names_are_safe_and_differ"),
        (FILES, "test_no_name_leaves_its_folder"),
        (FILES, "test_every_metric_has_its_own_check_and_its_own_data"),
        ("system/test_hostile_names.py", "test_every_sink_shows_every_name_and_is_broken_by_none"),
    ],
    (52, "a link planted in an output folder"): [
        ("system/test_outputs.py", "test_no_command_replaces_a_pipe_or_a_link"),
        ("io/test_target.py", "test_what_is_no_regular_file_stays_what_it_is"),
        (FILES, "test_what_is_no_file_is_never_written_through"),
        (FILES, "test_a_linked_folder_below_the_data_is_refused"),
    ],
}


@cache
def defined(file):
    """The names of the functions of a test file, those in classes included."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_fault_is_left_out():
    assert [number for number, _ in FAULTS] == [*range(1, 14), *range(26, 37), 51, 52]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[1])
def test_what_proves_it_is_there(fault):
    assert FAULTS[fault]
    missing = [f"tests/{file}::{test}" for file, test in FAULTS[fault] if test not in defined(file)]
    assert not missing


def test_kernels_start_no_threads():
    """Threads of numba's own do not survive a fork, and a pool of theirs beside ours would make too many of them."""
    for path in (ROOT / "kernels").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.keyword) and node.arg == "parallel"), path
            assert not (isinstance(node, (ast.Name, ast.Attribute)) and "prange" in ast.dump(node)), path
