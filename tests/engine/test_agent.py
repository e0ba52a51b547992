"""The agent: on time without drift, never twice at once, by the configuration in force, whatever a run does."""

import contextlib
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.runs import write_config

from ridgeline.engine.agent.health import Pulse, ailment, keep_pulse, pulse_path
from ridgeline.engine.agent.loop import Agent
from ridgeline.engine.agent.periods import Period
from ridgeline.engine.agent.watched import Watched
from ridgeline.engine.batch.summary import Summary
from ridgeline.engine.config.load import load_config
from ridgeline.engine.manage.lists import Change
from ridgeline.engine.manage.report import Report as Managed
from ridgeline.engine.report.summary import Report
from ridgeline.io.errors import InputError, SourceUnavailable

END = 1_700_000_000.0


@given(st.integers(1, 100), st.lists(st.integers(1, 4000), min_size=1, max_size=20))
def test_runs_begin_at_whole_periods_and_none_is_made_up_for(seconds, lengths):
    now, start = 1000.0, 1000.0
    period = Period(seconds, start)
    for length in lengths:
        began = max(period.due, now)
        now = began + length / 10
        before = period.due
        missed = period.done(now)
        assert (period.due - start) % seconds == 0
        assert period.due - before == (missed + 1) * seconds
        assert period.due > now or period.due == before + seconds, "the next is one that is yet to come"
        assert missed == 0 or period.due - seconds <= now


def test_another_period_counts_from_the_last_run():
    period = Period(60, 1000)
    period.done(1010)
    period.become(20, 1012)
    assert period.due == 1020
    period.become(5, 1019)
    assert period.due == 1019


class Guard:
    stopped = False


class Clockwork:
    """An agent on a clock of its own; each run takes `length` seconds, or does what `acts` say in turn."""

    def __init__(self, config, length=1.0, acts=(), rests=8):
        self.now, self.began, self.said, self.length, self.acts, self.rests = 0.0, [], [], length, list(acts), rests
        self.stopped, self.batches, self.backlog = False, [], 0.0
        watched = Watched(config, self.said.append)
        self.agent = Agent(
            watched, self.guard, self.said.append, once=self.once, batch=self.batch, clock=lambda: self.now, wall=lambda: END + self.now, rest=self.rest
        )  # fmt: skip

    @contextlib.contextmanager
    def guard(self, deadline):
        guard = Guard()
        guard.stopped = self.stopped
        self.deadline = deadline
        yield guard

    def once(self, request):
        self.began.append(self.now)
        self.now += self.length
        self.request = request
        act = self.acts.pop(0) if self.acts else None
        if isinstance(act, BaseException):
            raise act
        report = Report((), alerts={"sent": 2})
        report.problems = ["something is odd"] if act == "problem" else []
        return report

    def batch(self, request):
        self.batches.append((self.now, request.deadline))
        self.now += min(request.deadline, self.backlog)
        return Summary()

    def rest(self, seconds):
        self.rests -= 1
        if not self.rests:
            raise SystemExit(143)
        self.now += seconds

    def live(self):
        with pytest.raises(SystemExit) as stop:
            self.agent.live()
        return stop.value.code


@pytest.fixture
def config(tmp_path):
    return write_config(tmp_path, "redis://127.0.0.1:1/0", alerts=(), extra="[agent]\nrun_every = 60")


def test_it_runs_every_period_without_drift(config):
    work = Clockwork(config, length=7.3)
    assert work.live() == 143
    assert work.began == [0, 60, 120, 180, 240, 300, 360, 420]
    assert work.deadline == 30
    assert work.said[0] == "0 metrics, 0 anomalies, 2 alerts sent, 0.0 s, exit 0"


def test_batch_works_between_runs_and_delays_none(config):
    config.write_text(config.read_text() + 'batch_every = "90s"\n')
    work = Clockwork(config, length=7, rests=9)
    work.backlog = 1000.0
    work.live()
    assert work.began[:7] == [0, 60, 120, 180, 240, 300, 360]
    assert work.batches[:4] == [(7, 30), (90, 30), (187, 30), (270, 30)]


def test_batch_has_a_moment_however_long_runs_take(config):
    config.write_text(config.read_text() + 'batch_every = "60s"\n')
    work = Clockwork(config, length=58, rests=4)
    work.backlog = 1000.0
    work.live()
    assert work.batches[0] == (58, 5)
    assert work.began[:2] == [0, 63]


def test_a_run_that_takes_too_long_costs_others_their_turn_and_none_is_made_up_for(config):
    work = Clockwork(config, length=130, rests=4)
    work.live()
    assert work.began == [0, 180, 360, 540]
    assert "2 runs were left out" in work.said[1]


