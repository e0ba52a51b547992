"""The native entry `paging`: new points of many metrics, each once, into what a memory keeps of their walks."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import (
    ByteRows,
    Bytes,
    FloatRows,
    Floats,
    Int,
    IntRows,
    Ints,
    ShortFloatRows,
    signature_of,
)
from ridgeline.kernels.paging.layout import (
    CHECK,
    DAMAGED,
    EXPECTED_HIGH,
    EXPECTED_LOW,
    GAP,
    HOT_CHANGED,
    LEADERS_CHANGED,
    NOVELTY,
    OUTAGE_SCORE,
    PATTERN_SCORE,
    SCORE,
    SEASONAL,
    SLOTS_CHANGED,
    UNRIPE,
    WALKED,
)
from ridgeline.kernels.paging.row import EVERY, forget, is_whole, open_row, seal
from ridgeline.kernels.walks.layout import (
    BEGAN_ANEW,
    CELLS,
    HIGH,
    HOT,
    HOUR_ENDED,
    LEADER_USED,
    LEARNING,
    LOW,
    OUTAGE,
    PAGES,
    PATTERN,
    POINTS,
    SCRATCH,
    VISIT,
    VISIT_ENDED,
    WATERMARK,
    WIDE,
    WIDTH,
)
from ridgeline.kernels.walks.one import finite, step
from ridgeline.kernels.walks.profile import DAY


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    rows: Ints,
    as_of: Int,
    whole: Int,
    today: Int,
    hot: FloatRows,
    slots: ShortFloatRows,
    leaders: ShortFloatRows,
    profile: ShortFloatRows,
    changed: Bytes,
    cells: ByteRows,
    facts: IntRows,
    scratch: Floats,
) -> Int:
    """Walk the points of each series that are newer than its watermark and not later than `as_of`; return 0.

    offsets int64[m+1], timestamps int64[N], values float64[N]: series, cleaned and as they came, ascending
    rows int64[m]: the row of each, below 0: none; whole: not 0 where the series are all that is stored
    today: versions of the walks, as VERSIONS has them
    hot float64[n, ROW], slots float32[n, SLOTS_ROW], leaders float32[n, LEADERS_ROW], profile float32[CELLS stripe, CELL]:
        what is kept, changed in place; what has no new point stays as it is, its verdict too
    changed uint8[n]: bits of the pieces that changed; cells uint8[n, CELLS / 8]: a bit of each cell that did
    facts int64[m, FACTS]: results of each series
    scratch float64[ROOM]

    A row whose check fails is emptied, also where it has no new point; it begins anew with whole series alone.
    A metric that nothing was known of learns from all of its points, and is judged by the newest alone: those before it
    were nobody's news.
    """
    stripe = profile.shape[0] // CELLS
    scores = scratch[SCRATCH:].view(np.float32)
    for one in range(rows.size):
        row = rows[one]
        facts[one, :] = 0
        if row < 0:
            continue
        mine = hot[row]
        words = mine.view(np.int64)
        if not is_whole(words, CHECK):
            mine[:] = 0.0
            facts[one, DAMAGED] = 1
            changed[row] |= HOT_CHANGED
            if whole == 0:
                continue
        begin, end = offsets[one], offsets[one + 1]
        if begin == end or timestamps[begin] > as_of:
            continue
        if words[CHECK] != 0 and mine[WATERMARK] >= min(timestamps[end - 1], as_of):
            continue
        wide = mine[:WIDE]
        narrow = mine.view(np.float32)
        state = narrow[: 2 * HOT]
        damaged, lost = open_row(mine, slots[row], leaders[row], profile, row, stripe, today, cells[row])
        facts[one, DAMAGED] += damaged
        if not finite(wide, state):
            lost = EVERY
            forget(EVERY, mine, slots[row], leaders[row], profile, row, stripe, cells[row])
            mine[:HOT] = 0.0
        new = state[POINTS] == 0.0
        facts[one, GAP] = 1 if whole != 0 and not new and timestamps[begin] > wide[WATERMARK] else 0
        walked = touched = 0
        for i in range(begin, end):
            t = timestamps[i]
            if t > as_of:
                break
            if state[POINTS] > 0.0 and t <= wide[WATERMARK]:
                continue
            width, visit = state[WIDTH], state[VISIT]
            wrote = step(
                wide, state, slots[row], leaders[row], profile, row, stripe, t, values[i], scores, scratch[:SCRATCH]
            )
            if not finite(wide, state):
                forget(EVERY, mine, slots[row], leaders[row], profile, row, stripe, cells[row])
                mine[:HOT] = 0.0
                lost = EVERY
            elif wrote & BEGAN_ANEW != 0:
                cells[row, :] = 255
            elif wrote & VISIT_ENDED != 0:
                slot = np.int64(visit) % (DAY // np.int64(width))
                cells[row, slot >> 3] |= 1 << (slot & 7)
            touched |= wrote
            first = new or walked == 0
            narrow[SCORE] = scores[PAGES] if first else max(narrow[SCORE], scores[PAGES])
            narrow[OUTAGE_SCORE] = scores[OUTAGE] if first else max(narrow[OUTAGE_SCORE], scores[OUTAGE])
            narrow[PATTERN_SCORE] = scores[PATTERN] if first else max(narrow[PATTERN_SCORE], scores[PATTERN])
            narrow[UNRIPE] = scores[LEARNING]
            narrow[EXPECTED_LOW], narrow[EXPECTED_HIGH] = scores[LOW], scores[HIGH]
            walked += 1
        facts[one, WALKED] = walked
        if touched & HOUR_ENDED != 0 or lost & (1 << SEASONAL) != 0:
            hours = slots[row].view(np.int64)
            changed[row] |= SLOTS_CHANGED if seal(hours, hours.size - 1) else 0
        if touched & LEADER_USED != 0 or lost & (1 << NOVELTY) != 0:
            patterns = leaders[row].view(np.int64)
            changed[row] |= LEADERS_CHANGED if seal(patterns, patterns.size - 1) else 0
        changed[row] |= HOT_CHANGED if seal(words, CHECK) else 0
    return 0


SIGNATURE: Final = signature_of(run)
