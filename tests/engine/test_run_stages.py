"""The stages of a run, each by itself on a turn made by hand, and the list that they make up."""

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from rigs.parts import Clock, Source, verdicts

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config, Output, Run
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.run import once
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.stages import compile as compile_stage
from ridgeline.engine.run.stages import listing, outputs
from ridgeline.engine.run.stages.bookkeeping import finish_sinks
from ridgeline.engine.run.stages.clock import judge_clock
from ridgeline.engine.run.stages.compile import compile_kernels
from ridgeline.engine.run.stages.listing import list_metrics
from ridgeline.engine.run.stages.no_data import judge_no_data
from ridgeline.engine.run.stages.outputs import write_files
from ridgeline.engine.run.stages.scan import scan_source
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.engine.run.unmatched import UnmatchedSink, patterns_of
from ridgeline.io.errors import OutputError, SourceUnavailable
from ridgeline.kernels.native.loader import StillCompiling

NOW = 1_700_000_000


def turn_of(config=None, **request):
    return Turn.begin(Request(config or Config(), **request), Budget.begin(60.0, Clock()), lambda: NOW)


def scanned_turn(leads=(), *, skew=None, late=False, **request):
    """A turn whose source has been read; `leads` as the scan found them."""
    turn = turn_of(**request)
    turn.source, turn.compiled = Source([]), True
    turn.source.clock_skew = skew
    turn.scan = SimpleNamespace(leads=[np.array(leads, np.int64)], lost=None, late=late, rows=len(leads))
    return turn


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "the source lists no metrics at all"),
        ({"analysed": 10}, None),
        ({"analysed": 5, "missing": 5}, None),
        ({"analysed": 5, "missing": 2, "stale": 4}, "only 5 of 11 metrics could be judged (4 stale, 2 missing)"),
        ({"stale": 1}, "only 0 of 1 metrics could be judged (1 stale)"),
        ({"analysed": 1, "missing": 2, "shed": 100}, "only 1 of 3 metrics could be judged (2 missing)"),
        ({"analysed": 1, "missing": 1, "skipped": 100}, None),
        ({"shed": 100}, None),
        ({"skipped": 100}, None),
        ({"boring": 9, "rejected": 9}, None),
        ({"boring": 9, "rejected": 9, "empty": 1}, "only 9 of 19 metrics could be judged (9 rejected, 1 empty)"),
        ({"analysed": 4, "boring": 5, "too_short": 9}, None),
        (
            {"too_short": 2_000, "analysed": 1_999, "error": 0},
            "only 1,999 of 3,999 metrics could be judged (2,000 too_",
        ),
    ],
)
def test_no_data(counts, words):
    turn = scanned_turn()
    for outcome, count in counts.items():
        turn.report.add_unscored(count, outcome, "")
    judge_no_data(turn)
    assert (turn.lacking is None) if words is None else (words in str(turn.lacking))
    assert turn.report.problems == ([] if words is None else [str(turn.lacking)])
    assert turn.exit_code() == (0 if words is None else 66)


def test_a_source_that_was_not_read_to_its_end_is_not_known_to_be_empty():
    turn = scanned_turn(late=True)
    judge_no_data(turn)
    assert (turn.lacking, turn.exit_code()) == (None, 0)


def test_a_fleet_gone_stale_says_how_old_its_newest_point_is():
    turn = scanned_turn([-9000, -7260, -8000])
    turn.report.add_unscored(3, "stale", "")
    judge_no_data(turn)
    assert str(turn.lacking) == (
        "only 0 of 3 metrics could be judged (3 stale): the newest point of all is 2 h 1 min old: nothing writes to the "
        "source, or this machine's clock is ahead"
    )


