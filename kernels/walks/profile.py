"""The outage walk's profile: what each time of the day holds, on all days, Monday to Friday and the weekend, and its spread.

A cell is one slot of one metric. The cells of one slot lie together, metric after metric, for a run that looks at one slot
of all of them. Each bears a check of its own: one that does not add up is empty.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks.layout import CELL_ALL, CELL_CHECK, CELL_DAYS, CELL_SPREAD, CELL_WEEK, CELL_WEEKEND
from ridgeline.kernels.walks.numbers import keep, read

DAY: Final = 86400
WIDTHS: Final = (900, 1800, 3600, 7200, 10800, 14400, 21600, 28800, 43200, 86400)
NEWEST_DAY: Final = 0.2  # the least weight of the newest day
ENOUGH: Final = 2  # days that a table must know
MOST_DAYS: Final = 15  # counted: four counts of up to so many stand in one number
MIX: Final = 0x9E3779B  # odd, and so small that sums of five products stay below 2 ** 63


@exact_kernel
def width_for(pace: float) -> int:
    """Return the seconds of a slot: 96 a day, or as few as make none shorter than a step."""
    for width in WIDTHS:
        if width * 8.0 >= pace * 7.0:  # steps waver by an eighth
            return width
    return DAY


@exact_kernel
def day_type(t: int) -> int:
    """Return the table of the day, UTC, of t, epoch seconds."""
    always_inline()
    return CELL_WEEKEND if (t // DAY + 3) % 7 >= 5 else CELL_WEEK  # the first day of the epoch was a Thursday


@exact_kernel
def days(cell: np.ndarray, table: int) -> int:
    """Return how many days a table of the cell knows, MOST_DAYS at most."""
    always_inline()
    return int(cell[CELL_DAYS]) >> (4 * table) & 15


@exact_kernel
def check_of(cell: np.ndarray) -> np.int32:
    """Return the check of a cell; 0 for an empty one."""
    always_inline()
    bits = cell.view(np.int32)
    mixed = 0
    for i in range(CELL_CHECK):
        mixed += (int(bits[i]) & 0xFFFFFFFF) * (MIX + 2 * i)
    return np.int32((mixed ^ (mixed >> 31)) & 0x7FFFFFFF)


@exact_kernel
def sound(cell: np.ndarray) -> bool:
    """Return whether the cell is what was written; if it is not, empty it."""
    always_inline()
    if cell.view(np.int32)[CELL_CHECK] == check_of(cell):
        return True
    cell[:] = 0.0
    return False


@exact_kernel
def enter(cell: np.ndarray, table: int, value: float) -> None:
    """Let a day's value into one table of the cell: m += max(.2, 1/days) (value - m)."""
    never_inline()
    known = min(days(cell, table) + 1, MOST_DAYS)
    level = read(cell, table)
    keep(cell, table, level + max(NEWEST_DAY, 1.0 / known) * (value - level))
    others = np.int64(cell[CELL_DAYS]) & ~(15 << (4 * table))
    cell[CELL_DAYS] = others | (known << (4 * table))
    cell.view(np.int32)[CELL_CHECK] = check_of(cell)


@exact_kernel
def end_visit(cell: np.ndarray, table: int, value: float, spread: float) -> None:
    """Let the mean of a visit into the tables of all days and of its day's type, and its mean |y| where that is not below 0."""
    never_inline()
    sound(cell)
    enter(cell, CELL_ALL, value)
    enter(cell, table, value)
    if spread >= 0.0:
        enter(cell, CELL_SPREAD, spread)


@exact_kernel
def expected(here: np.ndarray, beside: np.ndarray, table: int, share: float) -> tuple[bool, float]:
    """Return whether the profile is known, and what it holds: `share` of the way from one slot's middle to the other's."""
    always_inline()
    if days(here, table) < ENOUGH or days(beside, table) < ENOUGH:
        table = CELL_ALL
    if days(here, table) < ENOUGH or days(beside, table) < ENOUGH:
        return False, 0.0
    level = read(here, table)
    return True, level + share * (read(beside, table) - level)
