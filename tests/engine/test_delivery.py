"""Delivery: rows matched, repeats suppressed, sends retried within the deadline, records after success; and the files."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.http import Answer, http_server

from ridgeline.alerters import SENT, Channel, Message, Outcome, load
from ridgeline.alerters.webhook import HttpSettings
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.match import match_rows
from ridgeline.engine.alerts.no_data import METRIC, no_data_items
from ridgeline.engine.alerts.pipeline import deliver, deliver_items
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import Strategy, build_strategies
from ridgeline.engine.alerts.workers import Threads
from ridgeline.engine.report.files import JSON, JSONP, PARQUET, jsonp, listing, write_outputs
from ridgeline.engine.score.anomaly import Anomaly, anomalies_of
from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.interface import StateError

ROW = AlertRow("", ("http",), 60)
CHANNELS = load()


def anomaly(metric, value=1.0, timestamp=1700000000):
    return Anomaly(metric, value, timestamp, 2, ("grubbs", "ks_test"), ("grubbs", "ks_test", "least_squares"))


class Memory:
    """State that keeps everything, and the order in which things happened."""

    def __init__(self, log=None):
        self.last, self.log = {}, [] if log is None else log

    def last_alerts(self, pairs):
        return [self.last.get(pair) for pair in pairs]

    def record_alerts(self, alerts):
        for strategy, metric, timestamp, _ in alerts:
            self.last[strategy, metric] = timestamp
            self.log.append(("record", strategy, metric))

    def get(self, key):
        return None

    def set(self, key, value, ttl):
        pass

    def close(self):
        pass


class Broken(Memory):
    """State that fails at every use."""

    def __init__(self):
        super().__init__()
        self.asked = 0

    def last_alerts(self, pairs):
        self.asked += 1
        raise StateError("cannot read state: gone")

    def record_alerts(self, alerts):
        self.asked += 1
        raise StateError("cannot write state: gone")


class Scripted:
    """An alerter that gives the scripted outcomes in turn, the last for ever; `sent` notes when it was asked."""

    def __init__(self, *outcomes, clock=None, log=None, concurrency=1):
        self.outcomes, self.clock, self.log = list(outcomes) or [SENT], clock, [] if log is None else log
        self.concurrency, self.asked = concurrency, []

    timeout = 1.0

    def send(self, message, deadline):
        alert = message.first
        self.asked.append((alert.metric, self.clock.now if self.clock else None))
        self.log.append(("send", alert.strategy, alert.metric))
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        return outcome(alert) if callable(outcome) else outcome

    @property
    def times(self):
        return [when for _, when in self.asked]


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Inline:
    """Workers that send at once; waiting moves the clock, and nothing sleeps."""

    def __init__(self, clock):
        self.clock, self.done = clock, deque()

    def submit(self, alerter, job):
        self.done.append((job, alerter.send(job.message, job.deadline)))

    def wait(self, timeout):
        if not self.done:
            assert timeout > 0, "the sender spins"
            self.clock.now += timeout
        return self.done

    def stop(self):
        pass


def strategies(alerters):
    return {name: Strategy(name, alerter) for name, alerter in alerters.items()}


def inline(anomalies, rows, alerters, state=None, seconds=30.0, clock=None):
    clock = clock or Clock()
    return deliver(
        anomalies,
        rows,
        strategies(alerters),
        Memory() if state is None else state,
        deadline=clock.now + seconds,
        clock=clock,
        workers=Inline(clock),
    )


# Matching ---------------------------------------------------------------------------------------------------------------


def test_the_first_row_that_matches_wins_per_strategy():
    rows = [
        AlertRow("stats.timers", ("http",), 10),
        AlertRow("stats.", ("http", "console"), 20),
        AlertRow("other", ("syslog",), 30),
        AlertRow("", ("console", "syslog"), 40),
    ]
    found = {
        (item.alert.metric, item.alert.strategy): item.alert.expiration
        for item in match_rows([anomaly("stats.timers.a"), anomaly("stats.b"), anomaly("c")], rows, 3600)
    }
    assert found == {
        ("stats.timers.a", "http"): 10,
        ("stats.timers.a", "console"): 20,
        ("stats.timers.a", "syslog"): 40,
        ("stats.b", "http"): 20,
        ("stats.b", "console"): 20,
        ("stats.b", "syslog"): 40,
        ("c", "console"): 40,
        ("c", "syslog"): 40,
    }


def test_an_alert_carries_the_anomaly():
    (item,) = match_rows([anomaly("a", 2.5, 7)], [ROW], 3600)
    alert = item.alert
    assert (alert.metric, alert.value, alert.timestamp, alert.full_duration, alert.expiration) == (
        "a",
        2.5,
        7,
        3600,
        60,
    )
    assert (alert.votes, alert.algorithms_run, alert.strategy, alert.context) == (
        2,
        ("grubbs", "ks_test", "least_squares"),
        "http",
        "Analyzer",
    )


def test_a_metric_no_row_matches_alerts_nobody():
    assert list(match_rows([anomaly("a")], [AlertRow("b", ("http",), 60)], 1)) == []


# Order and suppression ----------------------------------------------------------------------------------------------------


def test_each_alert_is_recorded_right_after_it_is_sent():
    log = []
    summary = inline([anomaly("a"), anomaly("b")], [ROW], {"http": Scripted(log=log)}, Memory(log))
    assert log == [("send", "http", "a"), ("record", "http", "a"), ("send", "http", "b"), ("record", "http", "b")]
    assert summary.counts() == {"sent": 2, "suppressed": 0, "failed": 0}
    assert summary.complete
    assert summary.problems() == []


@pytest.mark.parametrize("outcome", [Outcome("retry", "down"), Outcome("rejected", "no")])
def test_a_failing_alerter_leaves_no_suppression(outcome):
    state = Memory()
    summary = inline([anomaly("a")], [ROW], {"http": Scripted(outcome)}, state)
    assert state.last == {}
    assert summary.counts() == {"sent": 0, "suppressed": 0, "failed": 1}
    assert not summary.complete
    assert summary.problems() == [f"http: 1 alert not sent: {outcome.reason}"]
    assert inline([anomaly("a")], [ROW], {"http": Scripted()}, state).sent == 1


def test_suppression_is_per_strategy_and_metric():
    state = Memory()
    state.last["http", "a"] = 1
    rows = [AlertRow("", ("http", "console"), 60)]
    http, console = Scripted(), Scripted()
    summary = inline([anomaly("a"), anomaly("b")], rows, {"http": http, "console": console}, state)
    assert summary.counts() == {"sent": 3, "suppressed": 1, "failed": 0}
    assert [metric for metric, _ in http.asked] == ["b"]
    assert [metric for metric, _ in console.asked] == ["a", "b"]


def test_suppression_is_asked_for_in_batches():
    class Counting(Memory):
        calls = 0

        def last_alerts(self, pairs):
            self.calls += 1
            return super().last_alerts(pairs)

    state = Counting()
    assert inline([anomaly(str(n)) for n in range(1200)], [ROW], {"http": Scripted()}, state).sent == 1200
    assert state.calls == 3


def test_an_expiration_of_zero_alerts_every_run():
    state = Memory()
    for _ in range(2):
        assert inline([anomaly("a")], [AlertRow("", ("http",), 0)], {"http": Scripted()}, state).sent == 1
    assert state.last == {}


def test_broken_state_loses_no_alert_and_is_not_asked_for_ever():
    state = Broken()
    summary = inline([anomaly(str(n)) for n in range(2000)], [ROW], {"http": Scripted()}, state)
    assert summary.sent == 2000
    assert state.asked == 3
    assert summary.state_failures > 0
    assert not summary.complete
    assert "alerts may repeat" in summary.problems()[0]


def test_a_full_disk_repeats_an_alert_and_loses_none():
    class Full(Memory):
        def record_alerts(self, _alerts):
            raise StateError("no space")

    state = Full()
    for _ in range(2):
        summary = inline([anomaly("a")], [ROW], {"http": Scripted()}, state)
        assert (summary.sent, summary.state_failures) == (1, 1)


def test_an_unknown_strategy_fails_alone():
    rows = [AlertRow("", ("nobody", "http"), 60)]
    summary = inline([anomaly("a")], rows, {"http": Scripted()})
    assert (summary.sent, summary.failed) == (1, 1)
    assert "no alerter named nobody" in summary.problems()[0]


# Retries --------------------------------------------------------------------------------------------------------------------


def test_pauses_double_up_to_a_limit_and_end_at_the_deadline():
    clock = Clock()
    alerter = Scripted(Outcome("retry", "down"), clock=clock)
    summary = inline([anomaly("a")], [ROW], {"http": alerter}, seconds=40, clock=clock)
    gaps = [later - earlier for earlier, later in zip(alerter.times, alerter.times[1:], strict=False)]
    assert gaps == [0.5, 1, 2, 4, 8, 10, 10]
    assert summary.failed == 1
    assert clock.now < 1040, "nothing is waited for that cannot help"


def test_a_receiver_that_comes_back_gets_everything():
    clock = Clock()
    down = Outcome("retry", "down")
    alerter = Scripted(down, down, down, SENT, clock=clock, concurrency=4)
    summary = inline([anomaly(str(n)) for n in range(10)], [ROW], {"http": alerter}, clock=clock)
    assert summary.counts() == {"sent": 10, "suppressed": 0, "failed": 0}
    assert sorted({metric for metric, _ in alerter.asked}) == sorted(str(n) for n in range(10))


def test_a_receiver_that_is_down_is_probed_with_one_alert_at_a_time():
    clock = Clock()
    alerter = Scripted(Outcome("retry", "down"), clock=clock, concurrency=4)
    summary = inline([anomaly(str(n)) for n in range(1000)], [ROW], {"http": alerter}, clock=clock)
    assert summary.failed == 1000
    assert len(alerter.asked) < 15
    assert summary.problems() == ["http: 1000 alerts not sent: down"]


@pytest.mark.parametrize(("retry_after", "second"), [(7.0, 7.0), (0.0, 0.5), (0.1, 0.5)])
def test_retry_after_is_honoured(retry_after, second):
    clock = Clock()
    alerter = Scripted(Outcome("retry", "later", retry_after), SENT, clock=clock)
    assert inline([anomaly("a")], [ROW], {"http": alerter}, clock=clock).sent == 1
    assert alerter.times == [1000.0, 1000.0 + second]


def test_retry_after_beyond_the_deadline_ends_it_at_once():
    clock = Clock()
    alerter = Scripted(Outcome("retry", "later", 1e9), clock=clock)
    other = Scripted(clock=clock)
    rows = [AlertRow("", ("http", "console"), 60)]
    summary = inline([anomaly("a"), anomaly("b")], rows, {"http": alerter, "console": other}, clock=clock)
    assert (summary.sent, summary.failed, len(alerter.asked)) == (2, 2, 1)
    assert clock.now == 1000.0


def test_one_alert_that_always_fails_holds_up_no_other():
    def outcome(alert):
        return Outcome("retry", "500") if alert.metric == "poison" else SENT

    clock = Clock()
    metrics = ["poison", *(str(n) for n in range(100))]
    summary = inline([anomaly(m) for m in metrics], [ROW], {"http": Scripted(outcome, clock=clock)}, clock=clock)
    assert (summary.sent, summary.failed) == (100, 1)


def test_a_rejected_alert_is_tried_once():
    alerter = Scripted(Outcome("rejected", "no"))
    inline([anomaly("a")], [ROW], {"http": alerter})
    assert len(alerter.asked) == 1


def test_after_the_deadline_nothing_is_tried():
    alerter = Scripted()
    summary = inline([anomaly("a")], [ROW], {"http": alerter}, seconds=0)
    assert alerter.asked == []
    assert summary.problems() == ["http: 1 alert not sent: the deadline came before it could be sent"]


@given(
    script=st.lists(
        st.sampled_from([SENT, Outcome("retry", "r"), Outcome("retry", "r", 3.0), Outcome("rejected", "x")])
    ),
    metrics=st.integers(0, 12),
    suppressed=st.sets(st.integers(0, 11)),
    concurrency=st.integers(1, 5),
    seconds=st.sampled_from([0.0, 1.0, 30.0]),
)
def test_every_alert_has_exactly_one_fate(script, metrics, suppressed, concurrency, seconds):
    clock, state = Clock(), Memory()
    state.last.update({("http", str(n)): 1 for n in suppressed})
    alerter = Scripted(*script, clock=clock, concurrency=concurrency)
    summary = inline([anomaly(str(n)) for n in range(metrics)], [ROW], {"http": alerter}, state, seconds, clock)
    assert summary.sent + summary.suppressed + summary.failed == metrics
    assert summary.suppressed == len([n for n in suppressed if n < metrics])
    assert summary.sent == len(state.log)
    assert clock.now <= 1000.0 + seconds + 2.0


# Threads and real receivers ---------------------------------------------------------------------------------------------------


def webhook(url, **settings):
    return CHANNELS["http"].build(HttpSettings(url, **settings))


def test_a_hanging_receiver_holds_up_neither_the_others_nor_the_run(capsys):
    rows = [AlertRow("", ("http", "console"), 60)]
    with http_server(Answer(silent=True)) as server:
        alerters = {
            "http": webhook(server.url),
            "console": CHANNELS["console"].build(CHANNELS["console"].settings()),
        }
        state = Memory()
        started = time.monotonic()
        summary = deliver(
            [anomaly(str(n)) for n in range(50)], rows, strategies(alerters), state, deadline=started + 0.5
        )
        assert time.monotonic() - started < 20
    assert (summary.sent, summary.failed) == (50, 50)
    assert {strategy for strategy, _ in state.last} == {"console"}
    assert len(capsys.readouterr().out.splitlines()) == 50


def test_an_alerter_that_ignores_its_deadline_is_left_behind():
    class Stuck(Scripted):
        def send(self, message, deadline):
            time.sleep(30)
            return SENT

    started = time.monotonic()
    summary = deliver([anomaly("a")], [ROW], strategies({"http": Stuck()}), Memory(), deadline=started + 0.2)
    assert time.monotonic() - started < 20
    assert summary.failed == 1


def test_an_alerter_with_a_bug_silences_no_other():
    def bug(_alert):
        raise ZeroDivisionError("SENTINEL")

    rows = [AlertRow("", ("http", "console"), 60)]
    alerters = {"http": Scripted(bug), "console": Scripted()}
    summary = deliver([anomaly("a")], rows, strategies(alerters), Memory(), deadline=time.monotonic() + 5)
    assert (summary.sent, summary.failed) == (1, 1)
    assert "ZeroDivisionError" in summary.problems()[0]
    assert "SENTINEL" not in summary.problems()[0]


def test_a_storm_arrives_whole(tmp_path):
    metrics = [f"m.{n}" for n in range(1000)]
    with http_server() as server, contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        alerters = {"http": webhook(server.url)}
        summary = deliver(map(anomaly, metrics), [ROW], strategies(alerters), state, deadline=time.monotonic() + 30)
        assert summary.counts() == {"sent": 1000, "suppressed": 0, "failed": 0}
        again = deliver(map(anomaly, metrics), [ROW], strategies(alerters), state, deadline=time.monotonic() + 30)
        assert again.counts() == {"sent": 0, "suppressed": 1000, "failed": 0}
    assert sorted(request.json["alerts"][0]["metric"] for request in server.requests) == sorted(metrics)


def test_a_receiver_that_recovers_gets_each_alert_once():
    answers = [Answer(503), Answer(429, {"Retry-After": "1"}), Answer(raw=b""), Answer()]
    with http_server(*answers) as server:
        state = Memory()
        summary = deliver(
            [anomaly(str(n)) for n in range(5)],
            [ROW],
            strategies({"http": webhook(server.url)}),
            state,
            deadline=time.monotonic() + 20,
        )
    assert summary.sent == 5
    assert len(server.requests) == 8
    assert len(state.last) == 5


def test_threads_end_when_they_are_told():
    import threading

    before = set(threading.enumerate())
    workers = Threads()
    deliver(
        [anomaly("a")],
        [ROW],
        strategies({"http": Scripted()}),
        Memory(),
        deadline=time.monotonic() + 5,
        workers=workers,
    )
    until = time.monotonic() + 20
    while set(threading.enumerate()) - before:
        assert time.monotonic() < until
        time.sleep(0.01)


TERMINATED = """
import signal, sys, time
from pathlib import Path
from ridgeline.alerters import load
from ridgeline.alerters.webhook import HttpSettings
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import build_strategies
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.alerts.pipeline import deliver
from ridgeline.io.state.in_sqlite import SqliteState

