"""The numbers of a run: as Prometheus reads them, under Skyline's names, on their way, and what survives a failure."""

import socket
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from rigs.carbon import carbon
from rigs.golden.differences import read_table
from rigs.http import Answer, http_server
from rigs.parts import NAMES, matrix, verdicts

from ridgeline.engine.alerts.summary import COUNTED
from ridgeline.engine.report.summary import SHARES, WORK, Report
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.run.statistics.canary import CanarySink
from ridgeline.engine.run.statistics.graphite import batch, send
from ridgeline.engine.run.statistics.heartbeat import beat
from ridgeline.engine.run.statistics.names import Numbers, numbers_of, prefix
from ridgeline.engine.run.statistics.previous import Previous, previous
from ridgeline.engine.run.statistics.textfile import Ending, render
from ridgeline.engine.score.verdicts import OUTCOMES, verdict_schema
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.net.transport import TransportError
from ridgeline.io.secret import Secret

NOW = 1_700_000_120
NINE = (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)  # fmt: skip


def reported(algorithms=NAMES):
    report = Report(algorithms, as_of=NOW, seconds=dict.fromkeys((*SHARES, *WORK, "total"), 0.25))
    rows = [
        ("a", "analysed", None, True, (True, True)),
        ("b", "analysed", None, True, (True, False)),
        ("c", "analysed", None, False, (False, None)),
        *(
            (f"{outcome}.{n}", outcome, None, None, None)
            for outcome in ("stale", "boring", "too_short")
            for n in range(2)
        ),
        ("gone", "missing", "no_key", None, None),
        ("raw", "rejected", "not_msgpack", None, None),
        ("none", "empty", None, None, None),
    ]
    report.add(verdicts(rows))
    report.add_unscored(4, "shed", "deadline")
    report.add_unscored(5, "error", "kernel_failed")
    report.add_unscored(6, "skipped", "skip")
    report.alerts = dict.fromkeys(COUNTED, 0) | {"sent": 2, "queued": 3}
    return report


def families(text):
    """{(metric, labels): value} as Prometheus' own client reads it, and the metrics' kinds."""
    read = list(text_string_to_metric_families(text.decode()))
    samples = {(one.name, tuple(one.labels.items())): one.value for family in read for one in family.samples}
    assert sum(len(family.samples) for family in read) == len(samples), "a sample twice"
    assert all(one.timestamp is None for family in read for one in family.samples)
    assert all(family.type == "gauge" and family.documentation for family in read)
    assert len({family.name for family in read}) == len(read), "a family in two places"
    return samples


# --- the textfile


def test_the_textfile_is_what_prometheus_reads():
    found = families(render(reported(), Ending(70, NOW, NOW - 60, 3)))
    expected = {("ridgeline_metrics", (("outcome", name),)): 0 for name in OUTCOMES}
    expected |= {
        ("ridgeline_metrics", (("outcome", name),)): count
        for name, count in {
            "analysed": 3, "stale": 2, "boring": 2, "too_short": 2, "missing": 1, "rejected": 1, "empty": 1,
            "shed": 4, "error": 5, "skipped": 6,
        }.items()
    }  # fmt: skip
    expected |= {("ridgeline_anomalies", ()): 2, ("ridgeline_learning", ()): 0}
    expected |= {("ridgeline_alerts", (("result", name),)): 0 for name in COUNTED}
    expected |= {("ridgeline_alerts", (("result", "sent"),)): 2, ("ridgeline_alerts", (("result", "queued"),)): 3}
    expected |= {("ridgeline_reads", (("how", how),)): 0 for how in ("settled", "full")} | {
        ("ridgeline_read_bytes", ()): 0
    }
    expected |= {("ridgeline_run_seconds", (("stage", name),)): 0.25 for name in (*SHARES, *WORK, "total")}
    expected |= {
        ("ridgeline_algorithm_votes", (("algorithm", name),)): n for name, n in (("grubbs", 2), ("ks_test", 1))
    }
    expected |= {("ridgeline_algorithm_errors", (("algorithm", name),)): 0 for name in NAMES}
    expected |= {
        ("ridgeline_last_run_timestamp_seconds", ()): NOW,
        ("ridgeline_last_success_timestamp_seconds", ()): NOW - 60,
        ("ridgeline_exit_code", ()): 70,
        ("ridgeline_outbox_entries", ()): 3,
    }
    assert found == expected


def test_a_shard_says_which_host_it_is():
    found = families(render(reported(), Ending(0, NOW, NOW, 0), 'db"1\\\n'))
    assert all(dict(labels)["host"] == 'db"1\\\n' for _, labels in found)


