"""Sending: lanes, breakers, the time an endpoint may cost, threads, real receivers, signals."""

import contextlib
import gc
import signal
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.delivery import START, Broken, Clock, Direct, Inline, Scripted, World, anomaly, counts
from rigs.http import Answer, http_server

from ridgeline.alerters import SENT, Outcome, load
from ridgeline.alerters.webhook import HttpSettings
from ridgeline.engine.alerts.breaker import LIFE, Breaker, decode_breaker, tripped
from ridgeline.engine.alerts.lane import Lane
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Threads
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.outbox import read_outbox
from ridgeline.io.state.recorder import Recorder

CHANNELS = load()
DOWN = Outcome("retry", "down")
SINGLE = [AlertRow("", ("http",), 600, group=False)]
BOTH = [AlertRow("", ("http", "console"), 600)]


# What an endpoint may cost -----------------------------------------------------------------------------------------------


def test_an_endpoint_that_refuses_costs_a_run_two_seconds():
    world = World(http=Scripted(DOWN))
    assert counts(world.run([f"{n}" for n in range(50)], SINGLE, seconds=3600)) == {"queued": 50}
    assert world.clock.now - START < 2
    gaps = [later - earlier for earlier, later in zip(world.http.times, world.http.times[1:], strict=False)]
    assert gaps == [0.5, 1.0]


def test_an_endpoint_that_hangs_costs_a_run_its_own_timeout():
    world = World(http=Scripted(Outcome("unknown", "silent"), timeout=10.0, takes=10.0))
    assert counts(world.run([f"{n}" for n in range(50)], SINGLE, seconds=3600)) == {"queued": 50}
    assert world.clock.now - START <= 10.0
    assert world.http.deadlines == [START + 10.0]


def test_an_endpoint_that_is_slow_costs_a_run_its_own_timeout():
    world = World(http=Scripted(takes=1.0, timeout=10.0))
    assert counts(world.run([f"{n}" for n in range(50)], SINGLE)) == {"sent": 10, "messages": 10, "queued": 40}
    assert world.clock.now - START == 10.0
    assert world.run((), SINGLE, after=60).sent == 10
    assert world.http.metrics == [f"{n}" for n in range(20)], "the oldest first"


def test_one_whose_breaker_is_open_costs_nothing_and_half_open_three_seconds():
    world = World(http=Scripted(Outcome("unknown", "silent"), timeout=10.0, takes=10.0))
    world.run(["a"])
    began = world.clock.now
    assert counts(world.run(["b"], after=5)) == {"queued": 2}
    assert world.clock.now == began + 5
    assert len(world.http.messages) == 1
    world.http.takes = 3.0
    began = world.clock.now + 60
    assert counts(world.run((), after=60)) == {"queued": 2}
    assert world.http.deadlines[-1] == began + 3.0
    assert world.clock.now - began <= 3.0


def test_an_endpoint_that_is_well_again_gets_all_that_waits_at_once():
    world = World(http=Scripted(DOWN))
    world.run(["a", "b", "c"], SINGLE)
    for _ in range(6):
        world.run((), SINGLE, after=400)
    assert min(entry["next"] for entry in world.waiting().values()) > world.clock.now + 400
    world.http.outcomes = [SENT]
    assert counts(world.run(["d"], SINGLE, after=310)) == {"sent": 4, "messages": 4}
    assert world.state.get("breaker.http") is None


def test_a_breaker_is_forgotten_after_a_while_so_that_a_slow_endpoint_gets_its_whole_timeout():
    world = World(http=Scripted(DOWN, timeout=10.0))
    world.run(["a"])
    world.http.outcomes = [lambda _: SENT if world.clock.now < world.http.deadlines[-1] - 4 else DOWN]
    minutes = 0
    while world.waiting():
        world.run([f"m.{minutes}"], after=60)
        minutes += 1
        assert minutes <= LIFE / 60 + 6, "its life, and one pause"
    assert minutes > 10


def test_one_alert_that_always_fails_holds_up_no_other():
    def outcome(message):
        return Outcome("retry", "500") if message.first.metric == "poison" else SENT

    world = World(http=Scripted(outcome))
    metrics = ["poison", *(f"{n}" for n in range(100))]
    assert counts(world.run(metrics, SINGLE)) == {"sent": 100, "messages": 100, "queued": 1}
    for _ in range(200):
        fresh = f"new.{world.clock.now}"
        assert world.run([fresh], SINGLE, after=20).sent == 1
    assert list(world.waiting()) == [("http", "poison")]


