"""The agent: one run after the other, each when it is due, for as long as the process lives."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from ridgeline.engine.agent.health import Pulse, keep_pulse
from ridgeline.engine.agent.periods import Period
from ridgeline.engine.agent.watched import Watched
from ridgeline.engine.config.model import Config
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import PARTIAL, Request
from ridgeline.io.errors import RidgelineError
from ridgeline.io.text import escape, redact

BUG = 1


class Guard(Protocol):
    """What bounds a run; `stopped` says afterwards that it had to be told to end."""

    stopped: bool


@dataclass(slots=True)
class Agent:
    """Runs by the configuration that is in force when each of them begins.

    guard   bounds one run of so many seconds, whatever hangs in it
    say     is told a sentence for people; `quiet` keeps back those about what goes well
    rest    waits for so many seconds
    """

    watched: Watched
    guard: Callable[[float], AbstractContextManager[Guard]]
    say: Callable[[str], None]
    quiet: bool = False
    once: Callable[[Request], Report] = run_once
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    rest: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def live(self) -> None:
        """Go on until the process is told to end: SystemExit, KeyboardInterrupt."""
        period = Period(self.watched.current.agent.run_every, self.clock())
        while True:
            config = self.watched.look()
            period.become(config.agent.run_every, self.clock())
            wait = period.due - self.clock()
            if wait > 0:
                self.rest(wait)
                continue  # the configuration may have changed meanwhile
            self._run(config)
            missed = period.done(self.clock())
            if missed:
                self.say(f"{missed} runs were left out: the last took longer than `[agent] run_every`")

    def _run(self, config: Config) -> None:
        began = self.wall()
        keep_pulse(config, Pulse(os.getpid(), began))
        code = self._guarded(config)
        keep_pulse(config, Pulse(os.getpid(), began, self.wall(), code))

    def _guarded(self, config: Config) -> int:
        """The exit code of one run; what goes wrong in it ends no other."""
        guard: Guard | None = None
        try:
            with self.guard(config.run.deadline) as guard:
                report = self.once(Request(config, archive=config.archive.directory is not None))
        except RidgelineError as error:
            self.say(str(error))
            return error.exit_code
        except SystemExit:
            if guard is None or not guard.stopped:
                raise
            self.say("a run did not end by its deadline and was stopped")
            return PARTIAL
        except Exception as error:  # noqa: BLE001 - a bug costs one run; the next may do better
            self.say(f"this is a bug: {type(error).__name__}: {redact(error)}")
            return BUG
        for problem in report.problems:
            self.say(problem)
        if not self.quiet:
            self.say(summed_up(report))
        return report.exit


def summed_up(report: Report) -> str:
    """A run in one line."""
    sent = 0 if report.alerts is None else report.alerts["sent"]
    return escape(
        f"{report.metrics:,} metrics, {len(report.anomalies):,} anomalies, {sent:,} alerts sent, "
        f"{report.seconds['total']:.1f} s, exit {report.exit}"
    )