def test_a_run_that_counted_nothing_has_all_metrics_too():
    found = families(render(Report(NINE, seconds=dict.fromkeys((*SHARES, *WORK, "total"), 0.0)), Ending(69, NOW, 0, 0)))
    assert {name for name, _ in found} == {name for name, _ in families(render(reported(), Ending(0, NOW, NOW, 0)))}


@given(st.text(st.characters(codec=None), min_size=1, max_size=20))
def test_any_name_of_an_algorithm_is_a_label(name):
    report = Report((name,), seconds=dict.fromkeys((*SHARES, *WORK, "total"), 0.0))
    found = families(render(report, Ending(0, NOW, NOW, 0)))
    read = next(dict(labels)["algorithm"] for metric, labels in found if metric == "ridgeline_algorithm_votes")
    assert read == "".join(c if not "\ud800" <= c <= "\udfff" else f"\\u{ord(c):04x}" for c in name)


def test_what_the_file_before_said_is_read(tmp_path):
    file = tmp_path / "ridgeline.prom"
    file.write_bytes(render(reported(), Ending(0, NOW, NOW, 7)))
    assert previous(file) == Previous(NOW, 7)
    file.write_bytes(render(reported(), Ending(0, NOW, NOW, 7), "host-1"))
    assert previous(file) == Previous(NOW, 7)


@pytest.mark.parametrize(
    "content",
    [
        None, b"", b"\xff\x00" * 50, b"ridgeline_last_success_timestamp_seconds", b"ridgeline_last_success_timestamp_seconds NaN\n",
        b"ridgeline_last_success_timestamp_seconds -5\n", b"ridgeline_last_success_timestamp_seconds 9e99\n",
        b"ridgeline_last_success_timestamp_seconds 999999999999\n", b"x ridgeline_last_success_timestamp_seconds 5\n",
        b"# ridgeline_last_success_timestamp_seconds 5\n", b"ridgeline_outbox_entries 1 2\n", b"a" * (2 << 20),
    ],
)  # fmt: skip
def test_a_file_that_says_nothing_usable_is_none(tmp_path, content):
    file = tmp_path / "ridgeline.prom"
    if content is not None:
        file.write_bytes(content)
    assert previous(file) == Previous()


# --- Skyline's names

FULL = "skyline.analyzer.golden."
VARIANTS = (
    "",
    "variants/lean",
    "variants/ionosphere",
    "variants/options",
    "variants/second_order",
    "variants/expiry_zero",
)


def recorded(folder):
    names = set()
    for file in sorted(folder.glob("runs/*/graphite.txt")):
        names |= {line.split("\t")[1].split(" ")[0] for line in file.read_text().splitlines()}
    return {name.removeprefix(FULL) for name in names}


def full_numbers(http, siblings):
    report = Report(NINE)
    facts = {"metric": "a", "outcome": "analysed", "anomalous": True, "datapoint": 1.0, "timestamp": NOW, "votes": 9}
    row = {**facts, **dict.fromkeys(NINE, True), "failed": []}
    report.add(pa.RecordBatch.from_pylist([row], verdict_schema(NINE)))
    handed = dict.fromkeys(siblings, 1)
    return numbers_of(Numbers(report, 1.234, 23.5, 1.26, handed, 0 if http else None))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_name_that_skyline_sends_is_sent_or_accounted_for_in_the_table_of_differences(shared, root, variant):
    table = read_table(root / "docs" / "differences.md")
    theirs = recorded(shared / "golden" / variant)
    assert len(theirs) > 40
    ours = set(full_numbers("http_alerter.queue.analyzer" in theirs, ("mirage", "panorama", "crucible", "ionosphere")))
    theirs |= {name for name in ours if name.startswith("sent_to_")}  # sent where something is handed over
    missing = {f"-graphite:{FULL}{name}" for name in theirs - ours} | {
        f"+graphite:{FULL}{name}" for name in ours - theirs
    }
    assert {one for one in missing if not any(row.name.fullmatch(one) for row in table)} == set()


def test_the_canary_of_the_recorded_fleet_has_the_recorded_span():
    stamps = NOW - 60 * np.arange(1440)[::-1]
    found = MetricMatrix.from_columns(
        pa.array(["x", "canary"]), np.array([0, 1, 1441]), np.append(5, stamps), np.ones(1441)
    )
    sink = CanarySink("canary")
    sink.take(Series(found, found), None)
    assert sink.hours == 23.983333333333334
    assert sink.projected(2.0) == 48 / 23.983333333333334


