"""The outage walk W: whether a series has lately lain off its profile, by more than it does at this time of the day.

Of a counter x is the rise a minute, after a reset x itself. Formula, at each step:

profile  p: the straight line between the middles of this slot of the day and its nearer neighbour (`profile`)
level    EWx, EWp: means of x and p, span max(90 minutes, 18 steps), as they were 12 steps ago; none for 30 steps
residual r = x - p clip(EWx / EWp, 1/4, 4) where x was never below 0, else x - p - (EWx - EWp)
y        mean of the newest 12 r; t: mean of the 6 mildest of them on y's side, 0 where those are on the other
spread   V, a slot: mean over days of its mean |y|; sd = 1.2533 max(v, .2 mean of v), v: mean V of the slot and its two
         neighbours, its mean with a span of 6 days
gate     the profile explains the series: mean |y| <= .7 mean of |mean of newest 12 (x - EWx)|, spans of 6 days
W        |t| / (4.5 sd) where the gate is open, U without it; both 0 until the slot's V knows 2 days
band     x - r -+ 4.5 sd, from 0 on where x was never below 0: where newest values may lie together (one alone may lie
         outside) without W speaking; none where the gate is closed
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks.layout import (
    BEGAN_ANEW,
    CELL_SPREAD,
    CELLS,
    LATE_PROFILE,
    LATE_VALUES,
    LEVEL_PROFILE,
    LEVEL_RING,
    LEVEL_STEPS,
    LEVEL_VALUE,
    NEGATIVE,
    NEWEST_SCORES,
    PACE,
    PACE_VOTES,
    RECENT,
    RESIDUAL_RING,
    RESIDUALS,
    SPREAD_FLOOR,
    SPREAD_FLOOR_STEPS,
    SPREAD_LEVEL,
    SPREAD_RESIDUAL,
    SPREAD_STEPS,
    VISIT,
    VISIT_ENDED,
    VISIT_POINTS,
    VISIT_RESIDUALS,
    VISIT_SPREAD,
    VISIT_SUM,
    WIDTH,
)
from ridgeline.kernels.walks.mildest import mean_of_mildest
from ridgeline.kernels.walks.numbers import LARGEST, counted, fraction, keep, kept, mean_of, push, read, weight
from ridgeline.kernels.walks.pace import VOTES
from ridgeline.kernels.walks.profile import DAY, ENOUGH, day_type, days, end_visit, expected, sound, width_for

LEVEL_SECONDS, LEVEL_LEAST = 5400.0, 18.0  # span of the level: seconds; steps at least
LEVEL_FIRST: Final = 30.0  # steps that the level must know
MOST_OF_PROFILE: Final = 4.0  # the level is taken for so much of the profile at most, and for one over it at least
SPREAD_SECONDS: Final = 518_400.0
FLOOR: Final = 0.2
DEVIATION_OF_MEAN: Final = 1.2533  # standard deviation over mean absolute deviation, of normal numbers
GATE: Final = 0.7
SIGMAS: Final = 4.5


@exact_kernel
def forget(wide: np.ndarray, narrow: np.ndarray, profile: np.ndarray, row: int, rows: int) -> None:
    """Begin anew: with other slots, or of a series that is another kind now. Clips, pace and counters stay."""
    never_inline()
    wide[VISIT_SUM : LEVEL_PROFILE + 1] = 0.0
    narrow[WIDTH : SPREAD_FLOOR_STEPS + 1] = 0.0
    narrow[LATE_VALUES:NEWEST_SCORES] = 0.0
    for slot in range(CELLS):
        profile[slot * rows + row, :] = 0.0


@exact_kernel
def step(
    wide: np.ndarray, narrow: np.ndarray, profile: np.ndarray, row: int, rows: int, t: int, x: float
) -> tuple[float, float, float, float, int]:
    """Return W, U, the ends of the band, and VISIT_ENDED or BEGAN_ANEW where cells were written to.

    U is -1 while it is not known, the ends are NaN where there is no band.

    profile float32[CELLS rows, CELL], of all rows.
    """
    always_inline()
    pace = read(narrow, PACE)
    width = np.int64(narrow[WIDTH])
    wrote = 0
    if width == 0 or (narrow[PACE_VOTES] >= VOTES and width != width_for(pace)):
        wrote = BEGAN_ANEW if width > 0 else 0
        forget(wide, narrow, profile, row, rows)
        width = width_for(pace)
        narrow[WIDTH] = width
    # Quotients of float64 are exact for numbers so small, and take half as long as those of whole numbers.
    slots = np.int64(DAY / np.float64(width))
    day = t // DAY
    slot = np.int64(np.float64(t - day * DAY) / np.float64(width))
    begun = t - day * DAY - slot * width
    visit = np.float32(day * slots + slot)
    if visit != narrow[VISIT] and narrow[VISIT_POINTS] > 0.0:
        _end(wide, narrow, profile, row, rows, slots, width)
        wrote = VISIT_ENDED
    narrow[VISIT] = visit
    wide[VISIT_SUM] += x
    narrow[VISIT_POINTS] += 1.0
    if x < 0.0 and narrow[NEGATIVE] == 0.0:
        narrow[NEGATIVE] = 1.0

    within = np.float64(begun) / width - 0.5
    before = (slot - 1 if slot > 0 else slots - 1) * rows + row
    after = (slot + 1 if slot + 1 < slots else 0) * rows + row
    here = profile[slot * rows + row]
    sound(here)
    sound(profile[before])
    sound(profile[after])
    known, p = expected(here, profile[before if within < 0.0 else after], day_type(t), abs(within))
    if not known:
        return 0.0, -1.0, np.nan, np.nan, wrote
    if not _level(wide, narrow, pace, x, p):
        return 0.0, -1.0, np.nan, np.nan, wrote
    middle, y, mildest = _residual(wide, narrow, x, p)
    if narrow[RESIDUALS] < RECENT:
        return 0.0, -1.0, np.nan, np.nan, wrote
    wide[VISIT_SPREAD] += abs(y)
    narrow[VISIT_RESIDUALS] += 1.0
    explained = _explained(narrow, pace, y)
    if days(here, CELL_SPREAD) < ENOUGH:
        return 0.0, -1.0, np.nan, np.nan, wrote
    room = SIGMAS * _deviation(narrow, pace, here, profile[before], profile[after])
    ungated = fraction(mildest, room)
    if not explained:
        return 0.0, ungated, np.nan, np.nan, wrote
    least = -LARGEST if narrow[NEGATIVE] != 0.0 else 0.0
    return ungated, ungated, max(middle - room, least), min(middle + room, LARGEST), wrote


@exact_kernel
def _end(
    wide: np.ndarray, narrow: np.ndarray, profile: np.ndarray, row: int, rows: int, slots: int, width: int
) -> None:
    """End the visit of a slot: its mean enters the profile, and its spread."""
    never_inline()
    visit = np.int64(narrow[VISIT])
    residuals = read(narrow, VISIT_RESIDUALS)
    spread = wide[VISIT_SPREAD] / residuals if residuals > 0.0 else -1.0
    cell = profile[visit % slots * rows + row]
    end_visit(cell, day_type(visit * width), wide[VISIT_SUM] / read(narrow, VISIT_POINTS), spread)
    wide[VISIT_SUM] = wide[VISIT_SPREAD] = 0.0
    narrow[VISIT_POINTS] = narrow[VISIT_RESIDUALS] = 0.0


@exact_kernel
def _level(wide: np.ndarray, narrow: np.ndarray, pace: float, x: float, p: float) -> bool:
    """Let x and p into their rings, and what leaves these into the level; return whether the level is known."""
    always_inline()
    steps = read(narrow, LEVEL_STEPS)
    late = steps - RECENT + 1.0
    if late >= 1.0:
        share = weight(late, max(LEVEL_SECONDS / pace, LEVEL_LEAST))
        wide[LEVEL_VALUE] = kept(wide[LEVEL_VALUE] + share * (read(narrow, LATE_VALUES) - wide[LEVEL_VALUE]))
        wide[LEVEL_PROFILE] = kept(wide[LEVEL_PROFILE] + share * (read(narrow, LATE_PROFILE) - wide[LEVEL_PROFILE]))
    push(narrow, LATE_VALUES, RECENT, x)
    push(narrow, LATE_PROFILE, RECENT, p)
    narrow[LEVEL_STEPS] = counted(steps)
    return late >= LEVEL_FIRST


@exact_kernel
def _residual(wide: np.ndarray, narrow: np.ndarray, x: float, p: float) -> tuple[float, float, float]:
    """Let the residual of x into its ring; return what x was expected to be, y and |t|."""
    always_inline()
    value, profile = wide[LEVEL_VALUE], wide[LEVEL_PROFILE]
    if narrow[NEGATIVE] == 0.0 and profile > 0.0:
        ratio = min(max(value / profile, 1.0 / MOST_OF_PROFILE), MOST_OF_PROFILE)
        middle = p * ratio
    else:
        middle = p + (value - profile)
    residual = x - middle
    push(narrow, RESIDUAL_RING, RECENT, residual)
    push(narrow, LEVEL_RING, RECENT, x - value)
    narrow[RESIDUALS] = min(narrow[RESIDUALS] + 1.0, RECENT)
    y = mean_of(narrow, RESIDUAL_RING, RECENT)
    return middle, y, max(mean_of_mildest(narrow[RESIDUAL_RING : RESIDUAL_RING + RECENT], y), 0.0)


@exact_kernel
def _explained(narrow: np.ndarray, pace: float, y: float) -> bool:
    """Learn how far residuals lie off 0, and values off their level; return whether the first are the smaller ones."""
    always_inline()
    steps = counted(read(narrow, SPREAD_STEPS))
    share = weight(steps, SPREAD_SECONDS / pace)
    residual, level = read(narrow, SPREAD_RESIDUAL), read(narrow, SPREAD_LEVEL)
    residual += share * (abs(y) - residual)
    level += share * (abs(mean_of(narrow, LEVEL_RING, RECENT)) - level)
    keep(narrow, SPREAD_RESIDUAL, residual)
    keep(narrow, SPREAD_LEVEL, level)
    narrow[SPREAD_STEPS] = steps
    return residual <= GATE * level


@exact_kernel
def _deviation(narrow: np.ndarray, pace: float, here: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """Return sd: of the slot and its neighbours, as far as they know any, and not far below its own mean."""
    always_inline()
    total, cells = read(here, CELL_SPREAD), 1.0
    if days(before, CELL_SPREAD) > 0:
        total, cells = total + read(before, CELL_SPREAD), cells + 1.0
    if days(after, CELL_SPREAD) > 0:
        total, cells = total + read(after, CELL_SPREAD), cells + 1.0
    mean = total / cells
    steps = counted(read(narrow, SPREAD_FLOOR_STEPS))
    floor = read(narrow, SPREAD_FLOOR)
    floor += weight(steps, SPREAD_SECONDS / pace) * (mean - floor)
    keep(narrow, SPREAD_FLOOR, floor)
    narrow[SPREAD_FLOOR_STEPS] = steps
    return DEVIATION_OF_MEAN * max(mean, FLOOR * floor)
