"""Columns of what the summary pass leaves of a series, float64[STATS] (`shared.summary` fills it)."""

from __future__ import annotations

from typing import Final

CENTRE: Final = 0  # a value near the mean of the history
MEAN: Final = 1  # mean of all points, less the centre
M2: Final = 2  # sum of squared deviations of all points from their mean
HISTORY_MEAN: Final = 3  # the same two over all points but the newest
HISTORY_M2: Final = 4
TAIL: Final = 5  # mean of the last three values (the last one if there are fewer), less the centre
CRITICAL: Final = 6  # grubbs' critical value for this number of points
WANT_SCORES: Final = 7  # non-zero: scores are wanted, else any number on the right side of 1 will do
STATS: Final = 8  # length of the array
