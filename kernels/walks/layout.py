"""What walks and their callers agree on: where the state of a metric stands, and the columns of scores. Needs no numba.

The state of n metrics is four arrays, zero where nothing is known:

hot      float64[n, HOT]               what changes at every step; read as float32 beyond its first WIDE numbers
slots    float32[n, SLOTS]             the hours of seasonal residuals: level, days
leaders  float32[n, LEADERS_ROOM]      patterns of novelty: short means, long means, last use in units of 64 steps
profile  float32[CELLS n, CELL]        the outage walk's times of day, the cells of one time of all metrics together

What is kept as float32 has seven digits of a metric's level.
"""

from __future__ import annotations

from typing import Final

# The wide numbers of a hot row, float64. Seconds; values in the metric's unit.
(
    WATERMARK,  # the newest point's time
    LAST,  # its value, as it came
    CLIP_MEAN,
    SLOT_SUM,  # of this hour's values
    SHORT_MEAN,
    LONG_MEAN,
    VISIT_SUM,  # of this slot's values
    VISIT_SPREAD,  # and of its |y|
    LEVEL_VALUE,
    LEVEL_PROFILE,
) = range(10)
WIDE: Final = 10

# The narrow ones, float32, by their place in the whole row seen as float32.
(
    POINTS,  # walked so far, up to START
    PACE,  # the usual step, seconds
    PACE_VOTES,
    PAIRS,
    RISES,
    FALLS,
    COUNTER,  # 1 where the metric is one
    CLIP_DEVIATION,
    CLIP_STEPS,
    SLOT_VISIT,
    SLOT_POINTS,
    Z_MEAN,
    Z_SD,
    Z_STEPS,
    T_MEAN,
    T_SD,
    T_STEPS,
    SHORT_LOW,
    SHORT_HIGH,
    SHORT_SD,
    LONG_LOW,
    LONG_HIGH,
    LONG_SD,
    N_STEPS,
    N_LEADERS,
    WIDTH,  # of a slot, seconds; 0: the outage walk has not begun
    VISIT,
    VISIT_POINTS,
    VISIT_RESIDUALS,
    LEVEL_STEPS,
    NEGATIVE,  # 1 once a value was below 0
    RESIDUALS,  # in the ring, up to RECENT
    SPREAD_RESIDUAL,
    SPREAD_LEVEL,
    SPREAD_STEPS,
    SPREAD_FLOOR,
    SPREAD_FLOOR_STEPS,
) = range(2 * WIDE, 2 * WIDE + 37)

# Rings, newest last: where each begins in the row seen as float32, and how much it holds.
RING: Final = 36
RECENT: Final = 12
NEWEST: Final = SPREAD_FLOOR_STEPS + 1  # values, shared by novelty and extrapolation
Z_RING: Final = NEWEST + RING
LATE_VALUES: Final = Z_RING + RECENT
LATE_PROFILE: Final = LATE_VALUES + RECENT
RESIDUAL_RING: Final = LATE_PROFILE + RECENT
LEVEL_RING: Final = RESIDUAL_RING + RECENT
NEWEST_SCORES: Final = LEVEL_RING + RECENT  # of what must last, for k of n
OF: Final = 5
HOT: Final = 79  # float64; one more, for whoever keeps rows, is their check
assert 2 * HOT >= NEWEST_SCORES + OF, "the hot row is too short for what stands in it"

HOURS: Final = 24
SLOTS: Final = 2 * HOURS  # levels, then days
LEADERS: Final = 64
LEADERS_ROOM: Final = 3 * LEADERS
CELLS: Final = 96
# A cell: levels of all days, of Monday to Friday, of the weekend; spread; days of each, in one number; the cell's check.
CELL_ALL, CELL_WEEK, CELL_WEEKEND, CELL_SPREAD, CELL_DAYS, CELL_CHECK = range(6)
CELL: Final = 6

START: Final = 100  # points before anything but clips, pace and counters learns

# Columns of scores float32[n, SCORES]. LEARNING: bits of the channels that have not learned enough to speak.
# PATTERN: what `pages` sees beside outages. Then where the outage walk expects values to lie, in the metric's unit, NaN
# where it does not know; the seasonal residual and the extrapolation's error; the usual step, seconds.
OUTAGE, UNGATED, DEVIATION, NOVELTY, EXTRAPOLATION, PAGES, LEARNING, PATTERN = range(8)
LOW, HIGH, RESIDUAL, ERROR, USUAL_STEP = range(8, 13)
SCORES: Final = 13
CHANNELS: Final = ("outage", "seasonal_deviation", "novelty", "extrapolation")
UNRIPE_OUTAGE, UNRIPE_DEVIATION, UNRIPE_NOVELTY, UNRIPE_EXTRAPOLATION = 1, 2, 4, 8
CEILING: Final = 1e6  # no score is higher
# Bits of what a step wrote to beside the hot row: an hour, a leader, the cell of the visit that ended, any cells.
HOUR_ENDED, LEADER_USED, VISIT_ENDED, BEGAN_ANEW = 1, 2, 4, 8
SCRATCH: Final = 2 * RING  # float64, of the entry

# Columns of facts int64[n, FACTS]: points walked; points not newer than the watermark, which are not.
WALKED, LATE = range(2)
FACTS: Final = 2

TAIL_BINS: Final = 1024
TAIL_GROUP: Final = 32  # bins
TAIL_GROUPS: Final = TAIL_BINS // TAIL_GROUP
TAIL_STATE: Final = TAIL_BINS + 2 * TAIL_GROUPS + 3  # float64, of the tail probability
