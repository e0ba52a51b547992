"""The points of one row that its profile considers, for whoever tells people about them (`kernels.score.window`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.score.plan import resolve_as_of
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix


def considered(
    series: MetricMatrix | Prepared, row: int, scorer: Scorer
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Timestamps int64[n] and values float64[n] up to `as_of` and within the window of the newest of them, of equal timestamps the last.

    Each of the three only where the scorer's profile says so. Of prepared series as they are judged.
    """
    matrix, row = (series.judged(row), 0) if isinstance(series, Prepared) else (series, row)
    profile = scorer.plan.profile
    window = scorer.overrides.policy(matrix.metrics[row].as_py()).full_duration or scorer.plan.full_duration
    begin, end = matrix.offsets[row], matrix.offsets[row + 1]
    stamps, values = matrix.timestamps[begin:end], matrix.values[begin:end]
    as_of = resolve_as_of(matrix.slice(row, row + 1), scorer.plan)[0]
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