@pytest.mark.parametrize(
    ("leads", "skew", "code", "words"),
    [
        ([], None, 0, []),
        ([-60, -10, 0, 30], 30.0, 0, []),
        ([-60, -10, 0, 31], None, 0, ["the newest data of 1 of 4 metrics lies in the future, by 31 s; points after"]),
        ([7200, 7200, -60, -60], None, 0, ["the newest data of 2 of 4 metrics lies in the future, by 2 h; points after"]),
        (
            [7200, 7260, 7140, -60], None, 66,
            ["the newest data of 3 of 4 metrics lies in the future, by 2 h: this machine's clock is behind"],
        ),
        ([-60], -31.0, 0, ["this machine's clock is 31 s ahead of that of Redis"]),
        (
            [86400, 86400], 86400.0, 66,
            ["this machine's clock is 1 d behind that of Redis", "2 of 2 metrics lies in the future, by 1 d: this"],
        ),
    ],
)  # fmt: skip
def test_the_clock(leads, skew, code, words):
    turn = scanned_turn(leads, skew=skew)
    judge_clock(turn)
    assert turn.exit_code() == code
    assert (turn.lacking is not None) == (code == 66)
    assert len(turn.report.problems) == len(words)
    for problem, word in zip(turn.report.problems, words, strict=True):
        assert word in problem


def test_as_of_is_the_clock():
    turn = scanned_turn([7200], skew=99.0, as_of=NOW)
    judge_clock(turn)
    (problem,) = turn.report.problems
    assert "seen from `--as-of`" in problem
    assert "Redis" not in problem
    assert turn.lacking is None


def test_the_gravest_of_the_codes():
    turn = turn_of()
    assert turn.exit_code() == 0
    for code in (70, 69, 74, 66, 77, 1):
        turn.find(code, f"{code}.")
        assert turn.exit_code() == code
    turn.find(70, "again.")
    turn.warn("by the way.")
    assert turn.exit_code() == 1
    assert turn.report.problems == ["70.", "69.", "74.", "66.", "77.", "1.", "again.", "by the way."]


def test_the_list_reads_like_a_table_of_contents():
    names = [stage.__name__ for _, stage in once.STAGES]
    assert names.index("alert") < names.index("finish_sinks") < names.index("write_files")
    assert list(dict.fromkeys(share for share, _ in once.STAGES)) == [
        "list", "compile", "scan", "alert", "bookkeeping", "write",
    ]  # fmt: skip


def test_looking_for_airgaps_only_leaves_out_what_judges_alerts_and_writes_files():
    looking = [stage.__name__ for _, stage in once.LOOKING]
    assert looking == [
        "take_lock", "open_ledger", "list_metrics", "order_reading", "compile_kernels", "scan_source", "tell_shed",
        "judge_clock", "judge_no_data", "remember_shed", "finish_sinks", "write_books", "write_log",
    ]  # fmt: skip
    turn = turn_of(check_airgaps_only=True)
    assert [type(sink).__name__ for sink in turn.sinks] == ["ReportSink", "AirgapSink"]
    assert turn.kernels == ("decode", "gaps")
    assert turn_of(Config(airgaps=Airgaps(identify=True))).kernels == ("decode", "score", "gaps")


def test_the_shares_of_the_stages_add_up_to_the_total(monkeypatch):
    clock = Clock()

    def taking(seconds):
        def stage(turn):
            clock.now += seconds

        return stage

    monkeypatch.setattr(
        once, "STAGES", [("list", taking(1)), ("list", taking(2)), ("scan", taking(4)), ("write", taking(8))]
    )
    report = once.run_once(Request(Config()), clock=clock, now=lambda: NOW)
    assert report.seconds["total"] == 15
    assert {share: report.seconds[share] for share in ("list", "compile", "scan", "alert", "bookkeeping", "write")} == {
        "list": 3, "compile": 0, "scan": 4, "alert": 0, "bookkeeping": 0, "write": 8,
    }  # fmt: skip


def test_a_listing_that_hangs_is_left_behind(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(listing, "open_source", lambda *arguments, **_: release.wait(60))
    monkeypatch.setattr(listing, "GRACE", 0.0)
    turn = Turn.begin(Request(Config(run=Run(deadline=0.3))), Budget.begin(0.3), lambda: NOW)
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="could not be opened and listed within"):
        list_metrics(turn)
    assert time.monotonic() - began < 30
    release.set()


