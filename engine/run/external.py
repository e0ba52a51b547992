"""Services of external alerts are asked while the fleet is read, so that none of them costs a run its time."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final

from ridgeline.engine.alerts.external_source import Found, ask, last_known, read_kept
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config
from ridgeline.engine.run.state import open_run_state
from ridgeline.io.state.interface import State, StateError

LONGEST: Final = 5.0  # seconds from the beginning of a run that its alerts wait for services at most
SHARE: Final = 0.1  # of the deadline, if that is less
GRACE: Final = 0.5  # seconds for what came in time to be read
LATE: Final = Found(problems=("external alerts could not be read in time: this run goes without their rules",))


@dataclass(frozen=True, slots=True)
class Asking:
    """An answer on its way; `until`, seconds of `clock`, nobody waits for the services any more."""

    found: Future[Found]
    until: float
    clock: Callable[[], float]

    @classmethod
    def begin(cls, config: Config, now: float, clock: Callable[[], float]) -> Asking:
        """Ask all services of the configuration, beside what else there is to do; `now` in epoch seconds."""
        asking = cls(Future(), clock() + min(LONGEST, SHARE * config.run.deadline), clock)
        # It may hang in a state that does: nobody waits for the thread itself.
        Thread(target=asking.work, args=[config, now], name="external", daemon=True).start()
        return asking

    def work(self, config: Config, now: float) -> None:
        """Ask, and hand over what was found; a bug of ours costs the rules and no more."""
        try:
            self.found.set_result(self.ask(config, now))
        except Exception as error:  # noqa: BLE001 - whatever it is, alerts go out without these rules
            problem = f"external alerts are left out: reading them failed with {type(error).__name__}, a bug"
            self.found.set_result(Found(problems=(problem,)))

    def ask(self, config: Config, now: float) -> Found:
        """What the services say, and what they last said where they say nothing sensible."""
        sources = config.external_alerts
        kept: list[Any] = [None] * len(sources)
        # Where state cannot be read, the alerts find out for themselves, and say so.
        with open_run_state(config, self.until - self.clock()) as state, contextlib.suppress(StateError):
            kept = read_kept(sources, state)
        return ask(sources, _strategies(config), kept, now, self.until, self.clock)

    def result(self) -> Found:
        """The answer, waited for until its time is over."""
        try:
            return self.found.result(max(self.until - self.clock(), 0.0) + GRACE)
        except TimeoutError:
            return LATE


def known_rows(config: Config, state: State) -> tuple[AlertRow, ...]:
    """The external rules that the last runs left, for commands that ask what a run would do. Raises StateError."""
    sources = config.external_alerts
    return last_known(sources, _strategies(config), read_kept(sources, state)) if sources else ()


def _strategies(config: Config) -> frozenset[str]:
    """Those that external rules may name."""
    return frozenset(name for name, _, _ in config.alerters.settings)
