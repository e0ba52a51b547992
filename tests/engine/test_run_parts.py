"""The parts of a run, each by itself: time budget, feed, scan, sinks, work aside. No kernel is needed."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rigs.parts import NAMES, Clock, Source, matrix, verdicts

from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.feed import Feed
from ridgeline.engine.run.scan import HELD, Scan
from ridgeline.engine.run.sinks import ReportSink
from ridgeline.engine.run.workers import Workers
from ridgeline.engine.score import scorer as scorer_module
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.errors import SourceUnavailable
from ridgeline.kernels.score.layout import ANALYSED, FALSE, TRUE


@pytest.fixture
def fake_scores(monkeypatch):
    """Scoring that calls every metric anomalous whose name ends in `!`, and fails where one is called `bug`."""

    def judge_rows(block, plan, index, **_):
        names = block.metrics.to_pylist()
        if "bug" in names:
            raise ZeroDivisionError("oh\nno")
        loud, none = np.array([name.endswith("!") for name in names]), np.zeros(len(block), np.uint8)
        return SimpleNamespace(
            outcomes=none + ANALYSED, reasons=none, anomalous=loud, votes=np.stack([loud * TRUE, none + FALSE])
        )

    def verdict_rows(prepared, plan, judged):
        names = prepared.metrics.to_pylist()
        return verdicts([(n, "analysed", None, n.endswith("!"), (n.endswith("!"), False)) for n in names])

    monkeypatch.setattr(scorer_module, "judge_rows", judge_rows)
    monkeypatch.setattr(scorer_module, "verdict_rows", verdict_rows)
    monkeypatch.setattr(scorer_module, "tally", lambda prepared, judged: {})


def scanned(source, *, left=lambda: 60.0, landing=None, known=None, overrides=(), sinks=(), before=None):
    policy = Policy(1, NAMES)
    report = Report(NAMES)
    source.known = known or source.known
    scan = Scan(
        source,
        Scorer(ScorePlan(policies=(policy,), default_as_of=1_700_000_000), Overrides(policy, overrides), 2),
        report,
        [ReportSink(report, NAMES), *sinks],
        left,
        left if landing is None else landing,
        before=before,
    )
    scan.run()
    return scan, report


def test_the_budget_keeps_time_for_alerts_books_and_outputs():
    clock = Clock()
    budget = Budget.begin(60.0, clock)
    assert (budget.reading_left(), budget.alerts_end, budget.books_left(), budget.left()) == (47.0, 1055.0, 59.0, 60.0)
    clock.now += 20
    assert (budget.spent(), budget.reading_left(), budget.left()) == (20.0, 27.0, 40.0)
    short = Budget.begin(2.0, clock)
    assert short.reading_left() == pytest.approx(1.2)
    assert short.scoring_left() == pytest.approx(1.28)
    assert short.alerts_end == pytest.approx(clock.now + 1.7)
    assert short.books_left() == pytest.approx(1.9)


def test_every_chunk_in_order(fake_scores):
    chunks = [[f"m{chunk}.{row}" + "!" * (row == 3) for row in range(7)] for chunk in range(40)]
    scan, report = scanned(Source(chunks))
    assert [a.metric for a in report.anomalies] == [f"m{chunk}.3!" for chunk in range(40)]
    assert (report.metrics, scan.rows, scan.late, scan.lost) == (280, 280, False, None)
    assert report.repairs == {"null": 40}
    assert report.breakdown == {"grubbs": 40, "ks_test": 0}
    assert (report.seconds["load"], report.seconds["decode"]) == (0.5, 0.25)


class Told:
    """A sink that writes down when it is given a block, and how many metrics were settled: by `settled`."""

    wants_series = wants_all = False

    def __init__(self):
        self.calls = []

    def take(self, matrix, verdicts):
        self.calls.append(len(verdicts))

    def settled(self):
        self.calls.append("settled")
        return 5


def test_what_needs_no_reading_is_told_before_any_block_and_once(fake_scores):
    told = Told()
    scan, _ = scanned(Source([["a", "b"], ["c"]]), sinks=[told], before=told.settled)
    assert told.calls == ["settled", 2, 1]
    assert scan.settled == 5


def test_it_is_told_where_nothing_is_read(fake_scores):
    told = Told()
    scan, _ = scanned(Source([]), sinks=[told], before=told.settled)
    assert (told.calls, scan.settled) == (["settled"], 5)


def test_blocks_are_read_while_it_is_found_out_but_not_all_of_them(fake_scores):
    read = []

    class Counted(Source):
        def chunks(self):
            for chunk in super().chunks():
                read.append(len(chunk))
                yield chunk

    def settled():
        read.append("settled")
        return told.settled()

    told, size = Told(), HELD // 4
    chunks = [[f"m{chunk}.{row}" for row in range(size)] for chunk in range(20)]
    scanned(Counted(chunks), sinks=[told], before=settled)
    assert sum(told.calls[1:]) == 20 * size
    assert 4 < read.index("settled") < 20


def test_a_source_lost_before_any_block_is_partial_where_something_was_settled_and_else_an_error(fake_scores):
    told = Told()
    scan, _ = scanned(Source([], SourceUnavailable("gone")), sinks=[told], before=told.settled)
    assert (str(scan.lost), told.calls) == ("gone", ["settled"])
    with pytest.raises(SourceUnavailable, match="gone"):
        scanned(Source([], SourceUnavailable("gone")), before=lambda: 0)


def test_what_fails_before_the_first_block_ends_the_scan(fake_scores):
    def lost():
        raise SourceUnavailable("no answer")

    with pytest.raises(SourceUnavailable, match="no answer"):
        scanned(Source([["a"]]), before=lost)


def test_large_chunks_are_cut_into_blocks(fake_scores, monkeypatch):
    monkeypatch.setattr(scorer_module.Scorer, "at_once", 8)
    _, report = scanned(Source([[f"{n}!" for n in range(100)]]))
    assert [a.metric for a in report.anomalies] == [f"{n}!" for n in range(100)]
    assert report.repairs == {"null": 1}


def test_a_lost_source_keeps_what_came_before(fake_scores):
    scan, report = scanned(Source([["a!", "b"]], SourceUnavailable("gone")), known=lambda read: 5)
    assert str(scan.lost) == "gone"
    assert report.outcomes == {"analysed": 2, "shed": 3}
    assert report.reasons == {"source_lost": 3}
    assert not scan.late
    with pytest.raises(SourceUnavailable, match="gone"):
        scanned(Source([], SourceUnavailable("gone")), known=lambda read: 5)


def test_a_hanging_source_is_left_behind(fake_scores):
    release = threading.Event()
    end = time.monotonic() + 0.3
    began = time.monotonic()
    scan, report = scanned(Source([["a!"]], release.wait), left=lambda: end - time.monotonic(), known=lambda read: 4)
    assert time.monotonic() - began < 30
    release.set()
    assert scan.late
    assert report.outcomes == {"analysed": 1, "shed": 3}
    assert report.reasons == {"deadline": 3}


def test_slow_scoring_is_shed_at_the_deadline(monkeypatch):
    release = threading.Event()

    def stuck(block, plan, index, **_):
        release.wait(20)

    monkeypatch.setattr(scorer_module, "judge_rows", stuck)
    began = time.monotonic()
    end = time.monotonic() + 0.2
    scan, report = scanned(
        Source([["a", "b"]] * 6),
        left=lambda: end - time.monotonic(),
        landing=lambda: end + 1.0 - time.monotonic(),
        known=lambda read: 12,
    )
    assert time.monotonic() - began < 5, "one grace for all, not one for each block"
    release.set()
    assert scan.late
    assert report.outcomes == {"shed": 12}
    assert report.reasons == {"deadline": 12}


def test_a_bug_in_scoring_costs_its_block_only(fake_scores):
    scan, report = scanned(Source([["a!"], ["bug", "c"], ["d!"]]))
    assert [a.metric for a in report.anomalies] == ["a!", "d!"]
    assert report.outcomes == {"analysed": 2, "error": 2}
    assert report.reasons == {"kernel_failed": 2}
    assert scan.bugs == ["scoring failed for 2 metrics, a bug: ZeroDivisionError: oh\\nno"]
    assert scan.lost is None


def test_the_feed_stops_its_thread_when_nobody_wants_more():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield matrix(["a"])
        finally:
            closed.set()

    with Feed(endless, lambda: 5.0) as feed:
        assert len(next(iter(feed))) == 1
    assert closed.wait(60)


def test_bugs_of_a_source_are_not_hidden(fake_scores):
    with pytest.raises(KeyError):
        scanned(Source([["a"]], KeyError("x")))


class Keeper:
    """A sink that keeps what it is given, and fails at a metric called `trap`."""

    wants_all = True

    def __init__(self, wants_series):
        self.wants_series, self.taken = wants_series, []

    def take(self, matrix, verdicts):
        names = verdicts.column("metric").to_pylist()
        if "trap" in names:
            raise LookupError("sprung")
        self.taken.append((None if matrix is None else matrix.cleaned.metrics.to_pylist(), names))

    def finish(self, turn):
        raise AssertionError("a scan finishes no sink")


def test_sinks_see_every_verdict_in_order_and_series_only_if_they_want_them(fake_scores):
    plain, whole = Keeper(False), Keeper(True)
    chunks = [[f"m{chunk}.{row}" for row in range(5)] for chunk in range(9)]
    scanned(Source(chunks), sinks=[plain, whole])
    assert plain.taken == [(None, names) for names in chunks]
    assert whole.taken == [(names, names) for names in chunks]


def test_a_sink_that_fails_costs_no_other_anything(fake_scores):
    first, second = Keeper(False), Keeper(False)
    first.take = lambda matrix, verdicts: 1 // 0
    scan, report = scanned(Source([["a!"], ["b"], ["trap"], ["c"]]), sinks=[first, second])
    assert report.outcomes == {"analysed": 4}
    assert [a.metric for a in report.anomalies] == ["a!"]
    assert [names for _, names in second.taken] == [["a"], ["b"]] or [names for _, names in second.taken] == [
        ["a!"],
        ["b"],
    ]
    assert scan.bugs == [
        "Keeper failed, a bug: ZeroDivisionError: integer division or modulo by zero",
        "Keeper failed, a bug: LookupError: sprung",
    ]


def test_work_aside_returns_raises_or_is_left_behind():
    assert aside(lambda: 5, 10, "test") == 5
    with pytest.raises(KeyError, match="x"):
        aside(lambda: {}["x"], 10, "test")
    with pytest.raises(TimeoutError, match="its own"):
        aside(lambda: (_ for _ in ()).throw(TimeoutError("its own")), 10, "test")
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(Overdue):
        aside(lambda: release.wait(60), 0.05, "test")
    assert time.monotonic() - began < 30
    release.set()


def test_workers_do_not_hold_up_the_end_of_the_process():
    workers, release = Workers(2, "test"), threading.Event()
    stuck = workers.submit(release.wait, 60)
    assert workers.submit(lambda a, b: a + b, 2, 3).result(10) == 5
    failed = workers.submit(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(10)
    begun = threading.Event()
    second = workers.submit(lambda: begun.set() or release.wait(60))
    assert begun.wait(60)
    never = workers.submit(lambda: 5)
    workers.stop()
    assert never.cancelled()
    assert all(thread.daemon for thread in threading.enumerate() if thread.name.startswith("test-"))
    release.set()
    assert stuck.result(10)
    assert second.result(10)
