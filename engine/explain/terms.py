"""What an algorithm's score stands for: its statistic and threshold in the terms of its own definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.tables import Tables
from ridgeline.kernels.native import loader

DEVIATIONS: Final = "standard deviations"


class Statistic(NamedTuple):
    """`value` beyond `threshold` is a vote (`histogram_bins`: at or below it); `unit` is what both count."""

    value: float
    threshold: float
    unit: str


def statistic(name: str, score: float, points: int, policy: Policy) -> Statistic:
    """The statistic behind a score that is divided by its cutoff, for `points` points in the window under `policy`."""
    facts = loader.facts()
    usual = float(facts[name]["threshold"]) if name in facts else 1.0
    threshold = dict(policy.thresholds).get(name, usual)
    of = _TERMS.get(name)
    if of is not None:
        return of(score, threshold, policy.cutoff(name), points)
    threshold *= policy.cutoff(name)
    return Statistic(score * threshold, threshold, _UNITS.get(name, "its own"))


def _bin(score: float, threshold: float, cutoff: float, _points: int) -> Statistic:
    """The number of points in the tail's bin; a score of 0 is that of a tail outside all bins."""
    few = float(np.floor(threshold))
    score *= cutoff
    count = float("nan") if score <= 0 else 0.0 if score >= 2 * (few + 1) else float(round((few + 1) / score))
    return Statistic(count, _most_in_bin(few, cutoff), "points in the tail's bin")


def _most_in_bin(few: float, cutoff: float) -> float:
    """The largest number of points whose score is above the cutoff; -1 where not even that of an empty bin is."""
    if 2 * (few + 1) <= cutoff:
        return -1.0
    most = float(np.ceil((few + 1) / cutoff))
    while most > 0 and (few + 1) / most <= cutoff:
        most -= 1
    return most


def _grubbs(score: float, threshold: float, cutoff: float, points: int) -> Statistic:
    """Grubbs' statistic against its critical value at the significance `threshold`."""
    critical = float(Tables().critical((threshold,), np.array([points]))[0, points]) * cutoff
    return Statistic(score * critical, critical, DEVIATIONS)


_TERMS: Final[Mapping[str, Callable[[float, float, float, int], Statistic]]] = {
    "histogram_bins": _bin,
    "grubbs": _grubbs,
}
_UNITS: Final[Mapping[str, str]] = {
    "first_hour_average": f"{DEVIATIONS} of the first hour",
    "stddev_from_average": DEVIATIONS,
    "mean_subtraction_cumulation": DEVIATIONS,
    "stddev_from_moving_average": f"weighted {DEVIATIONS}",
    "least_squares": f"{DEVIATIONS} of the residuals",
    "median_absolute_deviation": "median absolute deviations",
    "ks_test": "Kolmogorov-Smirnov distance",
}