def test_a_receiver_that_comes_back_within_the_run_gets_everything():
    world = World(http=Scripted(DOWN, DOWN, SENT, concurrency=4))
    assert counts(world.run([f"{n}" for n in range(10)], SINGLE)) == {"sent": 10, "messages": 10}
    assert len(world.http.messages) == 12


def test_while_a_lane_fails_one_message_at_a_time_is_tried():
    strategy = Strategy("http", Scripted(concurrency=4))
    lane = Lane.begin(strategy, None, START, 0.0, 100.0)
    assert lane.free == 4
    lane.learn(DOWN, 0.0)
    assert lane.free == 1
    lane.learn(SENT, 1.0)
    assert lane.free == 4
    half_open = Lane.begin(strategy, Breaker(START - 1, 1, START - 31, "down"), START, 0.0, 100.0)
    assert (half_open.free, half_open.end, half_open.over) == (1, 3.0, False)
    half_open.learn(SENT, 1.0)
    assert (half_open.free, half_open.end) == (4, 10.0)
    assert Lane.begin(strategy, Breaker(START + 1, 1, START - 29, "down"), START, 0.0, 100.0).over


def test_a_receiver_that_is_down_is_tried_a_few_times_whatever_waits():
    world = World(http=Scripted(DOWN, concurrency=4))
    summary = world.run([f"{n}" for n in range(1000)], SINGLE)
    assert counts(summary) == {"queued": 1000}
    assert len(world.http.messages) <= 6
    assert summary.problems() == ["http: 1,000 alerts not sent yet and kept for later runs: down"]


@pytest.mark.parametrize(("retry_after", "second"), [(7.0, 7.0), (0.0, 0.5), (0.1, 0.5)])
def test_retry_after_that_fits_is_waited_for(retry_after, second):
    world = World(http=Scripted(Outcome("retry", "later", retry_after), SENT))
    assert world.run(["a"]).sent == 1
    assert world.http.times == [START, START + second]


def test_retry_after_that_does_not_fit_costs_no_time():
    world = World(http=Scripted(Outcome("retry", "later", 11.0)), console=Scripted())
    assert counts(world.run(["a", "b"], BOTH)) == {"sent": 2, "messages": 1, "queued": 2}
    assert world.clock.now == START
    assert len(world.http.messages) == 1


def test_after_the_deadline_nothing_is_tried_and_nothing_lost():
    world = World()
    summary = world.run(["a"], seconds=0)
    assert world.http.messages == []
    assert summary.problems() == [
        "http: 1 alert not sent yet and kept for later runs: there was no time left to send it"
    ]
    assert world.run().sent == 1


# Breakers ------------------------------------------------------------------------------------------------------------------


def test_a_breaker_stays_open_longer_each_time_and_by_chance_a_little_less():
    breaker, pauses = None, []
    for _ in range(8):
        breaker = tripped(breaker, START, "down", 0.0, lambda: 1.0)
        pauses.append(breaker.until - START)
    assert pauses == [30, 60, 120, 240, 300, 300, 300, 300]
    assert tripped(None, START, "down", 0.0, lambda: 0.0).until == START + 15
    assert tripped(None, START, "down", 90.0, lambda: 0.0).until == START + 90
    assert tripped(None, START, "down", 1e9, lambda: 0.0).until == START + 3600


@pytest.mark.parametrize(
    "value", [None, 5, {}, {"until": "x", "failures": 1, "opened": 0, "reason": ""}, {"until": 9e9, "failures": 1, "opened": 0, "reason": ""},
     {"until": START - 1, "failures": 1, "opened": START - LIFE, "reason": ""}]
)  # fmt: skip
def test_a_damaged_breaker_is_closed(value):
    assert decode_breaker(value, START) is None


def test_a_breaker_is_kept_in_state():
    world = World(http=Scripted(DOWN))
    world.run(["a"])
    kept = decode_breaker(world.state.get("breaker.http"), world.clock.now)
    assert kept == Breaker(START + 30, 1, START, "down")


