"""What the score entry and its callers agree on: codes, columns, modes and room. Needs no numba to import."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels.shared.stats import STATS

# Outcomes, as the kernel decides them, in the order in which they are tested from EMPTY on; their names by code.
ANALYSED, EMPTY, TOO_SHORT, STALE, BORING = range(5)
OUTCOMES: Final = ("analysed", "empty", "too_short", "stale", "boring")
NO_CRITICAL: Final = 5  # not an outcome: grubbs' critical value for this number of points is not in the table yet

# Votes. NULL: not needed, or switched off.
FALSE, TRUE, NULL, FAILED = range(4)

# Columns of votes, scores and thresholds: the registry's order.
(
    HISTOGRAM_BINS,
    FIRST_HOUR_AVERAGE,
    STDDEV_FROM_AVERAGE,
    GRUBBS,
    KS_TEST,
    MEAN_SUBTRACTION_CUMULATION,
    MEDIAN_ABSOLUTE_DEVIATION,
    STDDEV_FROM_MOVING_AVERAGE,
    LEAST_SQUARES,
) = range(9)
ALGORITHMS: Final = 9

# How far early exit may go: stop once consensus is impossible; all votes; all votes, and their scores.
EARLY_EXIT, ALL_VOTES, SCORES = range(3)

# Columns of policies int64[p, POLICY]. CONSENSUS_SLACK: votes other than True after which consensus is impossible.
# CUT: not 0 where scores are divided by cutoffs.
CONSENSUS_SLACK, MASK, STALE_PERIOD, CRITICAL_ROW, CUT = range(5)
POLICY: Final = 5

# Columns of points float64[n, POINTS]: newest value, tail mean less mean, mean; of facts int64[n, FACTS]: newest
# timestamp, points, median step in seconds, whether a value is below 0, whether the window is a counter's.
DATAPOINT, CHANGE, LEVEL = range(3)
POINTS: Final = 3
TIMESTAMP, COUNT, RESOLUTION, NEGATIVE, COUNTER = range(5)
FACTS: Final = 5

OWN_AS_OF: Final = -(2**63)  # as_of of a row: its own newest timestamp

# Scratch float64 that the algorithms need for n points: SCRATCH_PER_POINT n + SCRATCH_FIXED.
SCRATCH_PER_POINT: Final = 8
SCRATCH_FIXED: Final = 4096
USER_SCRATCH_PER_POINT: Final = 4  # what a user's algorithm is promised


def score_room(longest: int) -> int:
    """Length of the score entry's scratch for rows of up to `longest` points."""
    # One more per point: where timestamps repeat, the last points are copied to the front.
    return STATS + ALGORITHMS + (SCRATCH_PER_POINT + 1) * longest + SCRATCH_FIXED


def user_room(longest: int) -> int:
    """Length of the scratch of users' algorithms for rows of up to `longest` points."""
    return (USER_SCRATCH_PER_POINT + 1) * longest
