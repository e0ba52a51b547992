"""Fleets of services: pages a day of each rule, every one false, and faults found, by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ridgeline.engine.demo.judged import Judged, judged_among
from ridgeline.engine.demo.services import STEP, Series, Times, services, table_of
from ridgeline.engine.demo.show import END
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.fleet import LATE, FleetScore, score_fleet
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.judgement import CONSENSUS, RULES
from ridgeline.io.matrix import MetricMatrix

THRESHOLD: Final = 0.5
DAYS: Final = 14
HOUR: Final = 3600


@dataclass(slots=True)
class Fleet:
    """What rules made of one fleet: of its metrics, and of copies with one fault each, by kind of fault."""

    clean: list[Judged] = field(default_factory=list)
    faulty: dict[str, list[Judged]] = field(default_factory=dict)
    windows: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def pages(self, rule: str, expiration: int, kind: str = "") -> FleetScore:
        """Pages of the metrics without a fault, or of those of one kind alone."""
        rows = [one for one in self.clean if kind in ("", kind_of(one.metric))]
        return score_fleet((_scored(one, rule) for one in rows), Labels({}), THRESHOLD, expiration)

    def found(self, rule: str, fault: str) -> float:
        """The share of copies with this fault that alarmed in it or five minutes after."""
        rows = self.faulty[fault]
        labels = Labels({one.metric: self.windows[one.metric] for one in rows})
        return score_fleet((_scored(one, rule) for one in rows), labels, THRESHOLD, HOUR).recall or 0.0


def kind_of(metric: str) -> str:
    """The kind of a metric that `services` named."""
    return metric.split(".")[1]


def _scored(one: Judged, rule: str) -> Detections:
    return Detections(one.metric, one.timestamps, one.alarms[rule].astype(np.float64))


def judge_fleet(metrics: int, seed: int, threads: int, tell: Callable[[int], None]) -> Fleet:
    """Judge a fleet of DAYS days by every rule, service by service; `tell` hears how many of its metrics are judged."""
    fleet = Fleet()
    rules = tuple(rule for rule in RULES if rule != CONSENSUS)
    plan = ReplayPlan(rules=rules, throughout=rules)
    for timestamps, series in services(metrics, DAYS, END, seed, faults=True):
        shown = [_until_found(one) for one in series]
        starts = np.array([int(timestamps[one.fault[1] if one.fault else 0]) for one in shown])
        matrix = MetricMatrix.from_table(table_of(timestamps, shown))
        steps = replay_matrix(matrix, plan, starts=starts, threads=threads)
        _take(fleet, timestamps, shown, judged_among(steps))
        tell(len(fleet.clean))
    return fleet


def _until_found(one: Series) -> Series:
    """A copy with a fault ends where nobody looks for an alarm any more."""
    if one.fault is None:
        return one
    values = one.values.copy()
    values[one.fault[2] + LATE // STEP + 1 :] = np.nan
    return replace(one, values=values)


def _take(fleet: Fleet, timestamps: Times, series: Sequence[Series], judged: Iterator[Judged]) -> None:
    by_name = {one.metric: one for one in series}
    for row in judged:
        fault = by_name[row.metric].fault
        if fault is None:
            fleet.clean.append(row.sparse())
            continue
        kind, first, last = fault
        fleet.faulty.setdefault(kind, []).append(row.sparse())
        fleet.windows[row.metric] = ((int(timestamps[first]), int(timestamps[last])),)
