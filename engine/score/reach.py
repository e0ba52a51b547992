"""`min_window_points`: windows of so many points, where the configured one holds fewer.

A day of hourly points are 24, which no algorithm judges. The window of a series is therefore

    max(full_duration, min_window_points * step)

where the step is the median of the newest 31 steps up to the instant that is judged (of two, the shorter), to two
significant digits, so that a series that is written a little late now and then does not change its window each time. It
depends on nothing later: a replay gives each step the window that `score` gave it then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import NO_AS_OF

if TYPE_CHECKING:
    from ridgeline.engine.score.plan import Policies
    from ridgeline.engine.score.rows import Judgeable

STEPS: Final = 31
ROUNDED_UP: Final = 1.05  # by two significant digits, at most
_PIECE: Final = 65_536  # points looked at together

Ints = NDArray[np.int64]


def steps_at(t: Ints) -> Ints:
    """Return the step as of each point, seconds, int64[n]; 0 where there is none. t int64[n], ascending and distinct."""
    found = np.zeros(len(t), np.int64)
    steps = np.diff(t)
    for at in range(1, min(len(t), STEPS)):
        found[at] = _middle(steps[:at])
    if len(steps) >= STEPS:
        every = np.lib.stride_tricks.sliding_window_view(steps, STEPS)
        for start in range(0, len(every), _PIECE):
            found[STEPS + start : STEPS + start + _PIECE] = _middle(every[start : start + _PIECE])
    return two_digits(found)


def windows_at(t: Ints, window: int, points: int) -> Ints:
    """Return the window as of each point, seconds, int64[n]. t int64[n], ascending and distinct; points: 0 = the window."""
    if not points or not _ever_long(t, window / points):
        return np.full(len(t), window, np.int64)
    return np.maximum(window, points * steps_at(t))


def _ever_long(t: Ints, least: float) -> bool:
    """Whether any step of `steps_at` may be longer than `least` seconds: most of those that it is the middle of are."""
    long = np.diff(t) * ROUNDED_UP > least
    if not long.any():
        return False
    many = np.concatenate(([0], np.cumsum(long)))
    before = np.maximum(np.arange(len(many)) - STEPS, 0)
    return bool((2 * (many - many[before]) > np.arange(len(many)) - before).any())


def stretched(policies: Policies, matrix: Judgeable, as_of: Ints) -> Policies:
    """Return the policies with the window of each row; as_of int64[n], `NO_AS_OF`: a row's own newest point."""
    if not policies.reach.any():
        return policies
    reach = policies.reach[policies.of_row]
    rows = np.flatnonzero((reach > 0) & (policies.of_row >= 0))
    if not len(rows):
        return policies
    windows = policies.windows.copy()
    windows[rows] = np.maximum(windows[rows], reach[rows] * newest_steps(matrix, rows, as_of[rows]))
    return replace(policies, own_windows=windows)


def cut_short(policies: Policies, matrix: Judgeable, newest: Ints) -> NDArray[np.bool_]:
    """Return where the window is longer than the policy's and reaches back before the first point, bool[n].

    newest int64[n]: the timestamp that the windows end at, epoch seconds.
    """
    windows, begins = policies.windows, matrix.offsets[:-1]
    found: NDArray[np.bool_] = (windows > policies.full_duration[policies.of_row]) & (np.diff(matrix.offsets) > 0)
    found[found] = matrix.timestamps[begins[found]] > newest[found] - windows[found]
    return found


def newest_steps(matrix: Judgeable, rows: Ints, as_of: Ints) -> Ints:
    """Return the step of each of some rows, seconds, int64[k]; 0 where there is none. as_of int64[k], of these rows."""
    t, begins, ends = matrix.timestamps, matrix.offsets[rows], matrix.offsets[rows + 1]
    last = t[np.maximum(ends, 1) - 1] if len(t) else np.zeros(len(rows), np.int64)
    plain = (ends - begins > STEPS) & (matrix.duplicates[rows] == 0) & ((as_of == NO_AS_OF) | (last <= as_of))
    found = np.zeros(len(rows), np.int64)
    at = ends[plain][:, None] - np.arange(STEPS, -1, -1)
    found[plain] = _middle(np.diff(t[at - 1], axis=1)) if plain.any() else 0
    for place in np.flatnonzero(~plain).tolist():
        stamps = t[begins[place] : ends[place]]
        if as_of[place] != NO_AS_OF:
            stamps = stamps[: np.searchsorted(stamps, as_of[place], "right")]
        steps = np.diff(stamps)
        steps = steps[steps > 0][-STEPS:]
        found[place] = _middle(steps) if len(steps) else 0
    return two_digits(found)


def _middle(steps: NDArray[Any]) -> Any:
    """The median along the last axis, of two the shorter."""
    middle = (steps.shape[-1] - 1) // 2
    return np.partition(steps, middle, axis=-1)[..., middle]


def two_digits(steps: Ints) -> Ints:
    """Whole numbers, rounded to two significant digits."""
    digits = np.floor(np.log10(np.maximum(steps, 1))).astype(np.int64)
    unit = 10 ** np.maximum(digits - 1, 0)
    rounded: Ints = (steps + unit // 2) // unit * unit
    return rounded
