"""The sending stage: each strategy in a lane of its own, retries with backoff, everything within the deadline.

A receiver that says "later" pauses its lane, not the others. While a lane fails, one alert at a time probes it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ridgeline.alerters import Alerter, Outcome
from ridgeline.engine.delivery.item import Item
from ridgeline.engine.delivery.workers import Job, Workers

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
        if outcome.kind != "retry":
            self.failures = 0
            return
        pause = min(FIRST_PAUSE * 2.0 ** min(self.failures, 30), LONGEST_PAUSE)
        self.failures += 1
        self.reason = outcome.reason
        self.not_before = max(self.not_before, now + max(pause, outcome.retry_after or 0.0))


def send(
    items: Iterable[Item],
    alerters: Mapping[str, Alerter],
    workers: Workers,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Item]:
    """Send what is waiting and pass each item on as soon as its fate is known; `deadline` in seconds of `clock`.

    An item is attempted until it is sent or rejected, or until the next attempt would come after the deadline.
    """
    lanes: dict[str, Lane] = {}
    for item in items:
        strategy = item.alert.strategy
        if item.status != "waiting":
            yield item
        elif strategy not in alerters:
            yield item.failed(f"there is no alerter named {strategy}")
        else:
            lanes.setdefault(strategy, Lane(alerters[strategy])).waiting.append((item, 0))
    try:
        yield from _run(lanes, workers, deadline, clock)
    except SystemExit:  # told to stop: what is in flight may have arrived, so it is waited for and recorded
        yield from _land(lanes, workers, clock() + GRACE, clock)
        raise
    finally:
        workers.stop()


def _run(lanes: Mapping[str, Lane], workers: Workers, deadline: float, clock: Callable[[], float]) -> Iterator[Item]:
    """Start what may start, wait for what ends, until every lane is empty."""
    while any(lane.waiting or lane.flying for lane in lanes.values()):
        now = clock()
        for strategy, lane in lanes.items():
            yield from _give_up(lane, now, deadline)
            _start(strategy, lane, workers, now, deadline)
        if now >= deadline:
            yield from _land(lanes, workers, now + GRACE, clock)
            return
        pauses = [lane.not_before for lane in lanes.values() if lane.waiting and lane.free > 0]
        if not pauses and not any(lane.flying for lane in lanes.values()):
            return  # everything was given up: nothing to wait for
        for job, outcome in workers.wait(min([*pauses, deadline]) - now):
            yield from _ended(lanes[job.strategy], job, outcome, clock())


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
        job = Job(strategy, item.alert, attempts + 1, deadline)
        lane.flying[job] = item
        workers.submit(lane.alerter, job)


def _ended(lane: Lane, job: Job, outcome: Outcome, now: float) -> Iterator[Item]:
    """Pass on what was sent or rejected; queue the rest again, behind the others."""
    item = lane.flying.pop(job)
    lane.settle(outcome, now)
    if outcome.kind == "sent":
        yield item.sent()
    elif outcome.kind == "rejected":
        yield item.failed(outcome.reason)
    else:
        lane.waiting.append((item, job.attempt))


def _land(lanes: Mapping[str, Lane], workers: Workers, until: float, clock: Callable[[], float]) -> Iterator[Item]:
    """Wait for attempts in flight until `until`; what has not ended then, or waits, has failed."""
    while any(lane.flying for lane in lanes.values()) and (now := clock()) < until:
        for job, outcome in workers.wait(until - now):
            yield from _ended(lanes[job.strategy], job, outcome, clock())
    for lane in lanes.values():
        left = [*lane.flying.values(), *(item for item, _ in lane.waiting)]
        lane.flying.clear()
        lane.waiting.clear()
        for item in left:
            yield item.failed(lane.reason or "the attempt did not end in time")
