"""Numbers that depend on the number of points only, computed once and passed to kernels as arrays."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.ordered import distinct
from ridgeline.kernels.native import loader
from ridgeline.kernels.shared.weights import DECAY

Floats = NDArray[np.float64]

ALPHA: Final = 0.05  # grubbs' significance unless overridden
KEPT: Final = 20_000  # critical values up to so many points are kept between processes
# The kernels' stamp does not know this file: another formula must not find the numbers of the former one.
TABLE: Final = f"grubbs-{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]}"


def grubbs_critical(n: NDArray[Any], alpha: float = ALPHA) -> Floats:
    """Grubbs' two-sided critical value at significance alpha for n points (Grubbs 1950); infinite below 3 points.

    ((n-1)/sqrt(n)) sqrt(c^2 / (n-2+c^2)), c the upper alpha/(2n) point of Student's t with n-2 degrees of freedom.
    """
    from scipy.special import stdtrit

    count = np.asarray(n, dtype=np.float64)
    enough = count >= 3
    count = np.where(enough, count, 3.0)
    squared = stdtrit(count - 2, alpha / (2 * count)) ** 2
    critical = (count - 1) / np.sqrt(count) * np.sqrt(squared / (count - 2 + squared))
    return np.where(enough, critical, np.inf)


def exponential_weights(n: int) -> Floats:
    """Weights DECAY^k of the point k places from the end, newest last: float64[n].

    Those under 1e-290 are 0: they are far below any value's last bit, and denormal numbers are slow.
    """
    weights = DECAY ** np.arange(n - 1, -1, -1, dtype=np.float64)
    return np.where(weights < 1e-290, 0.0, weights)


def weight_sums(longest: int) -> tuple[Floats, Floats]:
    """Return by number of points, float64[longest + 1] each: the weights' sum, and what turns squares into variance."""
    decayed = DECAY ** np.arange(longest + 1, dtype=np.float64)
    totals = (1.0 - decayed) / (1.0 - DECAY)
    squares = (1.0 - decayed * decayed) / (1.0 - DECAY * DECAY)
    scale = np.zeros(longest + 1)
    scale[2:] = 1.0 / (totals[2:] * (1.0 - squares[2:] / totals[2:] ** 2))
    return totals, scale


class Tables:
    """Both tables, grown as longer series come; critical values are NaN until some row asks for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._weights = np.empty(0)
        self._critical: dict[float, Floats] = {}
        self._joined: dict[tuple[float, ...], Floats] = {}

    def weights(self, longest: int) -> Floats:
        """Exponential weights for series of up to `longest` points: float64[>= longest], newest last."""
        with self._lock:
            if len(self._weights) < longest:
                self._weights = exponential_weights(max(longest, 2 * len(self._weights)))
            return self._weights

    def critical(self, alphas: tuple[float, ...], counts: NDArray[np.int64]) -> Floats:
        """Critical values by significance and number of points, float64[alphas, > max(counts)], known for `counts`."""
        longest = int(counts.max(initial=2))
        known = self._joined.get(alphas)
        if known is not None and known.shape[1] > longest and not np.isnan(known[:, counts]).any():
            return known
        with self._lock:
            tables = [self._learned(alpha, counts, longest) for alpha in alphas]
            size = max(len(table) for table in tables)
            joined = np.full((len(tables), size), np.nan)
            for row, table in zip(joined, tables, strict=True):
                row[: len(table)] = table
            self._joined[alphas] = joined  # never written to: kernels read it meanwhile
            return joined

    def _learned(self, alpha: float, counts: NDArray[np.int64], longest: int) -> Floats:
        table = self._critical.get(alpha)
        if table is None:
            kept = loader.load_table(TABLE) if alpha == ALPHA else None
            table = np.full(3, np.inf) if kept is None else kept.copy()
            table[:3] = np.inf
        if len(table) <= longest:
            table = np.concatenate([table, np.full(longest + 1 - len(table), np.nan)])
        missing = distinct(counts[(counts >= 3) & np.isnan(table[counts])])
        if len(missing):
            table[missing] = grubbs_critical(missing, alpha)
            if alpha == ALPHA:
                loader.save_table(TABLE, table[:KEPT])
        self._critical[alpha] = table
        return table