# Every alert has one fate -----------------------------------------------------------------------------------------------------


@given(
    script=st.lists(
        st.sampled_from([SENT, DOWN, Outcome("retry", "r", 3.0), Outcome("unknown", "u"), Outcome("rejected", "x")])
    ),
    metrics=st.integers(0, 12),
    told=st.sets(st.integers(0, 11)),
    concurrency=st.integers(1, 5),
    takes=st.sampled_from([0.0, 0.7, 4.0]),
    timeout=st.sampled_from([1.0, 10.0]),
    seconds=st.sampled_from([0.0, 1.0, 30.0]),
    group=st.booleans(),
)
def test_every_alert_has_exactly_one_fate(script, metrics, told, concurrency, takes, timeout, seconds, group):
    world = World(http=Scripted(*script, concurrency=concurrency, takes=takes, timeout=timeout))
    world.state.record_alerts([("http", f"{n}", 1, 600) for n in told])
    summary = world.run([f"{n}" for n in range(metrics)], [AlertRow("", ("http",), 600, group=group)], seconds=seconds)
    assert summary.sent + summary.suppressed + summary.failed + summary.queued == metrics
    assert summary.suppressed == len([n for n in told if n < metrics])
    assert summary.queued == len(world.waiting())
    assert summary.sent == sum("last_alert" in key for what, key, *_ in world.log if what == "SetText")
    assert world.clock.now <= START + min(seconds, timeout) + takes * concurrency + 1.0


# Threads and real receivers ------------------------------------------------------------------------------------------------------


def webhook(url, **settings):
    return CHANNELS["http"].build(HttpSettings(url, **settings))


def delivered(metrics, rows, alerters, state, seconds=30.0, **options):
    """One delivery with real clocks and threads."""
    plan = Plan(rows, {name: Strategy(name, alerter) for name, alerter in alerters.items()})
    recorder = options.pop("recorder", None) or Direct(state)
    times = Times(time.monotonic() + seconds)
    return deliver([anomaly(metric) for metric in metrics], plan, Store(state, recorder), times, **options)


def test_a_hanging_receiver_holds_up_neither_the_others_nor_the_run(capsys):
    state = MemoryState(time.time)
    with http_server(Answer(silent=True)) as server:
        console = CHANNELS["console"].build(CHANNELS["console"].settings())
        alerters = {"http": webhook(server.url, timeout=0.5), "console": console}
        started = time.monotonic()
        rows = [AlertRow("", ("http", "console"), 60, group=False)]
        summary = delivered(map(str, range(50)), rows, alerters, state)
        assert time.monotonic() - started < 20
    assert (summary.sent, summary.queued) == (50, 50)
    assert {strategy for strategy, _ in read_outbox(state)} == {"http"}
    assert len(capsys.readouterr().out.splitlines()) == 50


def test_an_alerter_that_ignores_its_deadline_is_left_behind():
    class Stuck(Scripted):
        def send(self, message, deadline):
            time.sleep(30)
            return SENT

    started = time.monotonic()
    summary = delivered(["a"], SINGLE, {"http": Stuck(timeout=0.2)}, MemoryState(time.time))
    assert time.monotonic() - started < 20
    assert counts(summary) == {"queued": 1}
    assert "did not end in time" in summary.problems()[0]


def test_an_alerter_with_a_bug_silences_no_other():
    def bug(_message):
        raise ZeroDivisionError("SENTINEL")

    summary = delivered(["a"], BOTH, {"http": Scripted(bug), "console": Scripted()}, MemoryState(time.time))
    assert (summary.sent, summary.failed) == (2, 1), "the alert, and the notice that the other was lost"
    assert "ZeroDivisionError" in summary.problems()[0]
    assert "SENTINEL" not in summary.problems()[0]


