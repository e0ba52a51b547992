"""The tail against the first hour of the window."""

from __future__ import annotations

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.search import after, daily_gap, from_time
from ridgeline.kernels.shared.summary import ratio, sound_moments, spread, tail_offset
from ridgeline.kernels.shared.switches import DAILY, FIRST_HOUR, FIRST_HOUR_BEFORE, GUARDED, HOUR


@algorithm(min_points=2, threshold=3.0, cost=5, order=1, exact=True)
def first_hour_average(row: Row, threshold: float) -> float:
    """The mean of the last three points is over three standard deviations from the first hour's mean.

    The hour is (last - D, last - D + 3600), open at both ends, longer where it is made so; s with ddof 1. A flat hour makes any deviation
    infinite; fewer than two points in it compare with nothing.
    """
    never_inline()
    n = row.t.size
    hour = row.switches[HOUR]
    if row.switches[FIRST_HOUR] == FIRST_HOUR_BEFORE:
        first = 0
        end = from_time(row.t, row.as_of - (row.full_duration - hour))
    else:
        start = row.t[n - 1] - row.full_duration
        gap = daily_gap(row.t)
        if row.switches[DAILY] != 0 and gap > 0:
            start = row.t[n - 1] - 6 * gap
        first = after(row.t, start)
        end = from_time(row.t, start + hour)
    count = end - first
    if count < 2:
        return 0.0
    unit, centre, mean, m2 = sound_moments(row.x[first:end], row.switches[GUARDED], row.scratch)
    tail = tail_offset(row.x, unit, centre)
    deviation = abs(tail - mean)
    score = ratio(deviation, threshold * spread(m2, count, 1))
    return guarded(score, deviation, centre + tail, centre + mean, row.switches)
