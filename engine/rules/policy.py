"""How one group of metrics is judged: what configuration and overrides add up to, and whether that can be met."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.rules.judgement import CONSENSUS

MOST_WINDOW_POINTS: Final = 1_000_000
MOST_VOTES: Final = 127  # verdicts count votes in eight bits
# Algorithms whose threshold is a level of significance; below the least, Student's t has no quantile in float64.
SIGNIFICANCES: Final = frozenset({"grubbs"})
LEAST_SIGNIFICANCE: Final = 1e-300
LEAST_CUTOFF, MOST_CUTOFF = sys.float_info.min, sys.float_info.max  # products of two stay numbers that divide


@dataclass(frozen=True, slots=True)
class Policy:
    """One distinct combination of settings.

    thresholds       (algorithm, limit) pairs
    stale_period     seconds; None: the profile's
    full_duration    seconds of each series that are considered; None: the plan's
    resolution_aware whether what is measured in minutes is measured in the series' own steps (`score.resolution`)
    min_window_points points that a window holds at least, however long that is (`score.reach`); 0: as many as there are
    rule             by which score the metric is anomalous (`rules.judgement`)
    rule_threshold   what that score is divided by; of a consensus, with the scores of all its algorithms (`cutoff`): then
                     `consensus_score` is divided already
    cutoffs          (algorithm, cutoff) pairs, of those whose scores are divided by another number than 1
    """

    consensus: int = 6
    algorithms: tuple[str, ...] = ()
    thresholds: tuple[tuple[str, float], ...] = ()
    direction: str = "both"
    min_change: float = 0.0
    min_change_relative: float = 0.0
    stale_period: int | None = None
    full_duration: int | None = None
    resolution_aware: bool = False
    min_window_points: int = 0
    rule: str = CONSENSUS
    rule_threshold: float = 1.0
    cutoffs: tuple[tuple[str, float], ...] = ()

    @property
    def cut(self) -> bool:
        """Whether scores of algorithms in force are divided by another number than 1: then they alone tell of votes."""
        return self._shared != 1.0 or any(name in self.algorithms or not self.algorithms for name, _ in self.cutoffs)

    def cutoff(self, algorithm: str) -> float:
        """What the algorithm's score is divided by, so that it votes above it: its own cutoff, times that of all."""
        return min(max(dict(self.cutoffs).get(algorithm, 1.0) * self._shared, LEAST_CUTOFF), MOST_CUTOFF)

    @property
    def _shared(self) -> float:
        """Under a consensus its threshold is one of every algorithm: the k-th largest score is divided with the others."""
        return self.rule_threshold if self.rule == CONSENSUS else 1.0


def consensus_fault(consensus: int, algorithms: int) -> str | None:
    """Say why so many True votes can never come of so many algorithms, or come of nothing; None where they can."""
    if consensus < 1:
        return f"a consensus of {consensus} would be reached without a single vote: ask for at least 1"
    if consensus > algorithms:
        plural = "" if algorithms == 1 else "s"
        return f"a consensus of {consensus} cannot be reached by {algorithms} algorithm{plural}: lower it, or switch on more"
    return None


def threshold_fault(algorithm: str, limit: float) -> str | None:
    """Say why an algorithm cannot go by this threshold; None where it can."""
    if algorithm in SIGNIFICANCES and not LEAST_SIGNIFICANCE <= limit < 1.0:
        return f"must be a level of significance: at least {LEAST_SIGNIFICANCE:g}, and below 1 (the default is 0.05)"
    if not (math.isfinite(limit) and limit > 0.0):
        return "must be a finite number above 0"
    return None


def cutoffs_of(pairs: Iterable[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return a policy's cutoffs: by name, the later of two of one algorithm, without those that change nothing."""
    return tuple(sorted((name, cutoff) for name, cutoff in dict(pairs).items() if cutoff != 1.0))
