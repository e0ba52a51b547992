"""The native entry `walks`: points of many metrics, each row's in order of time, once."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels._signature import FloatRows, Floats, Int, IntRows, Ints, ShortFloatRows, signature_of
from ridgeline.kernels.walks.layout import CELLS, LATE, POINTS, WALKED, WATERMARK, WIDE
from ridgeline.kernels.walks.one import finite, step


@exact_kernel
def forget(hot: np.ndarray, slots: np.ndarray, leaders: np.ndarray, profile: np.ndarray, row: int) -> None:
    """Know nothing of a row any more."""
    never_inline()
    hot[row, :] = 0.0
    slots[row, :] = 0.0
    leaders[row, :] = 0.0
    for slot in range(CELLS):
        profile[slot * hot.shape[0] + row, :] = 0.0


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    rows: Ints,
    hot: FloatRows,
    slots: ShortFloatRows,
    leaders: ShortFloatRows,
    profile: ShortFloatRows,
    scores: ShortFloatRows,
    facts: IntRows,
    scratch: Floats,
) -> Int:
    """Walk the points of each series, and return 0.

    offsets int64[n+1], timestamps int64[N], values float64[N]: series, cleaned and as they came, ascending
    rows int64[n]: the row of each in the state; hot, slots, leaders, profile: the state, as in `layout`
    scores float32[N, SCORES]: results of each point; NaN of one that is not newer than those before it, and is not walked
    facts int64[n, FACTS]: results of each series
    scratch float64[SCRATCH]

    A state that is not finite, before or after a step, starts anew.
    """
    many = hot.shape[0]
    for one in range(rows.size):
        row = rows[one]
        wide = hot[row, :WIDE]
        narrow = hot[row].view(np.float32)
        facts[one, :] = 0
        if not finite(wide, narrow):
            forget(hot, slots, leaders, profile, row)
        for i in range(offsets[one], offsets[one + 1]):
            if narrow[POINTS] > 0.0 and timestamps[i] <= wide[WATERMARK]:
                scores[i, :] = np.nan
                facts[one, LATE] += 1
                continue
            facts[one, WALKED] += 1
            step(
                wide, narrow, slots[row], leaders[row], profile, row, many, timestamps[i], values[i], scores[i], scratch
            )
            if not finite(wide, narrow):
                forget(hot, slots, leaders, profile, row)
    return 0


SIGNATURE: Final = signature_of(run)
