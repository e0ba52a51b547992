"""Rows of the walks in a memory, and what the entry `paging` and its callers agree on. Needs no numba.

What a memory keeps of a metric is the walks' own state (`kernels.walks.layout`), and beside it:

hot      float64[n, ROW]             behind the state: versions of the walks, what the newest points said, a check
slots    float32[n, SLOTS_ROW]       the state, and a check; likewise leaders
leaders  float32[n, LEADERS_ROW]
profile  float32[CELLS stripe, CELL] the state: cells bear checks of their own
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels.walks.layout import CELLS, HOT, LEADERS_ROOM, SCORES, SCRATCH, SLOTS

# Words of a hot row behind the state.
VERSIONS, SAID, CHECK = HOT, HOT + 1, HOT + 4
ROW: Final = HOT + 5
SLOTS_ROW: Final = SLOTS + 2
LEADERS_ROW: Final = LEADERS_ROOM + 2

# What is said of a metric, float32, by their place in the whole row seen as float32: the rule's largest score over the
# points of the newest run that brought any, before its threshold; its channels' largest; bits of what had not learned
# enough at the newest point (`LEARNING`); the band in which that was expected, NaN where none is known.
SCORE, OUTAGE_SCORE, PATTERN_SCORE, UNRIPE, EXPECTED_LOW, EXPECTED_HIGH = range(2 * SAID, 2 * SAID + 6)

CHECKED: Final = 2  # by which formula pieces and cells are checked: whoever changes it counts on

# Bits of `changed` uint8[n]: which pieces of a row are to be written.
HOT_CHANGED, SLOTS_CHANGED, LEADERS_CHANGED = 1, 2, 4

# Columns of facts int64[n, FACTS]: points walked; 1 where points are missing between what was known and the first of them;
# pieces that were damaged.
WALKED, GAP, DAMAGED = range(3)
FACTS: Final = 3

CELL_BYTES: Final = CELLS // 8  # of `cells`
ROOM: Final = SCRATCH + (SCORES + 1) // 2  # of the entry's scratch

# Places of the walks in the word VERSIONS, 16 bits each: what each of them is (`engine.walks.versions`). One of another
# version begins anew, and the rest stays.
SEASONAL, NOVELTY, EXTRAPOLATION, OUTAGE = range(4)
