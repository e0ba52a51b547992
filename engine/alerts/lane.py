"""One strategy's way out of a run: what is to be sent there, how its endpoint is, and until when it is tried.

A lane ends its strategy's `timeout` after it began, so a slow endpoint delays the end of a run by no more. One that has
failed lately (its breaker is half open) is given three seconds to show that it is well again. Three failures in a row
end a lane; while it fails, one message at a time is tried.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from ridgeline.alerters import Outcome
from ridgeline.engine.alerts.breaker import Breaker
from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Job, Workers

TRIES: Final = 3  # failures in a row that end a lane, and attempts of one message in one run
FIRST_PAUSE: Final = 0.5  # seconds after a failure; doubled at each further one
PROBE: Final = 3.0  # seconds for an endpoint that failed lately
GRACE: Final = 1.0  # seconds for attempts that do not keep to their deadline


@dataclass(slots=True)
class Lane:
    """One strategy; all times but the breaker's in seconds of the monotonic clock.

    breaker      as earlier runs left it, None if it is closed
    end          when it is over
    failures     in a row, up to now
    not_before   when the next attempt may start
    asked        seconds that the endpoint asked us to wait
    well         whether it has answered in this run
    over         whether nothing more is tried
    """

    strategy: Strategy
    breaker: Breaker | None
    end: float
    deadline: float
    began: float
    waiting: deque[Parcel] = field(default_factory=deque)
    flying: dict[Job, Parcel] = field(default_factory=dict)
    failures: int = 0
    not_before: float = 0.0
    asked: float = 0.0
    reason: str = ""
    well: bool = False
    over: bool = False

    @classmethod
    def begin(cls, strategy: Strategy, breaker: Breaker | None, wall: float, now: float, deadline: float) -> Lane:
        """A lane that begins now; `wall` is epoch seconds."""
        patience = strategy.alerter.timeout if breaker is None else PROBE
        lane = cls(strategy, breaker, min(deadline, now + patience), deadline, now)
        if breaker is not None:
            lane.reason = breaker.reason
            lane.over = breaker.open_at(wall)
        return lane

    @property
    def free(self) -> int:
        """How many attempts may start now."""
        cautious = self.failures or (self.breaker is not None and not self.well)
        return (1 if cautious else self.strategy.alerter.concurrency) - len(self.flying)

    @property
    def busy(self) -> bool:
        """Whether anything is to be done or waited for."""
        return bool(self.waiting or self.flying)

    def start(self, workers: Workers, now: float) -> None:
        """Start as many attempts as may start now; those that were never tried come first."""
        while self.waiting and self.free > 0 and not self.over and self.not_before <= now < self.end:
            parcel = self.waiting.popleft()
            job = Job(self.strategy.name, parcel.message, self.end)
            self.flying[job] = parcel
            workers.submit(self.strategy.alerter, job)

    def learn(self, outcome: Outcome, now: float) -> None:
        """Learn from an outcome how the endpoint is."""
        if not outcome.again:  # it answered: even a refusal shows that it is there
            self.failures, self.reason, self.asked = 0, "", 0.0
            if not self.well:
                self.well, self.end = True, min(self.deadline, self.began + self.strategy.alerter.timeout)
            return
        self.failures += 1
        self.reason = outcome.reason
        self.asked = outcome.retry_after or 0.0
        self.not_before = now + max(FIRST_PAUSE * 2.0 ** (self.failures - 1), self.asked)
        self.over |= self.failures >= TRIES or self.not_before >= self.end

    def wakes(self) -> float:
        """When something is to be done again, if no attempt ends before."""
        times = [self.end + GRACE] if self.flying else []
        if self.waiting:
            times.append(self.end)
            if self.free > 0:
                times.append(self.not_before)
        return min(times)
