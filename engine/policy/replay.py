"""Replays an alert policy over history: a run at each moment of a step, through the stages of delivery that `run` has.

What `run` would have sent at those moments, had each point arrived in time: an anomaly that lasts is found again by every
run until its metric has a newer point or is stale. Moments at which no stage could do anything are not gone through.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.alerts.item import Pair
from ridgeline.engine.alerts.lately import RESOLVE_AFTER, Lately
from ridgeline.engine.alerts.lately_table import MOST_METRICS, PRUNED_EVERY, to_forget
from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.second_order import out_of_rhythm
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.policy.ledger import Ledger
from ridgeline.engine.policy.lookback import looked_at
from ridgeline.engine.policy.merge import Step, by_moment
from ridgeline.engine.policy.paging import Paging
from ridgeline.engine.policy.rules import PagingRules
from ridgeline.engine.policy.silent import AtOnce, Clock, Written
from ridgeline.engine.policy.steps import ANOMALOUS, NORMAL, MetricSteps
from ridgeline.engine.policy.trail import Trail, moments_of
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.interface import State

NEVER: Final = math.inf


def replay_policy(steps: Iterable[MetricSteps], rules: PagingRules) -> Paging:
    """Who would have been paged over the steps of these metrics, each metric given once."""
    return replay_trails([Trail.of(steps, rules.keep)], rules)


def replay_trails(trails: Sequence[Trail], rules: PagingRules) -> Paging:
    """The same of trails that were made with `rules.keep`, each metric in one of them."""
    moments = moments_of(trails)
    runs = _Runs.over(rules, moments)
    for moment, some in by_moment(trails):
        runs.go_to(moment)
        runs.run(moment, some)
    runs.go_to(NEVER)
    return runs.ledger.paging(rules, moments)


class Latest(NamedTuple):
    """The newest step of a metric as runs find it, until it is stale."""

    seen: Anomaly
    until: int


@dataclass(slots=True)
class _Runs:
    """One run after another, and what they remember.

    keep      after how many normal runs a past no longer matters; `patience`: the fewest that end an incident
    moments   when runs take place, ascending; `place`: the next of them
    records   of lately anomalous metrics; `pruned`: when a run last looked for outdated ones
    showing   the metrics whose newest step is anomalous; `calm`: those that are normal, and held open by some receiver
    routes    the strategies that each metric is alerted by; `quiet`: until when all of them have been told
    waiting   whether anything is in the outbox
    """

    plan: Plan
    store: Store
    state: State
    clock: Clock
    keep: int
    patience: int
    moments: NDArray[np.int64]
    place: int = 0
    records: dict[str, Lately] = field(default_factory=dict)
    pruned: int = -PRUNED_EVERY
    showing: dict[str, Latest] = field(default_factory=dict)
    calm: dict[str, Latest] = field(default_factory=dict)
    routes: dict[str, list[Pair]] = field(default_factory=dict)
    quiet: dict[str, float] = field(default_factory=dict)
    waiting: bool = False
    ledger: Ledger = field(default_factory=Ledger)

    @classmethod
    def over(cls, rules: PagingRules, moments: NDArray[np.int64]) -> _Runs:
        """Before the first run, when nothing is known."""
        clock = Clock()
        state = MemoryState(clock)
        resolving = [one.resolve_after for one in rules.strategies.values() if one.resolves]
        return cls(
            rules.plan(), Store(state, Written(state)), state, clock, rules.keep,
            min(resolving, default=RESOLVE_AFTER), moments,
        )  # fmt: skip

    def go_to(self, moment: float) -> None:
        """The runs before `moment` that find no new step that matters: what lasts, and what waits."""
        while (self.showing or self.calm or self.waiting) and self.place < len(self.moments):
            now = int(self.moments[self.place])
            if now >= moment:
                return
            self.run(now, ())

    def run(self, now: int, steps: Sequence[Step]) -> None:
        """One run, which finds these steps."""
        self.place = int(self.moments.searchsorted(now))
        if self.place:
            self._forget_outdated(int(self.moments[self.place - 1]))
        self.place += 1
        self.clock.now = float(now)
        self._look(now, steps)
        asked = [one.seen for metric, one in self.showing.items() if self._is_asked(metric, now)]
        ended = [metric for metric in self.calm if not self.records[metric].ongoing(self.patience)]
        if asked or ended or self.waiting:
            self._deliver(asked, now)

    def _look(self, now: int, steps: Sequence[Step]) -> None:
        """Take in what is new, and leave aside what has become stale."""
        for known in (self.showing, self.calm):
            for metric in [metric for metric, one in known.items() if now > one.until]:
                del known[metric]
        again = [one.seen for one in self.showing.values()] if self.plan.second_order is out_of_rhythm else []
        found: tuple[list[Anomaly], list[Anomaly]] = [], []
        for step in steps:
            self.showing.pop(step.metric, None)
            self.calm.pop(step.metric, None)
            seen = Anomaly(step.metric, step.value, step.timestamp, step.votes, (), expected=step.expected)
            if step.kind == ANOMALOUS:
                self.showing[step.metric] = Latest(seen, step.until)
                self.ledger.anomaly(step.metric, step.timestamp)
                found[0].append(seen)
            else:
                self.ledger.over(step.metric)
                if step.kind == NORMAL and step.metric in self.records:
                    self.calm[step.metric] = Latest(seen, step.until)
                    found[1].append(seen)
        self._route([one.metric for one in found[0]])
        after = looked_at(
            self.records, [*again, *found[0]], found[1], self.keep, triggers=self.plan.second_order is out_of_rhythm
        )
        self.records |= after
        for one in found[1]:
            if not self.records[one.metric].open:
                del self.calm[one.metric]

    def _route(self, metrics: Sequence[str]) -> None:
        """Ask the rules about metrics that were never anomalous before."""
        new = [metric for metric in metrics if metric not in self.routes]
        for metric, chosen in zip(new, deciding(self.plan.rows, new), strict=True) if new else ():
            self.routes[metric] = [(strategy, metric) for strategy in chosen]

    def _is_asked(self, metric: str, now: int) -> bool:
        """Whether the stages might let an alert about the metric through; counts it where they would surely not.

        An alert that waits gives way to a newer one whatever its expiration, so then every one is asked about.
        """
        if not self.routes[metric]:
            self.ledger.counts["unmatched"] += 1
            return False
        if self.waiting or self.quiet.get(metric, -NEVER) <= now:
            return True
        self.ledger.counts["suppressed"] += len(self.routes[metric])
        return False

    def _deliver(self, asked: Sequence[Anomaly], now: int) -> None:
        summary = deliver(
            asked,
            self.plan,
            self.store,
            Times(NEVER, _still, self.clock),
            normal=[one.seen for one in self.calm.values()],
            lately=self.records,
            workers=AtOnce(),
            jitter=_still,
        )
        self.ledger.add(summary, now)
        self.waiting = bool(summary.waiting)
        for metric in {item.alert.metric for item in summary.arrived if item.status == "firing" and not item.ours}:
            self.quiet[metric] = now + min(self.state.alert_ttls(self.routes[metric]))
        for metric in [metric for metric in self.calm if not self.records[metric].open]:
            del self.calm[metric]

    def _forget_outdated(self, before: int) -> None:
        """What the runs up to `before` forgot as they ended: once a day, and where there are too many."""
        while (crowded := len(self.records) > MOST_METRICS) or before >= self.pruned + PRUNED_EVERY:
            at = int(self.moments.searchsorted(self.pruned + PRUNED_EVERY))
            self.pruned = before if crowded else int(self.moments[at])
            for metric in to_forget(self.records, self.pruned):
                del self.records[metric]
                self.calm.pop(metric, None)


def _still() -> float:
    """A monotonic clock that stands: nothing takes any time. Nor does chance play a part."""
    return 0.0
