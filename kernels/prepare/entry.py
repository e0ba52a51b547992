"""The native entry `prepare`: series turned into those that are to be judged, row by row."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Floats, Int, Ints, signature_of
from ridgeline.kernels.prepare.counter import is_counter
from ridgeline.kernels.prepare.derivative import rises_into
from ridgeline.kernels.prepare.fill import fill_into, filled_size
from ridgeline.kernels.prepare.filling import filling_step
from ridgeline.kernels.prepare.layout import (
    CHANGED,
    COUNTER,
    DERIVE,
    DERIVED,
    DETECT,
    FEWEST,
    LAST_VALUE,
    LASTED,
    WATCH,
    ZERO_FILL,
    ZEROED,
)
from ridgeline.kernels.score.layout import OWN_AS_OF
from ridgeline.kernels.score.window import considered, keep_last
from ridgeline.kernels.shared.search import after
from ridgeline.kernels.shared.switches import LAST_WINS, SKYLINE, WINDOWED


@exact_kernel
def window_start(t: np.ndarray, window: int, switches: np.ndarray) -> int:
    """Return the place of the first point of t int64[n >= 1] that is considered when its last one is the newest."""
    return after(t, t[t.size - 1] - window) if switches[WINDOWED] != 0 else 0


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    duplicates: Bytes,
    as_of: Ints,
    full_duration: Ints,
    switches: Ints,
    asks: Bytes,
    steps: Ints,
    done: Bytes,
    bounds: Ints,
    out_t: Ints,
    out_x: Floats,
    scratch: Floats,
    scratch_t: Ints,
    longest: Int,
    start: Int,
) -> Int:
    """Prepare rows from `start` on; return 0, or 1 + the first row for whose points there is no room.

    offsets int64[n + 1], timestamps int64[N], values float64[N], duplicates uint8[n]: the matrix
    as_of int64[n]: epoch seconds, or OWN_AS_OF; full_duration int64[n]: seconds of each row's window
    switches int64[SWITCHES]: the profile
    asks uint8[n]: what is asked for (`layout`); steps int64[n]: the filling step of each row, 0 where it is to be found
    done uint8[n]: results (`layout`); the considered points of row i, where they were changed, are now
    out[bounds[i]:bounds[i + 1]], of others there are none; bounds int64[n + 1], bounds[start] is given
    scratch float64[>= prepare_room(longest)], scratch_t int64[>= 2 longest]

    Where the room does not suffice, the last bound written is the capacity needed, and the call is to be repeated from
    that row on.
    """
    rises_t = scratch_t[longest : 2 * longest]
    rises_x = scratch[longest : 2 * longest]
    for row in range(start, offsets.size - 1):
        place = bounds[row]
        bounds[row + 1] = place
        done[row] = 0
        ask = asks[row]
        t = timestamps[offsets[row] : offsets[row + 1]]
        x = values[offsets[row] : offsets[row + 1]]
        if ask == 0 or t.size == 0:
            continue
        now = t[t.size - 1] if as_of[row] == OWN_AS_OF else as_of[row]
        first, end = considered(t, now, full_duration[row], switches)
        if end == 0:
            continue
        t = t[:end]
        x = x[:end]
        if duplicates[row] != 0 and switches[LAST_WINS] != 0:
            count = keep_last(t, x, scratch_t, scratch)
            t = scratch_t[:count]
            x = scratch[:count]
            first = window_start(t, full_duration[row], switches)
        found = 0
        if ask & (DETECT | WATCH) and is_counter(x[first:], switches[SKYLINE], scratch[2 * longest :]):
            found = COUNTER
        if (ask & DERIVE or (ask & DETECT and found)) and t.size >= FEWEST:
            count = rises_into(t, x, rises_t, rises_x)
            if count > 0:
                found |= DERIVED
                t = rises_t[:count]
                x = rises_x[:count]
                first = window_start(t, full_duration[row], switches)
        size = t.size - first
        step = 0
        # Where a counter is silent nothing is known of its rate, and least of all that it is 0.
        zeros = 1 if ask & ZERO_FILL != 0 and found & DERIVED == 0 else 0
        since = t[t.size - 1] - full_duration[row]
        if ask & (ZERO_FILL | LAST_VALUE):
            step = steps[row]
            if step == 0:
                step = filling_step(t[first:], full_duration[row], switches[SKYLINE], scratch[2 * longest :])
            filled = filled_size(t, first, since, step, zeros)
            if filled > size:
                found |= ZEROED if zeros != 0 else LASTED
                size = filled
        if found & CHANGED:
            bounds[row + 1] = place + size
            if out_t.size < place + size:
                return row + 1
            fill_into(t, x, first, since, step, zeros, out_t[place:], out_x[place:])
        done[row] = found
    return 0


SIGNATURE: Final = signature_of(run)
