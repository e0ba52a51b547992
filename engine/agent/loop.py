"""The agent: one piece of work after the other, each when it is due, for as long as the process lives."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from ridgeline.engine.agent.health import Pulse, keep_pulse
from ridgeline.engine.agent.periods import Period
from ridgeline.engine.agent.watched import Watched
from ridgeline.engine.batch.once import batch_once
from ridgeline.engine.batch.summary import Summary
from ridgeline.engine.batch.turn import Request as Batching
from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.once import Request as Managing
from ridgeline.engine.manage.once import manage_once
from ridgeline.engine.manage.report import Report as Managed
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import PARTIAL, Request
from ridgeline.io.errors import RidgelineError
from ridgeline.io.text import escape, redact

BUG: Final = 1
WORK: Final = {"run_every": "runs", "batch_every": "passes of batch", "manage_every": "passes of manage"}
LEAST: Final = 5.0  # seconds for a pass of batch, however soon the next run is due
T = TypeVar("T", bound="Told")


class Guard(Protocol):
    """What bounds a piece of work; `stopped` says afterwards that it had to be told to end."""

    stopped: bool


class Told(Protocol):
    """What any kind of work reports."""

    problems: list[str]
    exit: int


@dataclass(slots=True)
class Agent:
    """Works by the configuration that is in force when each piece of work begins; no two at once.

    guard   bounds one piece of so many seconds, whatever hangs in it
    say     is told a sentence for people; `quiet` keeps back those about what goes well
    rest    waits for so many seconds
    """

    watched: Watched
    guard: Callable[[float], AbstractContextManager[Guard]]
    say: Callable[[str], None]
    quiet: bool = False
    once: Callable[[Request], Report] = run_once
    batch: Callable[[Batching], Summary] = batch_once
    manage: Callable[[Managing], Managed] = manage_once
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    rest: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def live(self) -> None:
        """Go on until the process is told to end: SystemExit, KeyboardInterrupt."""
        periods: dict[str, Period] = {}
        duties: dict[str, Callable[[Config], None]] = {
            "run_every": self._run,
            "batch_every": lambda config: self._batch(config, periods["run_every"].due - self.clock()),
            "manage_every": self._manage,
        }
        while True:
            config = self.watched.look()
            self._keep_time(periods, {key: getattr(config.agent, key) for key in duties})
            key, period = min(periods.items(), key=lambda one: one[1].due)  # of what is due at once, runs come first
            wait = period.due - self.clock()
            if wait > 0:
                self.rest(wait)
                continue  # the configuration may have changed meanwhile
            duties[key](config)
            missed = period.done(self.clock())
            if missed:
                self.say(f"{missed} {WORK[key]} were left out: the last took longer than `[agent] {key}`")

    def _keep_time(self, periods: dict[str, Period], asked: Mapping[str, float | None]) -> None:
        """Let there be a period for whatever is asked for, and for nothing else."""
        for key, seconds in asked.items():
            if seconds is None:
                periods.pop(key, None)
            elif key in periods:
                periods[key].become(seconds, self.clock())
            else:
                periods[key] = Period(seconds, self.clock())

    def _run(self, config: Config) -> None:
        began = self.wall()
        keep_pulse(config, Pulse(os.getpid(), began))
        request = Request(config, archive=config.archive.directory is not None)
        code = self._guarded(config, lambda: self.once(request), summed_up, "run")
        keep_pulse(config, Pulse(os.getpid(), began, self.wall(), code))

    def _batch(self, config: Config, left: float) -> None:
        """Work off what is due for batch while no run is: so many seconds are `left` until then."""
        request = Batching(config, deadline=max(min(left, config.run.deadline), LEAST))
        self._guarded(config, lambda: self.batch(request), Summary.as_text, "pass of batch")

    def _manage(self, config: Config) -> None:
        self._guarded(config, lambda: self.manage(Managing(config)), Managed.as_line, "pass of manage")

    def _guarded(self, config: Config, work: Callable[[], T], line: Callable[[T], str], what: str) -> int:
        """The exit code of one piece of work; what goes wrong in it ends no other."""
        guard: Guard | None = None
        try:
            with self.guard(config.run.deadline) as guard:
                report = work()
        except RidgelineError as error:
            self.say(str(error))
            return error.exit_code
        except SystemExit:
            if guard is None or not guard.stopped:
                raise
            self.say(f"a {what} did not end by its deadline and was stopped")
            return PARTIAL
        except Exception as error:  # noqa: BLE001 - a bug costs one run; the next may do better
            self.say(f"this is a bug: {type(error).__name__}: {redact(error)}")
            return BUG
        for problem in report.problems:
            self.say(problem)
        if not self.quiet:
            self.say(line(report))
        return report.exit


def summed_up(report: Report) -> str:
    """A run in one line."""
    sent = 0 if report.alerts is None else report.alerts["sent"]
    return escape(
        f"{report.metrics:,} metrics, {len(report.anomalies):,} anomalies, {sent:,} alerts sent, "
        f"{report.seconds['total']:.1f} s, exit {report.exit}"
    )
