"""Places of a profile's switches in the int64 array that kernels read (`engine.rules.profiles` fills it)."""

from __future__ import annotations

from typing import Final

DDOF: Final = 0  # degrees of freedom taken off in grubbs and least_squares
HISTORY_DDOF: Final = 1  # the same in mean_subtraction_cumulation
TWO_SIDED: Final = 2  # grubbs looks at both sides
ROUND_GATE: Final = 3  # least_squares keeps the gate round(s) != 0 and round(r) != 0
HISTOGRAM: Final = 4  # one of the three rules below
FIRST_HOUR: Final = 5  # one of the two rules below
DAILY: Final = 6  # first_hour_average and ks_test know exactly-daily series
ANCHOR_AS_OF: Final = 7  # ks_test's windows end at as_of rather than at the last timestamp
STANDARDISE: Final = 8  # ks_test's ADF standardises its sample first
WINDOWED: Final = 9  # only points in (last - FULL_DURATION, last]
LAST_WINS: Final = 10  # of equal timestamps only the last point counts
DROP_FUTURE: Final = 11  # points after as_of are dropped
GUARDED: Final = 12  # differences of rounding alone never vote; squares neither overflow nor underflow
MIN_POINTS: Final = 13  # fewer: too_short
BORING_POINTS: Final = 14  # so many newest points with one distinct value: boring (0: never)
SKYLINE: Final = 15  # counters and gaps are told as Skyline tells them
HOUR: Final = 16  # seconds of first_hour_average's sample
PROBE: Final = 17  # ks_test's newest sample goes back so many seconds
REFERENCE: Final = 18  # and the one before it so many
SWITCHES: Final = 19  # length of the array

HISTOGRAM_OWN_BIN: Final = 0  # the tail's own bin, all edges included; a constant series never votes
HISTOGRAM_EARTHGECKO: Final = 1  # its analyzer's own histogram; a constant series votes True
HISTOGRAM_NUMPY: Final = 2  # numpy.histogram's edges

FIRST_HOUR_OPEN: Final = 0  # (last - FULL_DURATION, last - FULL_DURATION + 3600)
FIRST_HOUR_BEFORE: Final = 1  # everything before as_of - (FULL_DURATION - 3600)