@pytest.mark.parametrize(("stamps", "hours"), [([], None), ([NOW], None), ([NOW - 7200, NOW], 2.0)])
def test_a_canary_needs_a_span(stamps, hours):
    offsets = np.array([0, len(stamps)])
    found = MetricMatrix.from_columns(pa.array(["canary"]), offsets, np.array(stamps, np.int64), np.ones(len(stamps)))
    sink = CanarySink("canary")
    sink.take(None, None)
    sink.take(Series(matrix(["other"]), matrix(["other"])), None)
    sink.take(Series(found, found), None)
    assert sink.hours == hours
    assert (sink.projected(1.0) is None) == (hours is None)


def test_each_outcome_is_counted_once_under_the_name_of_skylines_exception():
    numbers = numbers_of(Numbers(reported(), 1.239))
    assert {name: count for name, count in numbers.items() if name.startswith("exceptions.")} == {
        "exceptions.TooShort": 2,
        "exceptions.Stale": 2,
        "exceptions.Boring": 2,
        "exceptions.EmptyTimeseries": 3,
        "exceptions.Other": 5,
    }
    assert numbers["run_time"] == 1.24
    assert numbers["total_metrics"] == 27
    assert numbers["total_analyzed"] == 3
    assert numbers["total_anomalies"] == 2
    assert numbers["anomaly_breakdown.grubbs"] == 2
    assert numbers["algorithm_breakdown.ks_test.timing.times_run"] == 2
    assert sum(count for name, count in numbers.items() if name.startswith("outcomes.")) == 27
    assert "duration" not in numbers


def test_only_algorithms_that_run_by_themselves_have_a_time():
    report = reported()
    report.spent = {"ours": [(0.004, 4), (0.003, 1), (0.5, 0), (0.0002, 1)], "never": [(0.1, 0)]}
    numbers = numbers_of(Numbers(report, 1.0))
    assert {name: number for name, number in numbers.items() if name.endswith("_time") and name != "run_time"} == {
        "algorithm_breakdown.ours.timing.total_time": 0.5072,
        "algorithm_breakdown.ours.timing.median_time": 0.001,
    }


def test_what_stands_before_the_names():
    assert prefix("") == "skyline.analyzer"
    assert prefix("golden") == "skyline.analyzer.golden"
    assert prefix("", "db.example.com") == "skyline.analyzer.db_example_com"
    assert prefix("golden", "db") == "skyline.analyzer.golden"


# --- on their way


def test_a_batch_arrives_whole_over_one_connection():
    numbers = {f"n{n}": n / 7 for n in range(5000)}
    with carbon() as listening:
        send(listening.address[:2], batch("p", numbers, NOW), 20)
        deadline = time.monotonic() + 120
        while not listening.batches and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(listening.batches) == 1
        assert listening.numbers() == {f"p.{name}": (value, NOW) for name, value in numbers.items()}


def test_nobody_who_listens_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(TransportError, match=f"cannot talk to Graphite at 127.0.0.1:{port}: Connection refused"):
        send(("127.0.0.1", port), b"x", 5)


def test_a_listener_that_never_reads_costs_no_more_than_the_time_given():
    with socket.create_server(("127.0.0.1", 0), backlog=1) as deaf:
        began = time.monotonic()
        with pytest.raises(TransportError, match="did not answer in time"):
            send(deaf.getsockname()[:2], b"x" * (64 << 20), 0.5)
        assert time.monotonic() - began < 15


def test_a_name_that_is_looked_up_for_ever_costs_no_more_either():
    began = time.monotonic()
    with pytest.raises(TransportError, match="did not answer in time"):
        send(("carbon.example.com", 2003), b"x", 0.3, lookup=lambda *_, **__: time.sleep(20) or [])
    assert time.monotonic() - began < 15


def test_a_heartbeat_is_one_get():
    with http_server() as http:
        beat(Secret(f"{http.url}ping/abcd-1234?m=0"), 20)
        assert [request.line for request in http.requests] == ["GET /ping/abcd-1234?m=0 HTTP/1.1"]


@pytest.mark.parametrize("status", [199, 301, 302, 404, 500])
def test_another_answer_to_a_heartbeat_is_said_without_its_address(status):
    with http_server(Answer(status, headers={"Location": "/elsewhere"})) as http:
        with pytest.raises(TransportError) as caught:
            beat(Secret(f"{http.url}ping/abcd-1234"), 20)
        assert len(http.requests) == 1
    assert "abcd-1234" not in str(caught.value)


def test_a_heartbeat_that_gets_no_answer_ends_in_time():
    with http_server(Answer(delay=30)) as http:
        began = time.monotonic()
        with pytest.raises(TransportError, match="did not answer in time"):
            beat(Secret(f"{http.url}ping/abcd-1234"), 0.3)
        assert time.monotonic() - began < 15
