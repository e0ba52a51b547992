"""What a pass of `batch` is made of: the queue's members, late points, what fails, pieces, what is recorded at once."""

import ast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.ledger import Books

from ridgeline.engine.batch.late import PARTS, Census
from ridgeline.engine.batch.pieces import pieces_of
from ridgeline.engine.batch.queue import sort_out
from ridgeline.engine.batch.record import MOST, Entry, alert_of, changes_of
from ridgeline.engine.run.handoffs.batch_alerts import _finding
from ridgeline.engine.run.handoffs.batch_failing import ATTEMPTS, PARKED, PAUSE, failed, read_parked
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.entries import Count, Entries, Expire, Keep
from ridgeline.io.shard import Shards, Share
from ridgeline.io.state.batch import Drop, Put, Remove, SetText

EVENTS = "namespace.analysed_events.analyzer_batch.2023-11-14"


@pytest.mark.parametrize(
    ("member", "metric", "since"),
    [
        ("['metrics.jobs.a', 1700000000, None]", "jobs.a", 1700000000),
        ("['metrics.jobs.a', 1700000000]", "jobs.a", 1700000000),
        ("['metrics.jobs.a', 1700000000, 'custom_algorithm_only']", "jobs.a", 1700000000),
        ("['metrics.jobs.a', 1700000000, False]", "jobs.a", 1700000000),
        ("['metrics.jobs.a', 1700000000.0, None]", "jobs.a", 1700000000),
        ("['metrics.jobs.a', '1700000000', None]", "jobs.a", 1700000000),
        ("('metrics.jobs.a', 0, None)", "jobs.a", 0),
        ("['jobs.a', 5, None]", "jobs.a", 5),
        ('["metrics.it\'s", 5, None]', "it's", 5),
        (r"['metrics.caf\\xe9', 5, None]", r"caf\xe9", 5),
        (r"['metrics.a\nb', 5, None]", "a\nb", 5),
    ],
)
def test_members_that_name_a_metric(member, metric, since):
    found = sort_out([member], "metrics.")
    assert {name: (asked.since, asked.members) for name, asked in found.by_metric.items()} == {
        metric: (since, [member])
    }
    assert not found.malformed


@pytest.mark.parametrize(
    "member",
    [
        "", "x", "5", "None", "[]", "['metrics.a']", "['metrics.a', 1, None, 2]", "['', 1, None]", "[1, 1, None]",
        "['metrics.a', None, None]", "['metrics.a', True, None]", "['metrics.a', -1, None]", "['metrics.a', 1e400, None]",
        "['metrics.a', float('nan'), None]", "['metrics.a', 'soon', None]", "{'metrics.a': 1}", "['metrics.a', 1, None",
        "__import__('os').system('true')", "[" * 10_000, "[" * 300 + "]" * 300, "('a'," * 5000, "\udcff\udcfe", "['metrics.\udcff', 1, None]",
        "['metrics.a', 1, None] or exit()", "['" + "a" * 70_000 + "', 1.0, None]", "['metrics.a\nb', 1, None]", "\x00", "9" * 5000,
    ],
)  # fmt: skip
def test_members_that_name_none_are_kept_apart(member):
    found = sort_out([member], "metrics.")
    assert (found.by_metric, found.malformed) == ({}, [member])


def test_members_of_one_metric_ask_for_everything_since_the_earliest():
    members = ["['metrics.a', 900, None]", "['metrics.a', 300]", "['metrics.a', 1200, 'custom_algorithm_only']"]
    (asked,) = sort_out(members, "metrics.").by_metric.values()
    assert (asked.since, asked.members) == (300, members)


def test_what_is_other_hosts_is_left_to_them():
    shards = Shards(("a", "b"), "a")
    names = [f"jobs.{number}" for number in range(50)]
    queued = sort_out([f"['metrics.{name}', 1, None]" for name in names], "metrics.")
    queued.leave(shards.share())
    assert set(queued.by_metric) == {name for name in names if shards.owner(name) == "a"} != set(names)
    queued.leave(Share())
    assert queued.by_metric


