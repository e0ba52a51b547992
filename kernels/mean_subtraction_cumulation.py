"""The newest point against all the others."""

from __future__ import annotations

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import HISTORY_CENTRE, HISTORY_M2, HISTORY_MEAN, HISTORY_UNIT
from ridgeline.kernels.shared.summary import ratio, spread
from ridgeline.kernels.shared.switches import HISTORY_DDOF


@algorithm(min_points=3, threshold=3.0, cost=2, order=5, exact=True)
def mean_subtraction_cumulation(row: Row, threshold: float) -> float:
    """The newest point is over three standard deviations from the mean of all before it.

    |x_n - mean(x_1..x_{n-1})| > 3 s of the same points. O(1) from the summary; nothing in it is cumulative.
    """
    never_inline()
    history = row.x.size - 1
    if history < 1:
        return 0.0
    newest = row.x[history] * row.stats[HISTORY_UNIT]
    centre, mean = row.stats[HISTORY_CENTRE], row.stats[HISTORY_MEAN]
    deviation = abs((newest - centre) - mean)
    score = ratio(deviation, threshold * spread(row.stats[HISTORY_M2], history, row.switches[HISTORY_DDOF]))
    return guarded(score, deviation, newest, centre + mean, row.switches)