def test_a_storm_arrives_whole(tmp_path):
    metrics = [f"m.{n}" for n in range(1000)]
    with http_server() as server, contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        recorder = Recorder(SqliteState(tmp_path / "s.db"))
        alerters = {"http": webhook(server.url, timeout=60)}
        summary = delivered(metrics, SINGLE, alerters, state, 60, recorder=recorder)
        assert counts(summary) == {"sent": 1000, "messages": 1000}
        again = delivered(metrics, SINGLE, alerters, state, 60, recorder=recorder)
        assert counts(again) == {"suppressed": 1000}
        recorder.close(5)
        assert read_outbox(state) == {}
    assert sorted(request.json["alerts"][0]["metric"] for request in server.requests) == sorted(metrics)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_of_garbage_rests_while_alerts_are_sent_and_is_as_before_after(enabled):
    seen = []
    world = World(http=Scripted(lambda _: seen.append(gc.isenabled()) or SENT))
    try:
        (gc.enable if enabled else gc.disable)()
        world.run(["a"])
        assert (seen, gc.isenabled()) == ([False], enabled)
        world.state = None
        with pytest.raises(AttributeError):
            world.run(["a"])
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_a_receiver_that_recovers_gets_each_alert_once():
    answers = [Answer(503), Answer(429, {"Retry-After": "1"}), Answer()]
    state = MemoryState(time.time)
    with http_server(*answers) as server:
        summary = delivered(map(str, range(5)), SINGLE, {"http": webhook(server.url, concurrency=1)}, state)
    assert counts(summary) == {"sent": 5, "messages": 5}
    assert len(server.requests) == 7


def test_threads_end_when_they_are_told():
    before = set(threading.enumerate())
    delivered(["a"], SINGLE, {"http": Scripted()}, MemoryState(time.time), workers=Threads())
    until = time.monotonic() + 120
    while set(threading.enumerate()) - before:
        assert time.monotonic() < until
        time.sleep(0.01)


class Slow(MemoryState):
    """State that takes its time for every write."""

    def apply(self, batch):
        self.writes = getattr(self, "writes", 0) + 1
        time.sleep(0.1)
        super().apply(batch)


def test_a_slow_state_store_holds_up_no_healthy_receiver():
    state = Slow(time.time)
    recorder = Recorder(state)
    with http_server() as server:
        alerters = {"http": webhook(server.url, timeout=60)}
        summary = delivered([f"{n}" for n in range(500)], SINGLE, alerters, state, 60, recorder=recorder)
    recorder.close(30)
    assert counts(summary) == {"sent": 500, "messages": 500}
    assert state.writes < 250, "what waits to be recorded is recorded together"
    assert recorder.failures == 0
    assert None not in state.last_alerts([("http", f"{n}") for n in range(500)])


def test_state_that_is_gone_costs_the_receivers_nothing():
    clock = Clock(time.time())
    with http_server() as server:
        summary = delivered(["a", "b"], BOTH[:1], {"http": webhook(server.url), "console": Scripted()}, Broken(clock))
        assert summary.sent == 4
        assert len(server.requests) == 1


# Signals and death ------------------------------------------------------------------------------------------------------------------

RUN = """
import sys, time
from pathlib import Path
from ridgeline.alerters import load
from ridgeline.alerters.webhook import HttpSettings
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.strategy import build_strategies
from ridgeline.engine.cli.main import exit_on_signals
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.recorder import Recorder

url, path, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
strategies = build_strategies([("http", load()["http"], HttpSettings(url, timeout=60))], ["http"])
plan = Plan([AlertRow("", ("http",), 600, group=False)], strategies)
anomalies = [Anomaly(f"m.{n}", 1.0, 1700000000, 6, ()) for n in range(count)]
recorder = Recorder(SqliteState(path))
try:
    with exit_on_signals():
        print("ready", flush=True)
        deliver(anomalies, plan, Store(SqliteState(path), recorder), Times(time.monotonic() + 60))
finally:
    recorder.close(20)
"""