STAMPS = np.arange(0, 86_400 * 2, 60) + 1_700_000_000
MARK = int(STAMPS[2000])


def test_points_that_came_late_are_counted():
    before = Census.of(STAMPS[:2001], MARK, 86_400)
    later = np.sort(np.concatenate([STAMPS[:2500], STAMPS[1500:1510] + 7, STAMPS[1990:2001] - 1]))
    assert Census.read(before.text()) == before
    assert before.late(STAMPS[:2500]) == 0
    assert before.late(later) == 21


def test_what_was_trimmed_hides_no_late_point_after_it():
    before = Census.of(STAMPS[:2001], MARK, 86_400)
    trimmed = np.sort(np.concatenate([STAMPS[800:2500], STAMPS[1500:1510] + 7]))
    assert before.late(trimmed) == 10
    assert before.late(trimmed[:0]) == 0


def test_a_short_series_is_counted_whole():
    before = Census.of(STAMPS[:20], int(STAMPS[19]), 86_400)
    assert before.late(np.sort(np.append(STAMPS[:25], STAMPS[3] + 1))) == 1
    assert before.late(np.sort(np.append(STAMPS[:25], STAMPS[0] - 600))) == 1


@pytest.mark.parametrize("text", [None, "", "x", "[]", "[1,2,3]", "{}", '["a",1,1' + ",0" * PARTS + "]", "[" * 9999])
def test_a_census_that_makes_no_sense_is_none(text):
    assert Census.read(text) is None


def test_what_fails_is_tried_again_later_each_time_and_then_left_alone():
    one, pauses = None, []
    for _ in range(ATTEMPTS):
        assert one is None or not one.given_up
        one = failed("jobs.a", 5, None, "odd", 1000.0, one)
        pauses.append(one.due - 1000)
    assert pauses == [PAUSE << at for at in range(ATTEMPTS)]
    assert one.given_up
    assert one.as_json() == {"metric": "jobs.a", "watermark": None, "attempts": ATTEMPTS, "reason": "odd"}


def test_what_fails_is_read_back_and_what_makes_no_sense_left_out():
    one = failed("jobs.a", 5, 7, "odd", 1000.0, None)
    texts = {"jobs.a": one.text(), "b": "x", "c": "[]", "d": '{"after": "x"}', "e": "{}"}
    assert read_parked(Books({PARKED: texts})) == {"jobs.a": one}


@given(
    st.lists(st.lists(st.integers(0, 40), max_size=30).map(sorted), min_size=1, max_size=6),
    st.lists(st.integers(-1, 40), min_size=6, max_size=6),
    st.integers(1, 12),
)
def test_pieces_hold_every_new_point_once_in_order(rows, after, most):
    base = 1_700_000_000
    offsets = np.cumsum([0, *map(len, rows)])
    stamps = np.array([base + at for row in rows for at in row], np.int64)
    names = pa.array([f"m{at}" for at in range(len(rows))])
    matrix = MetricMatrix.from_columns(names, offsets, stamps, np.arange(len(stamps), dtype=float))
    marks = np.array(after[: len(rows)], np.int64) + base
    seen, ends = {}, []
    for piece in pieces_of(matrix, marks, most):
        for row in range(len(piece.matrix)):
            begin, end = piece.matrix.offsets[row : row + 2]
            found = piece.matrix.timestamps[begin:end]
            fresh = found[found > piece.after[row]].tolist()
            assert len(fresh) <= most or len(set(fresh[most - 1 :])) == 1
            assert piece.matrix.name(row) == f"m{piece.first + row}"
            assert found.tolist() == matrix.timestamps[matrix.offsets[piece.first + row] :][: end - begin].tolist()
            seen.setdefault(piece.first + row, []).extend(fresh)
            ends += [piece.first + row] * piece.ends
    assert seen == {row: [base + at for at in points if base + at > marks[row]] for row, points in enumerate(rows)}
    assert ends == list(range(len(rows)))


