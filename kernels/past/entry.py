"""The native entry `past`: before points are walked, what became of those that were."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels._signature import Bytes, FloatRows, Int, IntRows, Ints, signature_of
from ridgeline.kernels.paging.layout import HOT_CHANGED
from ridgeline.kernels.paging.row import mixed
from ridgeline.kernels.past.layout import CHECK, COUNT, EARLIER, LATE, MARK, REWRITTEN, SUM
from ridgeline.kernels.walks.layout import POINTS, WATERMARK


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    bits: Ints,
    rows: Ints,
    as_of: Int,
    whole: Int,
    hot: FloatRows,
    past: IntRows,
    changed: Bytes,
    facts: IntRows,
) -> Int:
    """Take in series that the entry `paging` is about to walk, as given to it, and return 0.

    offsets int64[m+1], timestamps int64[N], bits int64[N] of the values, rows int64[m], as_of, whole: those of `paging`
    hot float64[n, ROW]: the rows of the walks, not walked yet; only read
    past int64[n, WORDS]: changed in place; changed uint8[n]: as `paging` has it
    facts int64[m, FACTS]: results of each series, whole ones alone; of one that holds less than what was walked: nothing
    """
    for one in range(rows.size):
        row = rows[one]
        facts[one, :] = 0
        begin, stop = offsets[one], offsets[one + 1]
        while stop > begin and timestamps[stop - 1] > as_of:
            stop -= 1
        if row < 0 or begin == stop:
            continue
        ours, newest = past[row], timestamps[stop - 1]
        known = hot[row].view(np.float32)[POINTS] > 0.0
        watermark = np.int64(hot[row, WATERMARK]) if known else newest
        sound = known and ours[CHECK] == check_of(ours, watermark)
        if newest < watermark or (whole == 0 and not sound):
            continue
        if whole == 0:
            for i in range(begin, stop):
                if timestamps[i] > watermark:
                    ours[COUNT] += 1
                    ours[SUM] += mixed(mixed(timestamps[i]) ^ bits[i])
        else:
            told = sound and timestamps[begin] <= ours[MARK]
            mark = timestamps[begin + (stop - begin) // EARLIER]
            before, before_sum, count, total = 0, 0, 0, 0
            for i in range(begin, stop):
                t = timestamps[i]
                point = mixed(mixed(t) ^ bits[i])
                if t > ours[MARK] and t <= watermark:
                    before += 1
                    before_sum += point
                if t > mark:
                    count += 1
                    total += point
            if told and before > ours[COUNT]:
                facts[one, LATE] = before - ours[COUNT]
            elif told and (before < ours[COUNT] or before_sum != ours[SUM]):
                facts[one, REWRITTEN] = 1
            ours[MARK], ours[COUNT], ours[SUM] = mark, count, total
        ours[CHECK] = check_of(ours, newest)
        changed[row] |= HOT_CHANGED
    return 0


@exact_kernel
def check_of(ours: np.ndarray, watermark: int) -> int:
    """Return the check of a row of the past, int64[WORDS], where the walks know points up to `watermark`; never 0."""
    always_inline()
    found = mixed(mixed(mixed(ours[MARK]) ^ ours[COUNT]) ^ ours[SUM]) ^ mixed(watermark)
    return found if found != 0 else 1


SIGNATURE: Final = signature_of(run)
