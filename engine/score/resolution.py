"""`resolution_aware`: what is measured in minutes is measured in a series' own steps, where these are longer.

Skyline's constants suit a point a minute: an hour, ten minutes, a hundred points. Hourly and daily series have hardly a
point in an hour, and never a hundred in their windows. With a unit of u seconds, above one minute, and a window of D:

    first_hour_average    (last - D, last - D + max(3600, min(60 u, D / 4)))
    ks_test               the newest 30 u against the 60 u before them, as Skyline has it for daily data
    shortest, boring      min(100, max(20, D / u / 2)) points: half of those that a full window holds
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import NO_AS_OF
from ridgeline.kernels.shared.switches import (
    BORING_POINTS,
    DAILY,
    DROP_FUTURE,
    HOUR,
    MIN_POINTS,
    PROBE,
    REFERENCE,
    WINDOWED,
)

if TYPE_CHECKING:
    from ridgeline.engine.score.plan import Policies
    from ridgeline.engine.score.rows import Judgeable

MINUTE: Final = 60
# A step counts as the nearest of these, by ratio: minutes, hours, days, a week.
UNITS: Final = np.array([60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 604800])
_BOUNDS: Final = np.sqrt(UNITS[1:] * UNITS[:-1].astype(np.float64))
FEWEST: Final = 20  # what both of ks_test's samples need, too

Ints = NDArray[np.int64]


def units_of(t: Ints, first: NDArray[Any], last: NDArray[Any]) -> Ints:
    """Return the unit of each of k windows, int64[k], seconds: that of the median of its steps, of two the shorter.

    t int64[n], ascending epoch seconds; window k is t[first[k] : last[k] + 1]. Equal timestamps are no step; without any
    step the unit is a minute.
    """
    steps = np.diff(t)
    places = np.searchsorted(_BOUNDS, steps, "right")
    places[steps == 0] = -1
    before = [np.concatenate([[0], np.cumsum(places == place)]) for place in range(len(UNITS))]
    counts = np.stack([known[last] - known[first] for known in before])
    reached = np.cumsum(counts, axis=0)
    half = np.maximum((reached[-1] + 1) // 2, 1)
    return np.where(reached[-1] > 0, UNITS[np.argmax(reached >= half, axis=0)], MINUTE)


def units_by(steps: Ints) -> Ints:
    """Return the unit that is nearest, by ratio, to each step, int64[k], seconds; to none of them a minute."""
    return UNITS[np.searchsorted(_BOUNDS, steps, "right")]


def unit_of(step: int) -> int:
    """Return the unit of one step."""
    return int(UNITS[np.searchsorted(_BOUNDS, step, "right")])


def scaled(switches: Ints, unit: int, window: int) -> Ints:
    """Return a profile's switches for series of this unit, in windows of so many seconds."""
    if unit <= MINUTE:
        return switches
    found = switches.copy()
    shortest = max(FEWEST, window // unit // 2)
    found[HOUR] = max(int(switches[HOUR]), min(60 * unit, window // 4))
    found[PROBE], found[REFERENCE] = 30 * unit, 90 * unit
    found[MIN_POINTS] = min(int(switches[MIN_POINTS]), shortest)
    found[BORING_POINTS] = min(int(switches[BORING_POINTS]), shortest)
    found[DAILY] = 0  # Skyline's own rule for daily series would come on top
    return found


def apart(
    matrix: Judgeable, as_of: Ints, policies: Policies, switches: Ints
) -> Iterator[tuple[NDArray[np.int64], Ints]]:
    """Yield the rows of a matrix that are not judged by `switches`, and those by which they are: alike together."""
    aware = policies.of_row >= 0
    aware[aware] = policies.aware[policies.of_row[aware]]
    rows = np.flatnonzero(aware)
    if not len(rows):
        return
    windows, bounds, t = policies.windows[rows], matrix.offsets.tolist(), matrix.timestamps
    each = zip(rows.tolist(), as_of[rows].tolist(), windows.tolist(), strict=True)
    units = np.array(
        [_unit(t[bounds[row] : bounds[row + 1]], now, window, switches) for row, now, window in each], np.int64
    )
    for unit, window in sorted(set(zip(units.tolist(), windows.tolist(), strict=True))):
        if unit > MINUTE:
            yield rows[(units == unit) & (windows == window)], scaled(switches, unit, window)


def _unit(t: Ints, as_of: int, window: int, switches: Ints) -> int:
    """The unit of the points of a row that are considered."""
    end = len(t)
    if switches[DROP_FUTURE] and as_of != NO_AS_OF:
        end = int(np.searchsorted(t, as_of, "right"))
    if not end:
        return MINUTE
    first = int(np.searchsorted(t, t[end - 1] - window, "right")) if switches[WINDOWED] else 0
    steps = np.diff(t[first:end])
    steps = steps[steps > 0]
    if not len(steps):
        return MINUTE
    middle = (len(steps) + 1) // 2 - 1
    return unit_of(int(np.partition(steps, middle)[middle]))
