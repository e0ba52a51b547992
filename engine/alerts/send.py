"""Stage: messages go out, each strategy in a lane of its own, all before the deadline.

What cannot be sent in this run is handed back and waits in the outbox. Outcomes are dealt with one by one on the thread
of the run, as soon as they are known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

from ridgeline.alerters import Outcome
from ridgeline.engine.alerts.breaker import Breaker
from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.lane import GRACE, TRIES, Lane
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Job, Workers

LANDING: Final = 2.0  # seconds for what is in flight when the process is told to stop
UNENDED: Final = "the attempt did not end in time"


class Clerk(Protocol):
    """Who deals with outcomes."""

    def settle(self, parcel: Parcel, outcome: Outcome) -> Parcel | None:
        """Record what an attempt achieved, and return what is still to be sent, if anything."""
        ...

    def postpone(self, parcel: Parcel, reason: str) -> None:
        """Leave a message for a later run."""
        ...


class Sender:
    """Sends parcels, by as many calls of `send` as there are; a strategy's time and troubles last over all of them.

    `deadline` in seconds of `clock`; `wall` gives epoch seconds, by which `breakers` are open.
    """

    def __init__(
        self,
        strategies: Mapping[str, Strategy],
        breakers: Mapping[str, Breaker],
        clerk: Clerk,
        workers: Workers,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._strategies, self._breakers, self._clerk, self._workers = strategies, breakers, clerk, workers
        self._deadline, self._clock, self._wall = deadline, clock, wall
        self.lanes: dict[str, Lane] = {}

    def send(self, parcels: Iterable[Parcel]) -> None:
        """Try each parcel until it is sent or refused, or its strategy's time is over."""
        for parcel in sorted(parcels, key=lambda parcel: parcel.attempts):
            self._lane(parcel.strategy).waiting.append(parcel)
        while busy := [lane for lane in self.lanes.values() if lane.busy]:
            now = self._clock()
            for lane in busy:
                lane.over |= now >= lane.end
                lane.start(self._workers, now)
                if lane.over:
                    self._postpone(lane)
                if lane.flying and now >= lane.end + GRACE:
                    self._abandon(lane)
            waking = [lane.wakes() for lane in busy if lane.busy]
            if waking:
                self._wait(min(waking) - now)

    def land(self) -> None:
        """Wait a little for what is in flight, and leave the rest for a later run: the process is told to stop."""
        until = self._clock() + LANDING
        for lane in self.lanes.values():
            lane.over = True
            self._postpone(lane)
        while any(lane.flying for lane in self.lanes.values()) and (now := self._clock()) < until:
            self._wait(until - now)
        for lane in self.lanes.values():
            self._abandon(lane)

    def stop(self) -> None:
        """Take no more."""
        self._workers.stop()

    def _lane(self, name: str) -> Lane:
        if name not in self.lanes:
            breaker = self._breakers.get(name)
            self.lanes[name] = Lane.begin(self._strategies[name], breaker, self._wall(), self._clock(), self._deadline)
        return self.lanes[name]

    def _wait(self, timeout: float) -> None:
        """Deal with what ends within `timeout` seconds."""
        ended = self._workers.wait(timeout)
        while ended:
            job, outcome = ended[0]
            lane = self.lanes[job.strategy]
            if job in lane.flying:  # else it was abandoned, and ends too late
                self._settle(lane, job, outcome)
            # Only now, after all has been recorded: a run that is stopped before meets it again.
            ended.popleft()

    def _settle(self, lane: Lane, job: Job, outcome: Outcome) -> None:
        parcel = lane.flying[job]
        rest = self._clerk.settle(parcel, outcome)
        lane.learn(outcome, self._clock())
        del lane.flying[job]
        if rest is None:
            return
        if lane.over or rest.tries >= TRIES:
            self._clerk.postpone(rest, outcome.reason)
        else:
            lane.waiting.append(rest)

    def _postpone(self, lane: Lane) -> None:
        """Leave what waits in a lane for a later run."""
        while lane.waiting:
            parcel = lane.waiting[0]
            self._clerk.postpone(parcel, lane.reason or "there was no time left to send it")
            lane.waiting.popleft()

    def _abandon(self, lane: Lane) -> None:
        """Wait no more for what is in flight."""
        for job, parcel in list(lane.flying.items()):
            outcome = Outcome("unknown", UNENDED)
            rest = self._clerk.settle(parcel, outcome)
            lane.learn(outcome, self._clock())
            del lane.flying[job]
            if rest is not None:
                self._clerk.postpone(rest, UNENDED)
