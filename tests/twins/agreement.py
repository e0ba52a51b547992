"""Series as a matrix, and when a kernel's vote and score are its twin's."""

import math

import numpy as np
import pyarrow as pa
from twins import votes

from ridgeline.io.matrix import MetricMatrix

OURS = [name for name in vars(votes) if name in (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)]  # fmt: skip


def matrix_of(*rows):
    """A matrix of series (t, x), called m0, m1, ..."""
    offsets = np.concatenate([[0], np.cumsum([len(x) for _, x in rows])])
    names = pa.array([f"m{i}" for i in range(len(rows))])
    return MetricMatrix.from_columns(
        names, offsets, np.concatenate([t for t, _ in rows]), np.concatenate([x for _, x in rows])
    )


def expected_score(name, t, x, profile, seconds):
    """The twin's score of a series in a window of so many seconds, judged at its newest point."""
    if profile == "native":
        keep = t > t[-1] - seconds
        t, x = t[keep], x[keep]
    return getattr(votes, name)([int(s) for s in t], [float(v) for v in x], profile, int(t[-1]), seconds)


def agree(name, found, vote, expected):
    """Whether a kernel's score and vote are the twin's: to rounding, and sharp about 1 away from it."""
    if math.isnan(expected):
        return found is None and vote is None
    if found is None or vote != (found > 1):
        return False
    if name == "least_squares" and max(found, expected) < 0.9:
        return True  # residuals of a straight line are rounding
    if math.isinf(expected) or math.isinf(found):
        # A spread of exactly nothing: there a kernel may find rounding instead of it, but never the other way round.
        return found == expected or min(found, expected) > 1e6
    return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9) and (
        abs(expected - 1) < 1e-9 or vote == (expected > 1)
    )
