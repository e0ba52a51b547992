"""The sending stage: each strategy in a lane of its own, retries with backoff, everything within the deadline.

A receiver that says "later" pauses its lane, not the others. While a lane fails, one alert at a time probes it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ridgeline.alerters import Alerter, Message, Outcome
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Job, Workers

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
GRACE = 2.0  # seconds for attempts in flight when the deadline has passed or the process is told to stop


@dataclass(slots=True)
class Lane:
    """The alerts of one strategy: waiting ones with their attempts so far, and the receiver's condition."""

    alerter: Alerter
    waiting: deque[tuple[Item, int]] = field(default_factory=deque)
    flying: dict[Job, Item] = field(default_factory=dict)
    failures: int = 0
    not_before: float = 0.0
    reason: str = ""

    @property
    def free(self) -> int:
        """How many attempts may start now."""
        return (1 if self.failures else self.alerter.concurrency) - len(self.flying)

    def settle(self, outcome: Outcome, now: float) -> None:
        """Learn from an outcome how the receiver is; consecutive failures lengthen the pause."""
        if not outcome.again:
            self.failures = 0
            return
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures, 30), LONGEST_PAUSE)
        self.failures += 1
        self.reason = outcome.reason
        self.not_before = max(self.not_before, now + max(pause, outcome.retry_after or 0.0))


class Sender:
    """The stage. `deadline` in seconds of `clock`; the fate of every alert is told as soon as it is known."""

    def __init__(
        self,
        alerters: Mapping[str, Strategy],
        workers: Workers,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._alerters, self._workers, self._deadline, self._clock = alerters, workers, deadline, clock
        self._lanes: dict[str, Lane] = {}

    def send(self, items: Iterable[Item]) -> Iterator[Item]:
        """Attempt each waiting item until it is sent or rejected, or the next attempt would come after the deadline."""
        for item in items:
            strategy = item.alert.strategy
            if item.status != "waiting":
                yield item
            elif strategy not in self._alerters:
                yield item.failed(f"there is no alerter named {strategy}")
            else:
                lane = self._lanes.setdefault(strategy, Lane(self._alerters[strategy].alerter))
                lane.waiting.append((item, 0))
        while any(lane.waiting or lane.flying for lane in self._lanes.values()):
            now = self._clock()
            for strategy, lane in self._lanes.items():
                yield from _give_up(lane, now, self._deadline)
                _start(strategy, lane, self._workers, now, self._deadline)
            if now >= self._deadline:
                break
            pauses = [lane.not_before for lane in self._lanes.values() if lane.waiting and lane.free > 0]
            if pauses or self._flying:
                yield from self._wait(min([*pauses, self._deadline]) - now)
        yield from self.land()
        self._workers.stop()

    def land(self) -> Iterator[Item]:
        """Wait a little for attempts in flight; what has not ended then, or still waits, has failed.

        Also for a run that is told to stop amid sending: what is in flight may have arrived and must be recorded.
        """
        until = self._clock() + GRACE
        while self._flying and (now := self._clock()) < until:
            yield from self._wait(until - now)
        for lane in self._lanes.values():
            left = [*lane.flying.values(), *(item for item, _ in lane.waiting)]
            lane.flying.clear()
            lane.waiting.clear()
            for item in left:
                yield item.failed(lane.reason or "the attempt did not end in time")

    @property
    def _flying(self) -> bool:
        return any(lane.flying for lane in self._lanes.values())

    def _wait(self, timeout: float) -> Iterator[Item]:
        """Pass on what ends within `timeout` seconds: sent and rejected items; the rest queue again, behind the others."""
        ended = self._workers.wait(timeout)
        while ended:
            job, outcome = ended[0]
            lane = self._lanes[job.strategy]
            item = lane.flying[job]
            if outcome.kind == "sent":
                yield item.sent()
            elif outcome.kind == "rejected":
                yield item.failed(outcome.reason)
            else:
                lane.waiting.append((item, job.attempt))
            # Only now, after the later stages have dealt with the item: a run stopped before meets it again.
            lane.settle(outcome, self._clock())
            ended.popleft()
            del lane.flying[job]


def _give_up(lane: Lane, now: float, deadline: float) -> Iterator[Item]:
    """Fail what cannot be attempted before the deadline any more."""
    if max(now, lane.not_before) < deadline:
        return
    while lane.waiting:
        item, attempts = lane.waiting.popleft()
        yield item.failed(lane.reason if attempts or lane.failures else "the deadline came before it could be sent")


def _start(strategy: str, lane: Lane, workers: Workers, now: float, deadline: float) -> None:
    """Start as many attempts as the lane allows."""
    while lane.waiting and lane.free > 0 and lane.not_before <= now < deadline:
        item, attempts = lane.waiting.popleft()
        job = Job(strategy, Message.of(item.alert), attempts + 1, deadline)
        lane.flying[job] = item
        workers.submit(lane.alerter, job)
