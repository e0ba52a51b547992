"""What delivery promises, over any history of firings, mutes, crashes and broken endpoints.

Every firing is delivered within its window, or still in the outbox, or was given up and others were told. Never more than
once per window plus crashes plus sends of unknown outcome. A group is recorded whole or not at all.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from rigs.delivery import Clock, Direct, Scripted, World

from ridgeline.alerters import SENT, Outcome
from ridgeline.engine.alerts.breaker import decode_breaker
from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.lately_table import read_lately
from ridgeline.engine.alerts.notices import UNDELIVERED
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.silence import Silence, begin_silence, end_silence, read_silences
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.rules.matching import matches
from ridgeline.io.state.in_sqlite import SqliteState

METRICS = ["web.a", "web.b", "web.c", "db.a", "db.b"]
EXPIRATION = 600
# Thousands of commits: in memory where that can be had, since no test here cuts the power.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
ROWS = [AlertRow("web", ("http",), EXPIRATION), AlertRow("db", ("http",), EXPIRATION, group=False)]
DELIVERY = Delivery(retry_for=1200, max_attempts=6, group_above=2)


class CrashError(BaseException):
    """The process dies here."""


class Mortal(Direct):
    """Records of a process that dies before it writes for the nth time, and writes nothing afterwards."""

    def __init__(self, state, dies_at):
        super().__init__(state)
        self.left = dies_at

    def put(self, batch):
        if self.left == 0:
            raise CrashError
        self.left -= 1
        super().put(batch)


class Endpoint(Scripted):
    """A receiver that is up, down, refuses, or breaks off with or without having taken the message in."""

    def __init__(self):
        super().__init__(self.answer)
        self.mode, self.arrived = "up", []  # (when, metric), message by message

    def answer(self, message):
        if self.mode in {"up", "breaks off after"}:
            self.arrived.append((self.clock.now, tuple(alert.metric for alert in message.alerts)))
        return {
            "up": SENT,
            "down": Outcome("retry", "down"),
            "refuses": Outcome("rejected", "no"),
            "breaks off before": Outcome("unknown", "broke off"),
            "breaks off after": Outcome("unknown", "broke off"),
        }[self.mode]


class Delivering(RuleBasedStateMachine):
    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.clock = Clock()
        self.endpoint, self.others = Endpoint(), Scripted()
        self.excuses = []  # when something may have been sent that is not recorded
        self.open_state()

    def open_state(self):
        """State as a new process finds it."""
        self.state = SqliteState(self.folder / "s.db", self.clock)
        self.world = World(self.state, self.clock, http=self.endpoint, console=self.others)

    def teardown(self):
        self.state.close()
        shutil.rmtree(self.folder)

    @rule(until=st.sampled_from([60, 300, 5000]), match=st.sampled_from(["web", "db.a"]))
    def mute(self, until, match):
        begin_silence(self.state, Silence(match, self.clock.now + until, "http"), self.clock.now)

    @rule(match=st.sampled_from(["web", "db.a"]))
    def unmute(self, match):
        end_silence(self.state, match, self.clock.now)

    @rule(pause=st.sampled_from([1, 60, 60, 60, EXPIRATION, 2 * EXPIRATION]))
    def tick(self, pause):
        self.clock.now += pause

    @rule(
        firing=st.sets(st.sampled_from(METRICS)),
        mode=st.sampled_from(["up", "up", "up", "down", "refuses", "breaks off before", "breaks off after"]),
        dies_at=st.none() | st.integers(0, 6),
        pause=st.sampled_from([60, 60, 60, EXPIRATION]),
    )
    def run(self, firing, mode, dies_at, pause):
        self.clock.now += pause
        self.endpoint.mode = mode
        began, sent = self.clock.now, len(self.endpoint.arrived)
        waited = {pair for pair in self.world.waiting() if pair[0] == "http"}
        records = Mortal(self.state, 10**9 if dies_at is None else dies_at)
        summary = None
        try:
            summary = self.world.run(sorted(firing), ROWS, records=records, delivery=DELIVERY)
        except CrashError:
            self.state.close()
            self.open_state()
        if summary is None or mode.startswith("breaks off"):
            self.excuses.append(began)
        messages = self.endpoint.arrived[sent:]
        arrived = {metric for _, metrics in messages for metric in metrics}
        waits = {metric for strategy, metric in self.world.waiting() if strategy == "http"}
        self.a_group_is_recorded_whole_or_not_at_all(messages)
        for _, metric in waited:
            assert metric in arrived | waits or self.others_know(), f"{metric} waited and is gone"
        for metric in arrived:
            kept = metric in waits or self.recorded(metric) or self.others_know()
            assert kept, f"{metric} was sent and is forgotten"
        if summary is None:
            return
        for metric in firing - self.muted():
            delivered = any(at > began - EXPIRATION for at, metrics in self.endpoint.arrived if metric in metrics)
            assert delivered or metric in waits or self.others_know(), f"{metric} fired and is lost"
        assert summary.queued + summary.muted >= len(waits)

    def others_know(self):
        """Whether others were told within the hour that alerts were given up, or will be."""
        notice = ("console", f"{UNDELIVERED}.http")
        return self.state.last_alerts([notice]) != [None] or notice in self.world.waiting()

    def muted(self):
        silences = read_silences(self.state, self.clock.now - 30)
        return {metric for metric in METRICS for one in silences if matches(one.match, metric)}

    def recorded(self, metric):
        return self.state.last_alerts([("http", metric)]) != [None]

    def a_group_is_recorded_whole_or_not_at_all(self, messages):
        for _, metrics in messages[-1:]:  # earlier ones may have been recorded by runs before
            waits = {("http", metric) in self.world.waiting() for metric in metrics if not self.given_up(metric)}
            assert len(waits) <= 1, f"{metrics} recorded in part"

    def given_up(self, metric):
        """Whether it waited too long and others know: a group may end for one of its members only."""
        return ("http", metric) not in self.world.waiting() and not self.recorded(metric) and self.others_know()

    @invariant()
    def no_more_than_once_and_the_excuses(self):
        for metric in METRICS:
            times = [at for at, metrics in self.endpoint.arrived if metric in metrics]
            for first in times:
                window = [at for at in times if first <= at < first + EXPIRATION]
                # A run may send up to three times what breaks off.
                excused = sum(3 for at in self.excuses if first - 60 <= at < first + EXPIRATION)
                assert len(window) <= 1 + excused, f"{metric} came {len(window)} times"


class Renewing(RuleBasedStateMachine):
    """A channel whose alerts end by themselves is told of all that lasts and was told, and nothing of that is kept."""

    @initialize()
    def start(self):
        self.endpoint = Endpoint()
        self.world = World(am=self.endpoint)
        self.clock = self.endpoint.clock = self.world.clock
        self.knowing = {"am": Strategy("am", self.endpoint, "never", resolves=True, renews=True)}

    @rule(until=st.sampled_from([60, 300]), match=st.sampled_from(["web", "db.a"]))
    def mute(self, until, match):
        begin_silence(self.world.state, Silence(match, self.clock.now + until), self.clock.now)

    @rule(
        firing=st.sets(st.sampled_from(METRICS)),
        judged=st.sets(st.sampled_from(METRICS)),
        mode=st.sampled_from(["up", "up", "up", "down", "refuses", "breaks off after"]),
        pause=st.sampled_from([10, 60, 60, EXPIRATION]),
    )
    def run(self, firing, judged, mode, pause):
        self.endpoint.mode = mode
        self.clock.now += pause
        world, state, now, rows = self.world, self.world.state, self.clock.now, [AlertRow("", ("am",), EXPIRATION)]
        before, waited = read_lately(state), set(world.waiting())
        quiet = {name for name in METRICS for one in read_silences(state, now) if matches(one.match, name)}
        last = dict(zip(METRICS, state.last_alerts([("am", name) for name in METRICS]), strict=True))
        breaker = decode_breaker(state.get("breaker.am"), now)
        sent = len(self.endpoint.messages)
        normal = sorted(judged - firing)
        world.judged(sorted(firing), normal, rows=rows, strategies=self.knowing, delivery=DELIVERY)
        messages = [message for message in self.endpoint.messages[sent:] if message.status == "firing"]
        lasting = {
            name for name in firing
            if last[name] is not None and before[name].ongoing() and "am" in before[name].incident.alerted
        }  # fmt: skip
        renewed = [name for message in messages for name in names_in(message) if name in lasting]
        assert len(set(renewed)) == len(renewed)
        assert not quiet & set(renewed)
        if breaker is not None and breaker.open_at(now):
            assert not messages
        elif mode == "up":
            assert set(renewed) == lasting - quiet - {name for _, name in waited}
        for name in lasting - {name for _, name in waited}:
            assert ("am", name) not in world.waiting()
            assert state.last_alerts([("am", name)]) in ([last[name]], [None]), "a renewal is never recorded"


class Pager(Endpoint):
    """A receiver that holds incidents open, by key, until it is told that they are over."""

    def __init__(self):
        super().__init__()
        self.open = set()

    def send(self, message, deadline):
        outcome = super().send(message, deadline)
        if self.mode in {"up", "breaks off after"}:
            (self.open.discard if message.resolved else self.open.add)(message.dedup_key)
        return outcome


class Closing(RuleBasedStateMachine):
    """Whatever happened, after a while in which all is normal and everything works, no receiver holds anything open."""

    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.clock, self.pager = Clock(), Pager()
        self.open_state()

    def open_state(self):
        self.state = SqliteState(self.folder / "s.db", self.clock)
        self.world = World(self.state, self.clock, pd=self.pager)

    def teardown(self):
        self.state.close()
        shutil.rmtree(self.folder)

    def judge(self, firing, judged, dies_at=None):
        rows = [AlertRow("web", ("pd",), EXPIRATION), AlertRow("db", ("pd",), EXPIRATION)]
        knowing = {"pd": Strategy("pd", self.pager, "one by one", resolves=True)}
        records = Mortal(self.state, 10**9 if dies_at is None else dies_at)
        try:
            self.world.judged(
                sorted(firing),
                sorted(judged - firing),
                rows=rows,
                strategies=knowing,
                delivery=DELIVERY,
                records=records,
            )
        except CrashError:
            self.state.close()
            self.open_state()

    @rule(
        firing=st.sets(st.sampled_from(METRICS)),
        judged=st.sets(st.sampled_from(METRICS)),
        mode=st.sampled_from(["up", "up", "down", "breaks off before", "breaks off after"]),
        dies_at=st.none() | st.integers(0, 4),
        pause=st.sampled_from([60, 60, 60, EXPIRATION]),
    )
    def run(self, firing, judged, mode, dies_at, pause):
        self.clock.now += pause
        self.pager.mode = mode
        self.judge(firing, judged, dies_at)

    @rule()
    def calm(self):
        self.pager.mode = "up"
        for _ in range(8):
            self.clock.now += 400
            self.judge(set(), set(METRICS))
        assert not self.pager.open
        assert not self.world.waiting()


def test_what_is_opened_is_closed():
    run_state_machine_as_test(Closing, settings=settings(max_examples=15, stateful_step_count=15, deadline=None))


def test_what_may_be_open_by_itself_is_closed_although_it_was_sent_again_in_company():
    world = Closing()
    world.start()
    try:
        world.run(firing={"web.a", "web.c"}, judged=set(), mode="up", dies_at=1, pause=60)
        world.run(firing=set(), judged=set(), mode="down", dies_at=None, pause=60)
        world.run(firing=set(), judged=set(), mode="up", dies_at=0, pause=60)  # it arrives, and nobody knows
        assert len(world.pager.open) == 1
        world.run(firing=set(), judged={"web.a"}, mode="down", dies_at=None, pause=60)
        world.run(firing={"web.b"}, judged={"web.a"}, mode="up", dies_at=2, pause=60)
        world.calm()
    finally:
        world.teardown()


def test_what_fires_again_in_company_before_its_end_was_told_is_closed():
    world = Closing()
    world.start()
    try:
        world.run(firing={"web.a"}, judged=set(), mode="up", dies_at=None, pause=60)
        for mode in ("up", "up", "down"):
            world.run(firing=set(), judged={"web.a"}, mode=mode, dies_at=None, pause=60)
        assert len(world.pager.open) == 1
        world.run(firing={"web.a"}, judged=set(), mode="up", dies_at=0, pause=60)
        world.run(firing={"web.a", "web.b", "web.c"}, judged=set(), mode="up", dies_at=None, pause=60)
        world.calm()
    finally:
        world.teardown()


@pytest.mark.long
def test_what_is_opened_is_closed_for_long():
    run_state_machine_as_test(Closing, settings=settings(max_examples=2000, stateful_step_count=40, deadline=None))


def names_in(message):
    return [alert.metric for alert in message.alerts]


def test_what_lasts_is_renewed():
    run_state_machine_as_test(Renewing, settings=settings(max_examples=12, stateful_step_count=20, deadline=None))


@pytest.mark.long
def test_what_lasts_is_renewed_for_long():
    run_state_machine_as_test(Renewing, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))


def test_every_firing_is_delivered_waits_or_is_told():
    run_state_machine_as_test(Delivering, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))


@pytest.mark.long
def test_every_firing_is_delivered_waits_or_is_told_for_long():
    run_state_machine_as_test(Delivering, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))
