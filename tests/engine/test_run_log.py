"""Entries of the log of runs: for people and for programs, whatever names and errors say."""

import json

import pyarrow as pa
import pytest
from rigs.parts import NAMES, verdicts

from ridgeline.engine.report.log import Writer, as_json, as_text, entries
from ridgeline.engine.report.summary import Report
from ridgeline.engine.score.failures import Complaint
from ridgeline.io.secret import Secret

WRITER = Writer(1_700_000_120.7, 4242)
STAMP = "2023-11-14 22:15:20 :: 4242 :: "
FORGED = "a\n2023-11-14 22:15:20 :: 1 :: run :: exit 0"


def reported():
    report = Report(NAMES, as_of=1_700_000_000)
    report.add(verdicts([("a", "analysed", None, True, (True, True)), ("b", "stale", None, None, None)]))
    report.alerts = {"sent": 1, "queued": 0}
    report.seconds["total"] = 1.5
    return report


def failing():
    batch = verdicts([(FORGED, "analysed", None, False, (None, False))])
    failed = pa.array([["grubbs"]], batch.schema.field("failed").type)
    return batch.set_column(batch.schema.get_field_index("failed"), batch.schema.field("failed"), failed)


def text(report, code, **more):
    return "".join(as_text(entry, WRITER) for entry in entries(report, code, **more))


def objects(report, code, **more):
    return [json.loads(as_json(entry, WRITER)) for entry in entries(report, code, **more)]


def test_a_quiet_run_is_one_entry():
    assert text(reported(), 0) == (
        f"{STAMP}run :: exit 0 as of 2023-11-14 22:13:20 UTC in 1.50 s, 2 metrics (1 analysed, 1 stale), 1 anomaly, "
        "alerts: 1 sent\n"
    )
    (one,) = objects(reported(), 0)
    assert one == {
        "time": "2023-11-14T22:15:20Z",
        "level": "info",
        "event": "run",
        "pid": 4242,
        "exit": 0,
        "as_of": 1_700_000_000,
        "match": None,
        "metrics": 2,
        "outcomes": {"analysed": 1, "stale": 1},
        "anomalies": 1,
        "alerts": {"sent": 1, "queued": 0},
        "algorithm_errors": {},
        "seconds": {"compile": 0.0, "load": 0.0, "decode": 0.0, "score": 0.0, "total": 1.5},
    }


def test_warnings_of_run_and_configuration_are_entries():
    report = reported()
    report.problems += ["the disk is full", FORGED]
    lines = text(report, 70, warnings=["change this"], match="x.").splitlines()
    assert lines[0].endswith(', only "x."')
    assert lines[1:] == [
        f"{STAMP}warning :: change this",
        f"{STAMP}warning :: the disk is full",
        f"{STAMP}warning :: a\\n2023-11-14 22:15:20 :: 1 :: run :: exit 0",
    ]
    run, *others = objects(report, 70, warnings=["change this"], match="x.")
    assert (run["level"], run["exit"], run["match"]) == ("error", 70, "x.")
    assert [(one["level"], one["event"], one["message"]) for one in others] == [
        ("warning", "problem", "change this"),
        ("warning", "problem", "the disk is full"),
        ("warning", "problem", FORGED),
    ]


def test_an_algorithm_that_failed_is_an_entry_with_its_traceback_and_no_line_of_it_passes_for_another():
    report = reported()
    report.add(failing())
    report.failures["grubbs"] = Complaint(
        "algorithm 'grubbs' raised ValueError", f"Traceback ...\nValueError: {FORGED}\x1b[0m"
    )
    lines = text(report, 0).splitlines()
    assert lines[1:] == [
        f"{STAMP}error :: algorithm grubbs failed on 1 metric: algorithm 'grubbs' raised ValueError",
        "    Traceback ...",
        "    ValueError: a",
        "    2023-11-14 22:15:20 :: 1 :: run :: exit 0\\x1b[0m",
    ]
    run, told = objects(report, 0)
    assert run["algorithm_errors"] == {"grubbs": 1}
    assert (told["event"], told["algorithm"], told["metrics"]) == ("algorithm_failed", "grubbs", 1)
    assert told["traceback"] == report.failures["grubbs"].traceback


def test_one_that_only_gave_no_score_names_the_metric():
    report = Report(NAMES)
    report.add(failing())
    assert text(report, 0).splitlines()[1] == (
        f"{STAMP}error :: algorithm grubbs failed on 1 metric: algorithm 'grubbs' gave no score on "
        "a\\n2023-11-14 22:15:20 :: 1 :: run :: exit 0"
    )


def test_a_bug_has_its_traceback():
    report = reported()
    report.traceback = "Traceback ...\nTypeError: x"
    assert text(report, 1).splitlines()[1:] == [f"{STAMP}error :: the bug", "    Traceback ...", "    TypeError: x"]
    assert objects(report, 1)[1]["traceback"] == report.traceback


@pytest.mark.parametrize("show", [as_text, as_json])
def test_no_secret_is_written(show):
    Secret("hunter2-and-more")
    report = reported()
    report.problems.append("refused: password=opensesame by https://user:pw1234@host and hunter2-and-more\udc80")
    shown = "".join(show(entry, WRITER) for entry in entries(report, 77))
    assert "refused" in shown
    assert not any(secret in shown for secret in ("hunter2", "opensesame", "pw1234"))
    shown.encode()
