"""The points of one row that its profile considers, for whoever tells people about them (`kernels.score.window`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.score.plan import resolve_as_of
from ridgeline.engine.score.reach import newest_steps
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix


def considered(
    series: MetricMatrix | Prepared, row: int, scorer: Scorer
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Timestamps int64[n] and values float64[n] up to `as_of` and within the window of the newest of them, of equal timestamps the last.

    Each of the three only where the scorer's profile says so. Of prepared series as they are judged.
    """
    cleaned = series.cleaned if isinstance(series, Prepared) else series
    window = _window(cleaned, row, scorer)
    matrix, row = series.place(row) if isinstance(series, Prepared) else (series, row)
    profile = scorer.plan.profile
    begin, end = matrix.offsets[row : row + 2].tolist()
    stamps, values = matrix.timestamps[begin:end], matrix.values[begin:end]
    as_of = resolve_as_of(matrix, scorer.plan)[row]
    if profile.drop_future and as_of != NO_AS_OF:
        stop = np.searchsorted(stamps, as_of, "right")
        stamps, values = stamps[:stop], values[:stop]
    if profile.windowed and len(stamps):
        start = np.searchsorted(stamps, stamps[-1] - window, "right")
        stamps, values = stamps[start:], values[start:]
    if profile.last_wins and matrix.duplicates[row]:
        last = np.append(stamps[1:] != stamps[:-1], True)[: len(stamps)]
        stamps, values = stamps[last], values[last]
    return stamps, values


def _window(matrix: MetricMatrix, row: int, scorer: Scorer) -> int:
    """Seconds of the window of one row."""
    policy = scorer.overrides.policy(matrix.metrics[row].as_py())
    window = policy.full_duration or scorer.plan.full_duration
    if not policy.min_window_points:
        return window
    as_of = resolve_as_of(matrix, scorer.plan)[row : row + 1]
    return max(window, policy.min_window_points * int(newest_steps(matrix, np.array([row]), as_of)[0]))
