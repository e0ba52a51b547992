"""Trying all algorithms out on a noisy series, before anything rests on them."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.score.ensemble import Ensemble
from ridgeline.engine.score.rows import OneRow

STEP: Final = 10  # seconds: fine enough for ks_test to have its samples
_LAST: Final = 1_700_000_000
_NAME: Final = "rehearsal"


def failing(analysis: Analysis, profile: str) -> tuple[str, ...]:
    """Names of the algorithms in force that give no vote on a day of noise. InputError where they cannot be used at all."""
    ensemble = Ensemble.of(analysis, (), profile)
    count = max(analysis.full_duration // STEP, ensemble.scorer.plan.profile.min_points)
    timestamps = _LAST - STEP * np.arange(count, dtype=np.int64)[::-1]
    values = np.random.default_rng(1).normal(100.0, 5.0, count)
    row = OneRow.of(_NAME, timestamps, values, _LAST)
    verdict = ensemble.judge_row(row, ensemble.policy(_NAME))
    return tuple(name for name, vote in zip(verdict.algorithms, verdict.votes, strict=True) if vote is None)
