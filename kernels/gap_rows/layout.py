"""Rows of the memory about airgaps, and what their entry and its callers agree on. Needs no numba to import.

A row tells what `kernels.gaps` would find in the points of the newest `period` seconds, as far as that follows from a full
read and the points that came after it. All that is not certain is to be read in full.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

# Words of a row, int64; seconds, instants in epoch seconds. A row of zeros is none.
(
    CHECK,  # of all other words
    NEWEST,  # the newest point that it knows of
    STATE,  # below
    SHORTEST,  # STEADY: the usual step. UNEVEN: no step is shorter
    LONGEST,  # UNEVEN: no step is longer. STEADY: the seconds of all OTHERS together
    OTHERS,  # STEADY: so many steps that are no gaps, or fewer, are other than the usual one
    TOTAL,  # at most so many points are stored
    FIRST,  # the first point that was stored
    HELD,  # how far the key reached back, from the clock of a run that saw or proved its beginning
    POINTS,  # points of the window that is judged, where it held all that was stored; else -1
    EDGE,  # the first point within the period as of the last full read
    OPENED,  # the first second of a gap that was not closed by a usual step yet; 0: there is none
    GAPS,  # the first of ROOM closed ones, the oldest first: see `packed`; 0: none
) = range(13)
ROOM: Final = 4
GAP_WORDS: Final = 16
GAP_BYTES: Final = 8 * GAP_WORDS
assert GAPS + ROOM == GAP_WORDS

# UNKNOWN: it is read in full in every run. NOTHING: too few points for anything to be told, as long as none comes. FEW: the
# same, until there are enough. STEADY: most steps are the usual one. UNEVEN: whichever step is the usual one, none is a gap.
UNKNOWN, NOTHING, FEW, STEADY, UNEVEN = range(5)

LENGTH_BITS: Final = 24  # of a packed gap: its seconds, below its first second

# Columns of facts int64[m, FACTS], results: the usual step, or one that stands for it (0: none is told; READ: the series is
# to be read in full), how many gaps are closed, whether one is open.
STEP, CLOSED, OPEN = range(3)
FACTS: Final = 3
READ: Final = -1

_FORMULAS: Final = 1  # raised with every change of what a word means
VERSION: Final = crc32(repr((_FORMULAS, GAP_WORDS, ROOM)).encode())
