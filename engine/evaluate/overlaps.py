"""Range-based precision and recall (Tatbul et al. 2018, "Precision and Recall for Time Series", sections 3 and 4).

A range R of n rows, judged against the ranges of the other side:

    reward(R) = alpha * existence(R) + (1 - alpha) * cardinality(R) * sum over the others O of size(R, R and O)

existence is 1 where any row of R lies in another range, else 0. `cardinality` is `one`, or `reciprocal`: 1 / x, x = how
many ranges R overlaps, so that an anomaly found in pieces is worth less. size is the share of R's rows that lie in O, each row
i = 1..n weighted by the positional bias: `flat` 1, `front` n - i + 1, `back` i, `middle` i up to n / 2 and n - i + 1 after it.
Recall is the mean reward of the labelled ranges; precision that of the ranges found, with alpha = 0 and no bias.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.rows import Rows

Ranges = tuple[Rows, Rows]
Numbers = NDArray[np.float64]


def rewards(ranges: Ranges, others: Ranges, alpha: float, cardinality: str, bias: str) -> Numbers:
    """What each range earns from the others: float64[k] in 0..1.

    ranges, others: first row and the row after the last, int64[k], ascending and apart; alpha in 0..1.
    """
    first, after = ranges
    lowest, beyond = np.searchsorted(others[1], first, "right"), np.searchsorted(others[0], after)
    met = beyond - lowest
    own = np.repeat(np.arange(len(first)), met)
    other = np.arange(len(own)) - np.repeat(np.cumsum(met) - met, met) + np.repeat(lowest, met)
    rows = after - first
    start = np.maximum(others[0][other] - first[own], 0)
    end = np.minimum(others[1][other] - first[own], rows[own])
    share = np.zeros(len(first))
    np.add.at(share, own, _weight(end, rows[own], bias) - _weight(start, rows[own], bias))
    share /= _weight(rows, rows, bias)
    if cardinality == "reciprocal":
        share /= np.maximum(met, 1)
    return alpha * (met > 0) + (1.0 - alpha) * share


def _weight(k: Rows, rows: Rows, bias: str) -> Numbers:
    """The bias of a range's first k rows, added up."""
    if bias == "flat":
        return k.astype(np.float64)
    half = {"front": 0 * rows, "middle": rows // 2, "back": rows}[bias]
    # The bias rises 1, 2, ... up to `half`, and falls from rows - half to 1 after it.
    rising, falling = np.minimum(k, half), np.maximum(k - half, 0)
    weight: Numbers = (rising * (rising + 1) + falling * (2 * (rows - half) - falling + 1)) / 2.0
    return weight
