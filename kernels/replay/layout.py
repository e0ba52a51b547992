"""What the replay entry and its caller agree on: blocks, rows of scratch, columns of the output. Needs no numba."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels.score.layout import ALGORITHMS, SCRATCH_FIXED, SCRATCH_PER_POINT
from ridgeline.kernels.shared.stats import STATS

BLOCK: Final = 1024  # every state is computed afresh at these indices, so that a series can be cut there
LONG_BLOCK: Final = (
    8 * BLOCK
)  # and at these where windows are of `LONG` seconds or more: they cost most to look at whole
LONG: Final = 7 * 86400
STEPS: Final = 512  # points per pass of the stages: their rows stay in the caches nearest to the core
WIDTH: Final = STEPS + 8  # rows of the block arrays; 4096 bytes apart they would evict one another from the cache
SHORTEST_CHUNK: Final = 8  # blocks per ranking, at least; CHUNK_WINDOWS windows if that is more
CHUNK_WINDOWS: Final = 6
RADIX: Final = 2048  # digits of the ranking's sort

# Rows of block_floats: twelve of sums, seven of the first hour, the moving average's two, the table of scores by
# algorithm, ks_test's two, all states in one, the histogram's edges, and seven of what depends on the number of points alone.
MOMENTS, HOUR, DEVIATIONS, SQUARES, TABLE, DISTANCES, STATISTICS, STATE, EDGES, SIZES = (
    0,
    12,
    19,
    20,
    21,
    30,
    31,
    32,
    33,
    34,
)
SHARES: Final = 7
BLOCK_FLOATS: Final = SIZES + SHARES
# Of n points: n, 1 / n, 1 / (n - 1), what makes standard deviations grubbs' score, 1 / (n - 1) and 1 / n less what the
# history's and the window's deviation take off, what makes weighted squares a variance.
SIZE, SHARE, FREE, OUTLIER, FREE_HISTORY, FREE_LINE, WEIGHT = range(SHARES)
# Rows of block_integers.
FIRST, SAME, LIVE, OUTCOME, DOUBT, REFS, PROBES, TIMES, WALK, BINS, EXTREME = range(11)
BLOCK_INTEGERS: Final = 11
# Rows of the chunk arrays: the sort's five, the bitmap's three and ks_test's marks; ranks and ks_test's four.
CHUNK_INTEGERS: Final = 9
CHUNK_PLACES: Final = 5

# Rows of the output float32[COLUMNS, steps]: the nine scores, then ks_test's D and its ADF statistic.
DISTANCE: Final = ALGORITHMS
STATISTIC: Final = ALGORITHMS + 1
COLUMNS: Final = ALGORITHMS + 2
ABOVE_ONE: Final = np.nextafter(np.float32(1.0), np.float32(2.0))  # what a score just above 1 becomes as float32


def block_of(seconds: int) -> int:
    """Points of a block where windows are of so many seconds: the same for all of a series, whoever cuts it."""
    return LONG_BLOCK if seconds >= LONG else BLOCK


def chunk_room(fullest: int) -> int:
    """Points that a chunk may hold where the fullest window holds `fullest`: the window before it and its own steps."""
    return fullest + max(SHORTEST_CHUNK * BLOCK, CHUNK_WINDOWS * fullest) + BLOCK


def scratch_room(fullest: int) -> int:
    """Length of the entry's scratch where the fullest window holds `fullest` points."""
    return STATS + SCRATCH_PER_POINT * fullest + SCRATCH_FIXED