def interrupted(tmp_path, answer, when, number, *, alerts=500, begun=False):
    """Deliver in a process of its own, send it a signal, and return (exit code, seconds to end, names that arrived)."""
    with http_server(answer) as server:
        command = [sys.executable, "-c", RUN, server.url, tmp_path / "s.db", str(alerts)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout.readline() == b"ready\n"
            while begun and not server.requests:  # `when` counts from the first alert, not from the start
                time.sleep(0.005)
            time.sleep(when)
            process.send_signal(number)
            started = time.monotonic()
            code = process.wait(120)
            took = time.monotonic() - started
        time.sleep(0.1)
        return code, took, [request.json["alerts"][0]["metric"] for request in server.requests]


def next_run(tmp_path, alerts=500, *, lasting=False):
    """The names that the next run sends, over anomalies that have ended or last."""
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state, http_server() as server:
        metrics = [f"m.{n}" for n in range(alerts)] if lasting else []
        recorder = Recorder(SqliteState(tmp_path / "s.db"))
        summary = delivered(metrics, SINGLE, {"http": webhook(server.url, timeout=30)}, state, recorder=recorder)
        recorder.close(5)
        assert summary.complete
        assert read_outbox(state) == {}
        return [request.json["alerts"][0]["metric"] for request in server.requests]


@pytest.mark.parametrize(
    ("number", "delay", "when", "alerts"),
    [
        (signal.SIGTERM, 0.4, 0.7, 200),
        (signal.SIGTERM, 0.0, 0.0, 1000),
        pytest.param(signal.SIGTERM, 0.0, 0.2, 1000, marks=pytest.mark.long),
        pytest.param(signal.SIGTERM, 0.01, 0.2, 1000, marks=pytest.mark.long),
        (signal.SIGINT, 0.01, 0.2, 1000),
        pytest.param(signal.SIGINT, 0.4, 0.7, 1000, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, 0.01, 0.2, 1000, marks=pytest.mark.long),
        (signal.SIGHUP, 0.4, 0.7, 200),
    ],
)
def test_a_run_told_to_stop_records_what_is_in_flight_and_the_next_sends_the_rest(
    tmp_path, number, delay, when, alerts
):
    code, took, arrived = interrupted(tmp_path, Answer(delay=delay), when, number, alerts=alerts, begun=True)
    assert code != 0
    assert took < 30
    assert arrived
    assert len(set(arrived)) == len(arrived)
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        assert None not in state.last_alerts([("http", metric) for metric in arrived])
    after = next_run(tmp_path, alerts)
    assert sorted([*arrived, *after]) == sorted(f"m.{n}" for n in range(alerts)), "once each, though all is over"


def test_a_signal_abandons_a_receiver_that_hangs_and_keeps_its_alerts(tmp_path):
    code, took, _ = interrupted(tmp_path, Answer(silent=True), 0.5, signal.SIGTERM)
    assert code != 0
    assert took < 30
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        assert len(read_outbox(state)) == 500


def killed_and_followed_up(tmp_path, when):
    """kill -9 amid sending: no alert is lost though its anomaly is over, and what comes twice is what was not recorded yet.

    How much that is depends on how fast the machine writes; that it is that and nothing else does not.
    """
    names = [f"m.{n}" for n in range(150)]
    _, _, arrived = interrupted(tmp_path, Answer(delay=0.002), when, signal.SIGKILL, alerts=150, begun=True)
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as state:
        last = state.last_alerts([("http", name) for name in names])
    recorded = {name for name, at in zip(names, last, strict=True) if at is not None}
    assert recorded <= set(arrived), "nothing is recorded before it has arrived"
    after = next_run(tmp_path, 150)
    assert sorted(after) == sorted(set(names) - recorded), "and nothing of that comes again"
    assert len(arrived) == len(set(arrived))


@pytest.mark.parametrize("when", [0.0, 0.025, 0.1, 0.175])
def test_kill_loses_no_alert(tmp_path, when):
    killed_and_followed_up(tmp_path, when)


@pytest.mark.long
@pytest.mark.parametrize("when", [n / 700 for n in range(200)])
def test_kill_loses_no_alert_for_long(tmp_path, when):
    killed_and_followed_up(tmp_path, when)


def test_outcomes_are_recorded_before_they_are_forgotten():
    """A signal that strikes while an outcome is being recorded meets it again when the run lands."""
    world = World()
    real = Direct(world.state)

    class Struck(Direct):
        struck = False

        def put(self, batch):
            recording = any("last_alert" in getattr(change, "key", "") for change in batch.changes)
            if recording and not self.struck:
                type(self).struck = True
                raise SystemExit(143)
            real.put(batch)

    with pytest.raises(SystemExit):
        world.run(["a"], records=Struck(world.state), workers=Inline(world.clock))
    assert world.state.last_alerts([("http", "a")]) == [int(START)]
    assert world.waiting() == {}
