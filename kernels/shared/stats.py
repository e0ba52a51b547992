"""Columns of what the summary pass leaves of a series, float64[STATS] (`shared.summary` fills it).

The first nine are in units of the series: values times UNIT (of the history: HISTORY_UNIT), a power of two. It
is 1 but where squares would overflow or underflow.
"""

from __future__ import annotations

from typing import Final

CENTRE: Final = 0  # a value near the mean
MEAN: Final = 1  # mean of all points, less the centre
M2: Final = 2  # sum of squared deviations of all points from their mean
TAIL: Final = 3  # mean of the last three values (the last one if there are fewer), less the centre
UNIT: Final = 4
HISTORY_CENTRE: Final = 5  # the same over all points but the newest
HISTORY_MEAN: Final = 6
HISTORY_M2: Final = 7
HISTORY_UNIT: Final = 8
CRITICAL: Final = 9  # grubbs' critical value for this number of points
WANT_SCORES: Final = 10  # non-zero: scores are wanted, else any number on the right side of 1 will do
SIGNED: Final = 11  # 0: no point but perhaps the newest is below 0, surely
FALLS: Final = 12  # so many points at least are lower than the one before them
STATS: Final = 13  # length of the array