def stop(*_):
    raise SystemExit(143)

signal.signal(signal.SIGTERM, stop)
rows = [AlertRow("", ("http",), 600)]
alerters = build_strategies([("http", load()["http"], HttpSettings(sys.argv[1]))], ["http"])
anomalies = [Anomaly(f"m.{n}", 1.0, 1700000000, 6, ()) for n in range(int(sys.argv[3]))]
print("ready", flush=True)
deliver(anomalies, rows, alerters, SqliteState(Path(sys.argv[2])), deadline=time.monotonic() + 60)
"""


def interrupted(tmp_path, answer, when, number, *, alerts=500, begun=False):
    """Deliver in a process of its own, send it a signal, and return (exit code, seconds to end, names that arrived)."""
    with http_server(answer) as server:
        command = [sys.executable, "-c", TERMINATED, server.url, tmp_path / "s.db", str(alerts)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            while begun and not server.requests:  # `when` counts from the first alert, not from the start
                time.sleep(0.005)
            time.sleep(when)
            process.send_signal(number)
            started = time.monotonic()
            code = process.wait(60)
            took = time.monotonic() - started
        time.sleep(0.1)
        return code, took, [request.json["alerts"][0]["metric"] for request in server.requests]


@pytest.mark.parametrize(("delay", "when"), [(0.4, 0.7), (0.0, 0.0), (0.0, 0.1), (0.0, 0.2), (0.01, 0.2)])
def test_sigterm_waits_for_what_is_in_flight_and_records_it(tmp_path, delay, when):
    code, took, arrived = interrupted(tmp_path, Answer(delay=delay), when, signal.SIGTERM, alerts=5000, begun=True)
    assert code == 143
    assert took < 30
    assert arrived
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        assert None not in state.last_alerts([("http", metric) for metric in arrived])


def test_sigterm_abandons_a_receiver_that_hangs(tmp_path):
    code, took, _ = interrupted(tmp_path, Answer(silent=True), 0.5, signal.SIGTERM)
    assert code == 143
    assert took < 30


@pytest.mark.parametrize("when", [0.05, 0.2, 0.6])
def test_kill_loses_no_alert_and_repeats_only_what_was_in_flight(tmp_path, when):
    _, _, arrived = interrupted(tmp_path, Answer(delay=0.005), when, signal.SIGKILL)
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state, http_server() as server:
        summary = deliver(
            [anomaly(f"m.{n}") for n in range(500)],
            [AlertRow("", ("http",), 600)],
            strategies({"http": webhook(server.url)}),
            state,
            deadline=time.monotonic() + 30,
        )
        assert summary.failed == 0
        after = [request.json["alerts"][0]["metric"] for request in server.requests]
    assert set(arrived) | set(after) == {f"m.{n}" for n in range(500)}
    repeated = len(arrived) + len(after) - 500
    assert repeated <= 4 + 1, "four are in flight, one may lie between sending and recording"


# No data ------------------------------------------------------------------------------------------------------------------------


def test_no_data_goes_to_every_strategy_once_per_expiration(tmp_path):
    rows = [AlertRow("a", ("http", "console"), 10), AlertRow("b", ("http",), 20)]
    http, console = Scripted(), Scripted()
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        for sent, suppressed in ((2, 0), (0, 2)):
            items = no_data_items("no metrics in Redis", 0, 1700000000, rows, 3600)
            clock = Clock()
            summary = deliver_items(
                items,
                strategies({"http": http, "console": console}),
                state,
                deadline=1010,
                clock=clock,
                workers=Inline(clock),
            )
            assert (summary.sent, summary.suppressed) == (sent, suppressed)
    assert [metric for metric, _ in [*http.asked, *console.asked]] == [METRIC, METRIC]
    (item, _) = no_data_items("no metrics in Redis", 0, 1700000000, rows)
    assert (item.alert.expiration, item.alert.message, item.alert.value) == (3600, "no metrics in Redis", 0)
    assert isinstance(item, Item)


# Building the alerters ------------------------------------------------------------------------------------------------------------


def test_strategies_are_built_where_they_are_used(capsys):
    http, console = CHANNELS["http"], CHANNELS["console"]
    configured = [
        ("ops", http, HttpSettings("http://127.0.0.1:1/", payload="skyline")),
        ("unused", http, HttpSettings("http://h/")),
        ("console", console, console.settings()),
    ]
    built = build_strategies(configured, ["ops", "console", "ops"])
    assert list(built) == ["ops", "console"]
    assert (built["ops"].groups, built["ops"].resolves) == ("never", False)
    assert (built["console"].groups, built["console"].resolves) == ("together", True)
    (item,) = match_rows([anomaly("a")], [AlertRow("", ("console",), 60)], 1)
    built["console"].alerter.send(Message.of(item.alert), 0)
    build_strategies(configured, ["console"], json=True)["console"].alerter.send(Message.of(item.alert), 0)
    captured = capsys.readouterr()
    assert (captured.out.count("ANOMALY a"), captured.err.count("ANOMALY a")) == (1, 1)


def test_strategies_that_cannot_be_built():
    broken = Channel("pigeon", "by pigeon", dict, lambda _: 1 / 0)
    with pytest.raises(InputError, match="no strategy 'pigeon' in the configuration; it has: none"):
        build_strategies([], ["pigeon"])
    with pytest.raises(InputError, match=r"\[alerters\.pigeon\] is not usable: ZeroDivisionError"):
        build_strategies([("pigeon", broken, None)], ["pigeon"])


# Anomalies and their files ----------------------------------------------------------------------------------------------------------

VERDICTS = pa.table(
    {
        "metric": ["b", "a", "c", "d"],
        "outcome": ["analysed", "analysed", "analysed", "stale"],
        "reason": pa.array([None] * 4, pa.string()),
        "anomalous": [True, True, False, None],
        "datapoint": [2.5, 1e300, 1.0, None],
        "timestamp": [20, 10, 30, None],
        "votes": pa.array([2, 1, 0, None], pa.int8()),
        "grubbs": [True, True, False, None],
        "grubbs_score": [2.0, 2.0, 0.0, None],
        "ks_test": [True, None, False, None],
        "failed": [[], ["ks_test"], [], []],
    }
)


def test_anomalies_are_taken_from_verdicts():
    expected = [
        Anomaly("b", 2.5, 20, 2, ("grubbs", "ks_test"), ("grubbs", "ks_test")),
        Anomaly("a", 1e300, 10, 1, ("grubbs",), ("grubbs",)),
    ]
    assert anomalies_of(VERDICTS) == expected
    assert anomalies_of(VERDICTS.to_batches()[0]) == expected
    assert anomalies_of(VERDICTS.slice(2)) == []


def read_jsonp(text):
    assert text.startswith("handle_data(")
    assert text.endswith(")")
    return json.loads(text.removeprefix("handle_data(").removesuffix(")"))


@pytest.mark.parametrize("found", [anomalies_of(VERDICTS), []], ids=["some", "none"])
def test_the_three_files_say_the_same(tmp_path, found):
    write_outputs(tmp_path, [anomaly("old")])
    write_outputs(tmp_path, found)
    table = pq.read_table(tmp_path / PARQUET)
    assert {field.name: str(field.type) for field in table.schema} == {
        "metric": "string",
        "value": "double",
        "timestamp": "int64",
        "votes": "int8",
        "algorithms": "list<element: string>",
        "first_seen": "int64",
        "ongoing": "bool",
        "negatives": "bool",
        "expected": "list<element: double>",
        "channels": "list<element: string>",
        "rule_score": "double",
    }
    assert table.to_pylist() == json.loads((tmp_path / JSON).read_text()) == listing(found)
    rows = read_jsonp((tmp_path / JSONP).read_text())
    assert rows == sorted(([a.value, a.metric, a.timestamp] for a in found), key=lambda row: row[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([PARQUET, JSON, JSONP])


@given(names=st.lists(st.text(st.characters(), max_size=30), max_size=8))
def test_the_dump_is_valid_json_for_any_name(names):
    text = jsonp([anomaly(name) for name in names])
    assert text.isascii()
    assert not set("<>&") & set(text)
    assert sorted(row[1] for row in read_jsonp(text)) == [
        row["metric"] for row in sorted(listing(map(anomaly, names)), key=lambda r: r["metric"])
    ]


def test_a_folder_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match="cannot write") as caught:
        write_outputs(tmp_path / "absent", [])
    assert caught.value.exit_code == 74
    assert os.listdir(tmp_path) == []  # noqa: PTH208