def test_what_a_run_does_ends_no_other(config):
    acts = [SourceUnavailable("Redis is gone"), ValueError("a bug"), "problem"]
    work = Clockwork(config, acts=acts, rests=4)
    work.agent.quiet = True
    assert work.live() == 143
    assert len(work.began) == 4
    assert work.said == ["Redis is gone", "this is a bug: ValueError: a bug", "something is odd"]


def test_a_run_that_had_to_be_stopped_is_told_of_and_a_signal_from_outside_is_heeded(config):
    work = Clockwork(config, acts=[SystemExit(143)], rests=2)
    work.stopped = True
    work.live()
    assert len(work.began) == 2
    assert work.said[0] == "a run did not end by its deadline and was stopped"
    outside = Clockwork(config, acts=[SystemExit(143)])
    assert outside.live() == 143
    assert len(outside.began) == 1


# The configuration ----------------------------------------------------------------------------------------------------


def test_a_changed_configuration_is_in_force_and_a_broken_one_is_not(config):
    said = []
    watched = Watched(config, said.append)
    first = watched.look()
    assert watched.look() is first
    config.write_text(config.read_text().replace("run_every = 60", "run_every = 30.5"))
    assert watched.look().agent.run_every == 30.5
    assert said == [f"{config} has changed and is in force"]
    good = config.read_text()
    config.write_text(good + "\n[nothing]\n")
    for _ in range(3):
        assert watched.look().agent.run_every == 30.5
    assert len(said) == 3, "told once"
    assert "there is no such key" in said[1]
    assert "stays in force" in said[2]
    config.unlink()
    assert watched.look().agent.run_every == 30.5
    config.write_text(good.replace("30.5", "10"))
    assert watched.look().agent.run_every == 10
    config.write_text("[source]\nkind = 5\n")
    with pytest.raises(InputError):
        Watched(config, said.append)


def test_a_new_period_is_heeded_at_once(config):
    work = Clockwork(config, rests=4)
    rest = work.rest

    def change(seconds):
        config.write_text(config.read_text().replace("run_every = 60", "run_every = 15"))
        rest(seconds)

    work.agent.rest = change
    work.live()
    assert work.began == [0, 60, 75, 90]


# Health ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pulse", "now", "said"),
    [
        (Pulse(os.getpid(), END, END + 1, 0), END + 60, ""),
        (Pulse(os.getpid(), END, END + 1, 66), END + 60, ""),
        (Pulse(os.getpid(), END), END + 20, ""),
        (Pulse(os.getpid(), END), END + 200, "ended 3 min 20 s ago, and one is due every 1 min"),
        (Pulse(os.getpid(), END, END + 1, 69), END + 60, "the agent's last run ended with 69"),
        (Pulse(2**22 + 1, END, END + 1, 0), END + 60, "is gone"),
        (None, END, "no agent keeps"),
    ],
)
def test_ailments_are_told(config, pulse, now, said):
    known = load_config(config)
    if pulse is not None:
        keep_pulse(known, pulse)
    found = ailment(known, now)
    assert (said in found) if said else not found


def test_a_damaged_pulse_is_an_ailment_and_an_unwritable_place_is_none(config, tmp_path):
    known = load_config(config)
    keep_pulse(known, Pulse(1, END))
    pulse_path(known).write_text("[]")
    assert "no agent keeps" in ailment(known, END)
    pulse_path(known).unlink()
    pulse_path(known).mkdir()
    keep_pulse(known, Pulse(1, END))
    (tmp_path / "file").touch()
    nowhere = replace(known, output=replace(known.output, directory=tmp_path / "file" / "out"))
    keep_pulse(nowhere, Pulse(1, END))
    assert "no agent keeps" in ailment(nowhere, END)


def test_lists_are_kept_at_their_own_pace_and_never_beside_a_run(tmp_path):
    config = write_config(
        tmp_path, "redis://127.0.0.1:1/0", alerts=(), extra="[agent]\nrun_every = 60\nmanage_every = 150"
    )
    work, managed = Clockwork(config, length=7.0), []

    def manage(request):
        managed.append(work.now)
        work.now += 3
        if len(managed) == 2:
            raise SourceUnavailable("Redis is gone")
        return Managed(5, {"a": Change(["x"])}, problems=["odd"])

    work.agent.manage = manage
    assert work.live() == 143
    assert work.began == [0, 60, 120, 180, 240, 300, 360]
    assert managed == [7, 150, 307]
    assert work.said.count("5 metrics, 1 list changed, 0.0 s") == 2
    assert work.said.count("Redis is gone") == 1
    assert work.said.count("odd") == 2
