"""The protocol: everything is picked on one half, and what is told of it is what it came to on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.tune.measures import Floats, Known, Measures, measures
from ridgeline.io.errors import InputError

Metric = Literal["events", "nab", "pages"]
SURE: Final = 10.0  # the percentile of paired gains that must be above 0
PLAINER: Final = 1e-9  # of settings that find as much the one with fewer pages is picked


@dataclass(frozen=True, slots=True)
class Aim:
    """What is asked for: the largest objective of those settings that keep to the budgets.

    metric            "events": F1; "nab": NAB's score; "pages": as many pages as the budget allows, for want of labels
    max_pages         a day, of the whole fleet; max_false_alarms: a metric and week; None: no budget
    """

    metric: Metric
    max_pages: float | None = None
    max_false_alarms: float | None = None

    @classmethod
    def asked(cls, metric: Metric, max_pages: float | None, max_false_alarms: float | None, *, labelled: bool) -> Self:
        """What somebody asks for, with labels or without; InputError for what cannot be told."""
        if labelled:
            return cls(metric, max_pages, max_false_alarms)
        if max_pages is None:
            raise InputError("tune: give --labels FILE, or at least a budget with --max-pages-per-day NUMBER")
        if max_false_alarms is not None or metric != "events":
            raise InputError("tune: which alarms are false only labels can tell: give --labels FILE")
        return cls("pages", max_pages)

    def objective(self, found: Measures) -> Floats:
        """What is to be large."""
        return {"events": found.f1, "nab": found.nab, "pages": found.pages_per_day}[self.metric]

    def keeps(self, found: Measures) -> NDArray[np.bool_]:
        """Which settings keep to the budgets."""
        kept = np.ones(found.f1.shape, np.bool_)
        if self.max_pages is not None:
            kept &= found.pages_per_day <= self.max_pages
        if self.max_false_alarms is not None:
            kept &= found.false_alarms_per_metric_week <= self.max_false_alarms
        return kept

    def pick(self, found: Measures, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The best of the allowed settings, int64[folds]; the quietest of them where none keeps to the budgets."""
        value = np.where(self.keeps(found), self.objective(found) - PLAINER * found.pages_per_day, -np.inf)
        quiet = -1e12 - found.pages_per_day - found.false_alarms_per_metric_week
        value = np.where(allowed[:, None], np.maximum(value, quiet), -np.inf)
        picked: NDArray[np.int64] = np.argmax(value, axis=0)
        return picked


@dataclass(frozen=True, slots=True)
class Dealt:
    """All settings, measured on the half that is for training and on the other, of each of the halves bool[folds, lots]."""

    halves: NDArray[np.bool_]
    training: Measures
    held: Measures
    today: Measures

    @classmethod
    def of(cls, tallies: Floats, today: Floats, known: Known, halves: NDArray[np.bool_]) -> Dealt:
        """Of tallies float64[settings, lots, TALLIES], and today's, float64[lots, TALLIES]."""
        others = ~halves
        return cls(
            halves,
            measures(tallies, known, halves),
            measures(tallies, known, others),
            measures(today[None], known, others),
        )


@dataclass(frozen=True, slots=True)
class Nested:
    """What was found, fold by fold.

    float64[folds]: the objective of what was picked where it was picked, and on the other half; today's on that half; pages
    a day and recall there. `kept` bool[folds]: whether the budgets were.
    """

    trained: Floats
    held: Floats
    today: Floats
    pages: Floats
    recall: Floats
    kept: NDArray[np.bool_]

    @property
    def optimism(self) -> float:
        """By how much the half it was picked on flatters a setting, on the mean."""
        return float((self.trained - self.held).mean())

    def gain(self, aim: Aim, *, broken: bool) -> Floats:
        """What was won against today's setting, paired; where that breaks a budget (`broken`) it counts for nothing.

        For want of labels what is won is quiet: pages that do not come.
        """
        if aim.metric == "pages":
            return self.today - self.held
        return self.held - (np.minimum(self.today, 0.0) if broken else self.today)


def nested(dealt: Dealt, aim: Aim, allowed: NDArray[np.bool_]) -> Nested:
    """Pick on each training half, of the settings allowed, bool[settings], and look at the other."""
    picked, folds = aim.pick(dealt.training, allowed), np.arange(len(dealt.halves))
    return Nested(
        aim.objective(dealt.training)[picked, folds],
        aim.objective(dealt.held)[picked, folds],
        aim.objective(dealt.today)[0],
        dealt.held.pages_per_day[picked, folds],
        dealt.held.recall[picked, folds],
        aim.keeps(dealt.held)[picked, folds],
    )
