"""Delivery without anybody to tell: what is sent has arrived at once, in memory, on the thread of the replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ridgeline.alerters import SENT, Alerter, Message, Outcome
from ridgeline.engine.alerts.strategy import Configured, Strategy, check_known, strategy_of
from ridgeline.engine.alerts.workers import Job
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State

AT_ONCE: Final = 1 << 20  # messages in flight: as many as there are


@dataclass(slots=True)
class Clock:
    """The clock of a replay: epoch seconds that only it moves."""

    now: float = 0.0

    def __call__(self) -> float:
        """What it says."""
        return self.now


@dataclass(frozen=True, slots=True)
class Silent:
    """An alerter that tells nobody, and to which everything has been sent."""

    concurrency: int = AT_ONCE
    timeout: float = 1.0

    def send(self, message: Message, deadline: float) -> Outcome:  # noqa: ARG002 - the interface of alerters
        """It has arrived."""
        return SENT


def silent_strategies(configured: Sequence[Configured], used: Sequence[str]) -> dict[str, Strategy]:
    """The strategies named in `used`: each groups and resolves as its channel does, and none has an address or a secret.

    Raises InputError for one that is not configured.
    """
    known = {name: (channel, settings) for name, channel, settings in configured}
    made: dict[str, Strategy] = {}
    for name in dict.fromkeys(used):
        check_known(name, known)
        made[name] = strategy_of(name, *known[name], Silent())
    return made


@dataclass(slots=True)
class AtOnce:
    """Workers that have done each attempt by the time it is submitted."""

    _ended: deque[tuple[Job, Outcome]] = field(default_factory=deque)

    def submit(self, alerter: Alerter, job: Job) -> None:
        """Attempt it now."""
        self._ended.append((job, alerter.send(job.message, job.deadline)))

    def wait(self, timeout: float) -> deque[tuple[Job, Outcome]]:  # noqa: ARG002 - the interface of workers
        """All that has ended, which is everything."""
        return self._ended

    def stop(self) -> None:
        """Nothing goes on."""


@dataclass(frozen=True, slots=True)
class Written:
    """Records that are in the state by the time they are put."""

    state: State
    failures: int = 0
    reason: str = ""

    def put(self, batch: Batch) -> None:
        """Make the changes now."""
        self.state.apply(batch)

    def flush(self, timeout: float) -> bool:  # noqa: ARG002 - the interface of records
        """Nothing waits."""
        return True
