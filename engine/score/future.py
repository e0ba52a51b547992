"""How the newest points of a matrix stand to the instant that it is judged as of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import NO_AS_OF, MetricMatrix


def leads(matrix: MetricMatrix, as_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds from each row's `as_of` to its newest point, above 0 where that lies in the future: int64[rows with points].

    as_of int64[n], epoch seconds; a row judged as of its own newest point (`NO_AS_OF`) leads by 0.
    """
    rows = np.flatnonzero(np.diff(matrix.offsets))
    newest = matrix.timestamps[matrix.offsets[rows + 1] - 1]
    own = as_of[rows]
    return np.where(own == NO_AS_OF, 0, newest - own)


def points_after(matrix: MetricMatrix, as_of: NDArray[np.int64]) -> int:
    """Number of points later than their row's `as_of` (int64[n], epoch seconds or `NO_AS_OF`)."""
    bounds, stamps = matrix.offsets, matrix.timestamps
    rows = np.flatnonzero(np.diff(bounds))
    late = rows[(as_of[rows] != NO_AS_OF) & (stamps[bounds[rows + 1] - 1] > as_of[rows])]
    # Few rows, as a rule: only they are searched.
    return sum(
        int(bounds[row + 1] - bounds[row] - np.searchsorted(stamps[bounds[row] : bounds[row + 1]], as_of[row], "right"))
        for row in late
    )
