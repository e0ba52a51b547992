"""The parts of a run, each by itself: time budget, feed, scan, no data, report. No kernel is needed."""

import json
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.run import scan as scan_module
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.feed import Feed
from ridgeline.engine.run.no_data import no_data
from ridgeline.engine.run.scan import Scan
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.score.verdicts import verdict_schema
from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.matrix import MetricMatrix

NAMES = ("grubbs", "ks_test")


def verdicts(rows):
    """A verdict batch of (metric, outcome, reason, anomalous, votes of the two algorithms)."""
    return pa.RecordBatch.from_pylist(
        [
            {
                "metric": metric,
                "outcome": outcome,
                "reason": reason,
                "anomalous": anomalous,
                "datapoint": 1.5,
                "timestamp": 1_700_000_000,
                "votes": None if votes is None else sum(map(bool, votes)),
                **dict(zip(NAMES, votes or (None, None), strict=True)),
                "failed": [],
            }
            for metric, outcome, reason, anomalous, votes in rows
        ],
        verdict_schema(NAMES),
    )


def matrix(names):
    offsets = np.arange(len(names) + 1)
    stamps = np.full(len(names), 1_700_000_000)
    return MetricMatrix.from_columns(pa.array(names), offsets, stamps, np.ones(len(names)), repairs={"null": 1})


class Clock:
    def __init__(self, now=1000.0):
        self.now = now

    def __call__(self):
        return self.now


class Source:
    """Chunks of the given names; `then` is raised or called after them."""

    def __init__(self, chunks, then=None):
        self.seconds = {"load": 0.5, "decode": 0.25}
        self._chunks, self._then = chunks, then

    def chunks(self):
        for names in self._chunks:
            yield matrix(names)
        if isinstance(self._then, Exception):
            raise self._then
        if self._then is not None:
            self._then()


@pytest.fixture
def fake_scores(monkeypatch):
    """Scoring that calls every metric anomalous whose name ends in `!`, and fails where one is called `bug`."""

    def score_matrix(block, plan, index):
        names = block.metrics.to_pylist()
        if "bug" in names:
            raise ZeroDivisionError("oh\nno")
        return verdicts([(n, "analysed", None, n.endswith("!"), (n.endswith("!"), False)) for n in names])

    monkeypatch.setattr(scan_module, "score_matrix", score_matrix)


def scanned(source, *, left=lambda: 60.0, known=lambda read: None, overrides=()):
    policy = Policy(1, NAMES)
    scan = Scan(source, Scorer(ScorePlan(policies=(policy,)), Overrides(policy, overrides), 2), left, known)
    report = Report(NAMES)
    scan.run(report)
    return scan, report


def test_the_budget_keeps_time_for_alerts():
    clock = Clock()
    budget = Budget.begin(60.0, clock)
    assert budget.reading_left() == 50.0
    assert budget.alerts_end == 1057.0
    clock.now += 20
    assert (budget.spent(), budget.reading_left()) == (20.0, 30.0)
    budget.excuse(15.0)
    assert (budget.spent(), budget.reading_left(), budget.alerts_end) == (20.0, 45.0, 1072.0)
    short = Budget.begin(2.0, clock)
    assert short.reading_left() == pytest.approx(1.4)
    assert short.alerts_end == pytest.approx(clock.now + 1.8)


def test_every_chunk_in_order(fake_scores):
    chunks = [[f"m{chunk}.{row}" + "!" * (row == 3) for row in range(7)] for chunk in range(40)]
    scan, report = scanned(Source(chunks))
    assert [a.metric for a in report.anomalies] == [f"m{chunk}.3!" for chunk in range(40)]
    assert (report.metrics, scan.rows, scan.late, scan.lost) == (280, 280, False, None)
    assert report.repairs == {"null": 40}
    assert report.breakdown == {"grubbs": 40, "ks_test": 0}
    assert (report.seconds["load"], report.seconds["decode"]) == (0.5, 0.25)


def test_large_chunks_are_cut_into_blocks(fake_scores, monkeypatch):
    monkeypatch.setattr(scan_module, "BLOCK", 8)
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
    assert time.monotonic() - began < 3
    release.set()
    assert scan.late
    assert report.outcomes == {"analysed": 1, "shed": 3}
    assert report.reasons == {"deadline": 3}


