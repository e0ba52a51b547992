"""Rows of the memory, and what its entries and their callers agree on. Needs no numba to import.

A row is two pieces, opaque to whoever stores them: a hot one of `HOT_WORDS` words, changed by every new point, and a
queue of the next points to leave the window, written when the series is read in full (`anchor`) and only read since.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

from ridgeline.kernels.decode.layout import NESTING

# Words of a hot row, int64 or float64 each; a row of zeros alone is no row.
(
    CHECK,  # of all other words (`seal`)
    MARKS,  # eight bytes, below
    MEANING,  # hash of what the sums mean: window, rules of duplicates and of the future, preparation
    JUDGEMENT,  # hash of the policy under which its verdict was made
    LAST,  # newest timestamp, epoch seconds
    VALUE,  # float64: newest value, and the two before it
    BEFORE,
    EARLIER,
    COUNT,  # points in the window
    ORIGIN,  # float64: what the sums are about
    SUM,  # float64: of d = x - origin over the window without its newest point, the history
    SQUARES,  # float64: of d d over the same
    PEAK,  # float64: the largest that SQUARES has been since the row was anchored
    CHANGES,  # points added to and taken off these sums, those of the anchoring included
    EW_SUM,  # float64: of w d over the window, w the exponential weights, newest 1
    EW_SQUARES,  # float64: of w d d
    EW_ERROR,  # float64: EW_SQUARES after each change, decayed as they are: what bounds rounding in both
    RUN,  # newest points with one value
    NEGATIVES,  # points of the window below 0
    STEP,  # seconds: the resolution; the median step as of the last full read
    SAME,  # how many steps of the window are of this length
    HELD,  # seconds from the key's first timestamp to the instant at which it was last seen; 0: it is within the window
    JUNCTION,  # sum over the newest KNOWN pairs of the key (`junction`)
    SPAN,  # seconds from one of the newest SPAN_POINTS points, the oldest that is known, to the newest
    QUEUE_AT,  # place of the next point to leave
    QUEUE_LENGTH,
    QUEUE_BASE,  # epoch seconds from which the queue counts
    QUEUE_ID,  # hash of the whole queue, which its blocks are checked with
    READING,  # float64: newest value of the counter, where its rises are judged
    PAIRS,  # halves, below
    RESETS_AND_COUNT,
    PLACES,
) = range(32)
HOT_WORDS: Final = 32
HOT_BYTES: Final = 8 * HOT_WORDS

# Halves of the last words, int32; in int32[n, 2 HOT_WORDS] they are columns. Of the key's own window, whatever is judged:
(
    RISES,  # pairs of neighbours that rise
    DROPS,  # that fall
    RESETS,  # that fall to next to nothing (`prepare.counter`)
    RAW_COUNT,  # points. And where rises are judged, else 0:
    AHEAD,  # seconds from the newest rise to the newest point
    RAW_AT,  # place in the queue of the counter's next point to leave
) = range(2 * PAIRS, 2 * HOT_WORDS)

# Bytes of MARKS; in uint8[n, HOT_BYTES] they are columns `MARKS_BYTE + ...`.
MARKS_BYTE: Final = 8 * MARKS
(
    STATE,  # what the row is, below
    OUTCOME,  # code of the newest verdict (`score.layout`), and of the one of the run before; NO_OUTCOME
    PREVIOUS,
    FRESH,  # 1 where the newest run brought a point
    COUNTER,  # 1 where the window is a counter's, and its values are judged
    STANDING,  # whether the verdict holds while no point comes, below
    KNOWN,  # pairs in JUNCTION
    DROPPED,  # unusable pairs behind the newest usable one that have been counted
) = range(8)
# ODD: to be read in full each run. VALUES: the key's own values are judged; WATCHED: as long as they are no counter's.
# DERIVED: the rises of a declared counter are judged; WATCHED_DERIVED: of what is one, as long as it is.
EMPTY_ROW, ODD, VALUES, WATCHED, DERIVED, WATCHED_DERIVED = range(6)
NO_OUTCOME: Final = 255
# REDO: it must be found anew (an anomaly, whose votes are needed; or nothing was decided). WAITING: the same, and the
# head has been asked for. STANDS: it holds; STANDS_WAITING: it does if the head takes nothing off the window.
REDO, STANDS, WAITING, STANDS_WAITING = range(4)

# A queue row: BLOCKS blocks of one cache line each. int32: BLOCK_POINTS seconds from QUEUE_BASE, and a check; from word
# BLOCK_VALUES on float64: their values.
BLOCK_POINTS: Final = 5
BLOCK_WORDS: Final = 8
BLOCK_VALUES: Final = 3
BLOCKS: Final = 12
QUEUE_POINTS: Final = BLOCK_POINTS * BLOCKS
QUEUE_WORDS: Final = BLOCK_WORDS * BLOCKS
QUEUE_BYTES: Final = 8 * QUEUE_WORDS
LONGEST_QUEUE: Final = 2**31 - 1  # seconds from its first point to its last

PROOF: Final = 17  # newest pairs that prove where a row stands: a listener refuses points older than 1,000 seconds
SPAN_POINTS: Final = 20  # points that ks_test wants in its newest sample
SILENT: Final = 600  # seconds: behind by more, a series may have been trimmed within its window

# What is told of a row, uint8. From READ on: to be read in full, and why.
SETTLED, QUIET, HEAD, ABSENT, WRONG_TYPE = range(5)
READ: Final = 16
(
    READ_NEW,  # the memory has no row
    READ_NO_JUNCTION,  # the tail does not contain the newest known pairs
    READ_LAYOUT,  # the tail's bytes make no pairs that end where it does
    READ_ODD,
    READ_UNDECIDED,  # it may be anomalous
    READ_QUEUE,  # the queue is exhausted
    READ_FUTURE,  # the row's newest point is later than the run's clock
    READ_MEANING,  # window, rules or preparation are others now
    READ_DAMAGED,  # a check fails
    READ_WINDOW,  # the key holds other points of the window than the row has
    READ_REFRESH,  # its turn; set by callers
    READ_CLASS,  # a counter that is none any more, or the other way round
    READ_LATE,  # a point that is not later than those before it
    READ_WALKS,  # its walks know less of it than it does, or it has more new points than can be handed on
    READ_GAPS,  # whether there are airgaps does not follow from its new points; set by callers
    READ_ARCHIVE,  # it was archived less far than the memory knows it; set by callers
) = range(READ, READ + 16)
READS: Final = (
    "new", "no_junction", "layout", "odd", "undecided", "queue", "future", "meaning", "damaged", "window", "refresh",
    "class", "late", "walks", "gaps", "archive",
)  # fmt: skip

HEAD_SIZE: Final = 19  # bytes of a head: the longest fixed layout of one pair

# cursor int64[CURSOR] of `tails` and `heads`: bytes taken, rows done, both in and out; how many bytes there are; and of
# `tails` how many new points were handed on, in and out.
AT, DONE, HAVE, HANDED = range(4)
CURSOR: Final = 4

# Status of `tails` and `heads`, at the place that the cursor tells.
OK: Final = 0
NOT_RESP: Final = -1  # no reply, or a longer one than was asked for: the connection is of no use
REFUSED: Final = -2  # an error reply other than WRONGTYPE

_FORMULAS: Final = 2  # raised with every change of what a word means
LAYOUT_VERSION: Final = crc32(repr((_FORMULAS, HOT_WORDS, QUEUE_WORDS, BLOCK_POINTS, PROOF, SPAN_POINTS)).encode())


STACK: Final = HOT_WORDS + NESTING  # length of the scratch of `tails` and `heads`: a row, and what decoding needs


def tail_size(expected: int) -> int:
    """Bytes of a tail that holds the proof, `expected` new points and some slack, in the longest fixed layout."""
    return 19 * (PROOF + 1 + expected) + 26


def tail_room(size: int) -> int:
    """Points that a tail of `size` bytes may hold: length of the scratch of `tails`."""
    return size // 3 + 2


def anchor_room(longest: int) -> int:
    """Length of the scratch of `anchor`, float64, for series of up to `longest` points."""
    return 6 * longest + 128