def anomaly(stamp, metric="jobs.a", value=3.0):
    return Anomaly(metric, value, stamp, 2, ("grubbs", "ks_test"), ("grubbs", "ks_test", "least_squares"))


def test_all_of_a_metric_is_recorded_in_one_instant():
    found = [anomaly(10), anomaly(20)]
    entry = Entry(
        "jobs.a", found, analysed=[10, 20, 30], before=5, mark=30, members=["m"], census="[]", was_parked=True
    )
    (changes,) = changes_of(entry, EVENTS)
    assert changes.entries == [
        SetText("analyzer_batch.anomaly.10.jobs.a", "10", 86400),
        SetText("analyzer_batch.anomaly.20.jobs.a", "20", 86400),
        Put("analyzer_batch.alerts", {"10.jobs.a": alert_of(anomaly(10)), "20.jobs.a": alert_of(anomaly(20))}),
        Put("analyzer.last_timestamp.base_names", {"jobs.a": "30"}),
        SetText("last_timestamp.jobs.a", "30", 2592000),
        Count(EVENTS, {"jobs": 3}),
        Expire(EVENTS, 1_296_000),
        Put("ridgeline.batch_census", {"jobs.a": "[]"}),
        Drop("ridgeline.batch_parked", ["jobs.a"]),
        Remove("analyzer.batch", ["m"]),
    ]


def test_very_many_anomalies_are_recorded_a_part_at_a_time_each_with_its_watermark():
    stamps = [10 * at for at in range(1, 2 * MOST + 4)]
    analysed = [5, *stamps, 10**6]
    entry = Entry("jobs.a", list(map(anomaly, stamps)), analysed=analysed, before=50, mark=10**6, members=["m"])
    parts = [changes.entries for changes in changes_of(entry, EVENTS)]
    marks = [one.fields["jobs.a"] for part in parts for one in part if isinstance(one, Put) and "base_names" in one.key]
    assert marks == [str(10 * MOST), str(20 * MOST), str(10**6)]
    assert [sum(isinstance(one, Remove) for one in part) for part in parts] == [0, 0, 1]
    assert [one.amounts for part in parts for one in part if isinstance(one, Count)] == [
        {"jobs": MOST + 1},
        {"jobs": MOST},
        {"jobs": 4},
    ]
    again = Entry("jobs.a", list(map(anomaly, stamps)), before=10**6, mark=None)
    assert not [one for changes in changes_of(again, EVENTS) for one in changes.entries if "timestamp" in one.key]


def test_alerts_are_told_as_the_next_run_reads_them():
    text = alert_of(anomaly(10, 'it\'s "odd"\n\\', 4.0))
    told = ast.literal_eval(text)
    assert list(told) == [
        "value",
        "metric",
        "timestamp",
        "triggered_algorithms",
        "algorithms_run",
        "custom_algorithm_only",
    ]
    found = _finding(told).anomaly
    assert (found.metric, found.value, found.timestamp) == ('it\'s "odd"\n\\', 4.0, 10)
    assert (found.algorithms, found.algorithms_run) == (("grubbs", "ks_test"), ("grubbs", "ks_test", "least_squares"))


def test_changes_of_one_instant_stand_between_multi_and_exec():
    one, all_ = Entries(), Entries()
    one.set("a", "1")
    one.take_out("b", ["\udcff"])
    all_.together(one)
    all_.together(Entries())
    (together,) = all_.entries
    assert together.changes == [Keep("a", "1"), Remove("b", ["\udcff"])]
    assert [command.split(b"\r\n")[2] for command in together.commands()] == [b"MULTI", b"SET", b"SREM", b"EXEC"]
    assert list(together.commands())[2].endswith(b"$1\r\n\xff\r\n")