def test_slow_scoring_is_shed_at_the_deadline(monkeypatch):
    release = threading.Event()

    def stuck(block, plan, index):
        release.wait(20)
        return verdicts([])

    monkeypatch.setattr(scan_module, "score_matrix", stuck)
    monkeypatch.setattr(scan_module, "GRACE", 0.05)
    end = time.monotonic() + 0.2
    scan, report = scanned(Source([["a", "b"]] * 6), left=lambda: end - time.monotonic(), known=lambda read: 12)
    release.set()
    assert scan.late
    assert report.outcomes == {"shed": 12}
    assert report.reasons == {"deadline": 12}


def test_a_bug_in_scoring_costs_its_block_only(fake_scores):
    scan, report = scanned(Source([["a!"], ["bug", "c"], ["d!"]]))
    assert [a.metric for a in report.anomalies] == ["a!", "d!"]
    assert report.outcomes == {"analysed": 2, "error": 2}
    assert report.reasons == {"kernel_failed": 2}
    assert report.problems == ["scoring failed for 2 metrics, a bug: ZeroDivisionError: oh\\nno"]
    assert scan.lost is None


def test_impossible_overrides_end_the_scan(fake_scores):
    from ridgeline.engine.rules.overrides import Override

    entries = [Override("a", algorithms=("grubbs",)), Override("b", consensus=2)]
    with pytest.raises(InputError, match="together leave ab"):
        scanned(Source([["x"], ["ab"]]), overrides=entries)


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
    assert closed.wait(2)


def test_bugs_of_a_source_are_not_hidden(fake_scores):
    with pytest.raises(KeyError):
        scanned(Source([["a"]], KeyError("x")))


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
    report = Report(NAMES)
    for outcome, count in counts.items():
        report.add_unscored(count, outcome, "")
    found = no_data(report)
    assert (found is None) if words is None else (words in str(found))


def test_the_report_in_both_forms():
    report = Report(NAMES, as_of=1_700_000_000)
    report.add(
        verdicts([("a", "analysed", None, True, (True, True)), ("b\n", "analysed", None, True, (True, None))]),
        {"null": 2},
    )
    report.add(verdicts([("c", "analysed", "direction", False, (True, True)), ("d", "stale", None, None, None)]))
    report.add_unscored(3, "shed", "deadline")
    report.add_unscored(0, "error", "kernel_failed")
    report.seconds["total"] = 2.0
    shown = report.as_json()
    assert "alerts" not in shown
    assert shown["metrics"] == 7
    assert shown["outcomes"] == {"analysed": 3, "shed": 3, "stale": 1}
    assert shown["reasons"] == {"direction": 1, "deadline": 3}
    assert shown["repairs"] == {"null": 2}
    assert shown["breakdown"] == {"grubbs": 2, "ks_test": 1}
    assert shown["metrics_per_second"] == 3.5
    assert [(row["metric"], row["votes"], row["algorithms"]) for row in shown["anomalies"]] == [
        ("a", 2, ["grubbs", "ks_test"]),
        ("b\n", 1, ["grubbs"]),
    ]
    assert json.loads(json.dumps(shown)) == shown
    text = report.as_text()
    assert text.splitlines() == [
        "7 metrics as of 2023-11-14 22:13:20 UTC: 3 analysed, 3 shed, 1 stale",
        "reasons: 3 deadline, 1 direction",
        "points repaired or dropped: 2 null",
        "2 anomalies:",
        "  a = 1.5  2 votes: grubbs, ks_test",
        "  b\\n = 1.5  1 votes: grubbs",
        "2.00 s, 4 metrics/s (load 0.00, decode 0.00, score 0.00 s)",
    ]
    report.alerts = {"sent": 1, "suppressed": 0, "failed": 1}
    assert "alerts: 1 sent, 0 suppressed, 1 failed" in report.as_text().splitlines()
    assert list(report.as_json())[7] == "alerts"


def test_a_long_list_of_anomalies_is_cut_and_the_most_agreed_come_first():
    report = Report(NAMES)
    report._anomalies = [Anomaly(f"m{n:02d}", 1.0, 0, n, NAMES) for n in range(30)]
    lines = report.as_text(limit=3).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["m29", "m28", "m27"]
    assert lines[5] == "  ... and 27 more"
    assert len(report.as_json()["anomalies"]) == 30