@pytest.mark.parametrize("hangs", [False, True])
def test_kernels_that_are_not_ready_in_time_cost_the_run_its_verdicts_and_not_its_end(monkeypatch, hangs):
    release = threading.Event()

    def prepare(*names, patience):
        assert names == ("decode", "score")
        assert 0 < patience <= 0.18
        if hangs:
            release.wait(60)
        raise StillCompiling("the kernels are still being compiled, once for this machine")

    monkeypatch.setattr(compile_stage.loader, "prepare", prepare)
    turn = Turn.begin(Request(Config()), Budget.begin(0.3), lambda: NOW)
    turn.source = Source([], known=lambda read: 40)
    began = time.monotonic()
    compile_kernels(turn)
    assert time.monotonic() - began < 30
    scan_source(turn)
    judge_clock(turn)
    judge_no_data(turn)
    assert turn.exit_code() == 70
    assert turn.report.outcomes == {"shed": 40}
    assert "no metric was judged: " in turn.report.problems[0]
    assert "still being compiled" in turn.report.problems[0]
    release.set()


class Book:
    wants_series = False
    wants_all = True

    def __init__(self, action):
        self.action = action

    def take(self, matrix, verdicts):
        pass

    def finish(self, turn):
        self.action(turn)


def test_sinks_finish_in_time_or_are_left_behind_and_none_keeps_another_back():
    release, done = threading.Event(), []

    def full(turn):
        raise OutputError("cannot write the book: no space")

    turn = Turn.begin(Request(Config()), Budget.begin(1.0), lambda: NOW)
    turn.sinks += [Book(full), Book(lambda turn: release.wait(60)), Book(done.append)]
    began = time.monotonic()
    finish_sinks(turn)
    assert time.monotonic() - began < 30
    release.set()
    assert turn.exit_code() == 74
    assert turn.report.problems[0] == "cannot write the book: no space"
    assert "the deadline came before Book had written" in turn.report.problems[1]


def test_patterns_that_match_nothing_listed():
    alerts = (AlertRow("web", ("http",)), AlertRow("dbb", ("http",)), AlertRow("web", ("console",)))
    config = Config(overrides=(Override("app.*x"), Override("cache")), alerts=alerts)
    assert patterns_of(config) == ("app.*x", "cache", "web", "dbb")
    turn = scanned_turn()
    sink = UnmatchedSink(patterns_of(config))
    for names in (["web1", "app.y"], ["cache"]):
        sink.take(None, verdicts([(name, "analysed", None, False, (False, False)) for name in names]))
    sink.finish(turn)
    assert turn.report.unmatched == ["app.*x", "dbb"]
    turn = scanned_turn(late=True)
    sink.finish(turn)
    assert turn.report.unmatched == [], "names that were not reached are not known"


def test_patterns_of_airgaps_count_where_these_are_looked_for():
    airgaps = Airgaps(check=("a.",), skip=("a.b",))
    assert patterns_of(Config(airgaps=airgaps)) == ()
    assert patterns_of(Config(airgaps=replace(airgaps, identify=True))) == ("a.", "a.b")


def test_a_run_over_some_metrics_only_looks_for_no_patterns():
    kinds = [type(sink).__name__ for sink in turn_of(match="x").sinks]
    assert kinds == ["ReportSink", "ExpectedSink", "LatelySink"]
    assert [type(sink).__name__ for sink in turn_of().sinks][-1] == "UnmatchedSink"


def test_a_disk_that_hangs_is_left_behind(monkeypatch, tmp_path):
    release = threading.Event()
    monkeypatch.setattr(outputs, "write_outputs", lambda *arguments: release.wait(60))
    monkeypatch.setattr(outputs, "GRACE", 0.0)
    turn = Turn.begin(Request(Config(output=Output(tmp_path))), Budget.begin(0.3), lambda: NOW)
    began = time.monotonic()
    write_files(turn)
    assert time.monotonic() - began < 30
    assert turn.exit_code() == 74
    assert "the disk did not answer" in turn.report.problems[0]
    release.set()
