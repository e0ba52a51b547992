"""What a run found, as text, as one object and as files."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.parts import NAMES, verdicts

from ridgeline.engine.report.files import dumps, listing, write_outputs
from ridgeline.engine.report.summary import SHARES, WORK, Report
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.run.sinks import ReportSink, Series
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.score.failures import Complaint
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

END = 1_700_000_000


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
        "  b\\n = 1.5  1 vote: grubbs",
        "2.00 s, 4 metrics/s (compile 0.00, load 0.00, decode 0.00, score 0.00 s)",
    ]
    report.alerts = {"sent": 1, "suppressed": 0, "failed": 1}
    assert "alerts: 1 sent, 0 suppressed, 1 failed" in report.as_text().splitlines()
    assert list(report.as_json())[11] == "alerts"


def test_a_long_list_of_anomalies_is_cut_and_the_most_agreed_come_first():
    report = Report(NAMES)
    report._anomalies = [Anomaly(f"m{n:02d}", 1.0, 0, n, NAMES) for n in range(30)]
    lines = report.as_text(limit=3).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["m29", "m28", "m27"]
    assert lines[5] == "  ... and 27 more"
    assert len(report.as_json()["anomalies"]) == 30


def test_what_is_known_of_an_anomaly_beyond_its_verdict():
    report = Report(NAMES)
    report.add(verdicts([("a", "analysed", None, True, (True, True)), ("b", "analysed", None, True, (True, None))]))
    report.describe("b", expected=(1.0, 1.25), negatives=True)
    report.describe("b", first_seen=1_699_999_940, ongoing=True)
    plain, told = report.as_json()["anomalies"]
    assert list(plain) == [
        "metric", "value", "timestamp", "votes", "algorithms", "first_seen", "ongoing", "negatives", "expected",
        "channels", "rule_score",
    ]  # fmt: skip
    assert [plain[key] for key in list(plain)[5:]] == [None] * 6
    assert [told[key] for key in list(plain)[5:]] == [1_699_999_940, True, True, [1.0, 1.25], None, None]
    assert "  b = 1.5  expected 1 to 1.25  1 vote: grubbs" in report.as_text().splitlines()


def test_algorithms_that_failed_are_counted_and_one_reason_is_told():
    report = Report(NAMES)
    batch = verdicts([(name, "analysed", None, False, (None if name == "c" else False, None)) for name in "abc"])
    failed = pa.array([["ks_test"], [], ["ks_test", "grubbs"]], batch.schema.field("failed").type)
    report.add(batch.set_column(batch.schema.get_field_index("failed"), batch.schema.field("failed"), failed))
    report.add(verdicts([("d", "analysed", None, False, (False, False))]))
    report.failures["ks_test"] = Complaint("algorithm 'ks_test' raised ZeroDivisionError on a", "Traceback ...")
    assert report.as_json()["algorithm_errors"] == {"ks_test": 2, "grubbs": 1}
    assert report.as_json()["algorithm_tracebacks"] == {"ks_test": "Traceback ..."}
    assert report.times_run == {"grubbs": 4, "ks_test": 3}
    lines = report.as_text().splitlines()
    assert "ks_test failed on 2 metrics; algorithm 'ks_test' raised ZeroDivisionError on a" in lines
    assert "grubbs failed on 1 metric; algorithm 'grubbs' gave no score on c" in lines


def test_what_was_prepared_is_told_and_what_grew_but_was_not():
    report = Report(NAMES)
    assert report.as_json()["preparation"] == {}
    report.prepared.update({"counter": 1200, "zero_filled": 3, "raw_counter": 1})
    assert report.as_json()["preparation"] == {"counter": 1200, "zero_filled": 3, "raw_counter": 1}
    lines = report.as_text().splitlines()
    assert "prepared: 1,200 counter, 3 zero_filled" in lines
    assert "1 growing metric scored by value, not by rise ([preparation] counters)" in lines


def test_what_only_a_run_knows():
    report = Report(NAMES, seconds=dict.fromkeys((*SHARES, *WORK, "total"), 0.5), unmatched=[])
    assert not {"alerts", "source", "unmatched_patterns", "airgaps", "shed"} & set(report.as_json())
    report.alerts = {"sent": 0, "unmatched": 1}
    report.reads = {"full_reads": 3, "delta_reads": 0, "bytes": 900}
    report.unmatched = [f"p{n}" for n in range(7)]
    shown = report.as_json()
    assert (shown["source"], shown["unmatched_patterns"]) == (report.reads, report.unmatched)
    lines = report.as_text().splitlines()
    assert "1 anomaly matched no alert rule" in lines
    assert 'patterns that match no metric: "p0", "p1", "p2", "p3", "p4" and 2 more' in lines
    assert lines[-1] == (
        "0.50 s, 0 metrics/s (list 0.50, compile 0.50, scan 0.50, alert 0.50, bookkeeping 0.50, write 0.50 s; at the same "
        "time load 0.50, decode 0.50, score 0.50 s)"
    )


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_output_holds_what_json_cannot_say(tmp_path, value):
    found = [Anomaly("a", value, 5, 1, NAMES, expected=(value, 1.0), rule_score=value), Anomaly("b", 2.5, 6, 1, NAMES)]
    first, second = listing(found)
    assert (first["value"], first["expected"], first["rule_score"], second["value"]) == (None, None, None, 2.5)
    assert json.loads(dumps(listing(found))) == listing(found)
    write_outputs(tmp_path, found)
    for text in (tmp_path / "anomalies.json").read_text(), (tmp_path / "anomalies.jsonp").read_text():
        assert not {"Infinity", "NaN"} & set(text.replace("-", " ").replace("[", " ").replace(",", " ").split())
    dump = (tmp_path / "anomalies.jsonp").read_text()
    assert dump == 'handle_data([[null, "a", 5], [2.5, "b", 6]])'
    assert pq.read_table(tmp_path / "anomalies.parquet")["value"].to_pylist() == [None, 2.5]


@pytest.mark.parametrize("judge", [{}, {"all_votes": True}, {"consensus": 1, "algorithms": ("grubbs", "ks_test")}])
def test_codes_are_counted_as_words_are(judge):
    """Rows of all kinds: anomalous, dull, short, stale, boring and without a point; counted by what kernels wrote, and by words."""
    random = np.random.default_rng(3)
    lengths = np.array([1440, 1440, 0, 20, 1440, 1440, 700, 1440])
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    stamps = np.concatenate([END - 60 * np.arange(n)[::-1] for n in lengths])
    values = random.normal(10, 1, int(offsets[-1]))
    values[offsets[1] - 1] = values[offsets[7] - 1] = 1e3
    values[offsets[4] : offsets[5]] = 5.0
    stamps[offsets[5] : offsets[6]] -= 40_000
    matrix = MetricMatrix.from_columns(pa.array([f"m{i}" for i in range(8)]), offsets, stamps, values)
    scorer = Scorer.of(Analysis(**judge), as_of=END)
    scored = scorer.judge(matrix)
    by_codes, by_words = (Report(scorer.overrides.policies[0].algorithms) for _ in range(2))
    for _ in range(2):
        ReportSink(by_codes, scorer.plan.names).take(Series(matrix, scored.prepared, scored.judged), scored.verdicts)
        ReportSink(by_words, scorer.plan.names).take(None, scored.verdicts)
    assert by_codes.outcomes == by_words.outcomes
    assert len(by_codes.outcomes) >= 4
    assert by_codes.reasons == by_words.reasons
    assert by_codes.times_run == by_words.times_run
    assert by_codes.anomalies == by_words.anomalies
    assert [found.metric for found in by_codes.anomalies][:2] == ["m0", "m6"]
