"""Scores of the algorithms that live on sums: five of them, and the doubts that only a direct computation settles."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.score.row import (
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    LEAST_SQUARES,
    MEAN_SUBTRACTION_CUMULATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.summary import ratio
from ridgeline.kernels.shared.switches import DDOF, HISTORY_DDOF, TWO_SIDED

GUARD: Final = 1e-9  # a score this near to 1 is computed again by the algorithm's own kernel
TINY: Final = 1e-280  # squares below lose digits to underflow, above HUGE to overflow
HUGE: Final = 1e280


@exact_kernel
def settled(score, guard):
    """Return whether the score is certainly on its side of 1 (NaN is not)."""
    return abs(score - 1.0) >= guard


@exact_kernel
def sound(squares, total):
    """Return whether a sum of squared deviations is a normal number, or an honest 0 of equal values."""
    return TINY < squares < HUGE or (squares == 0.0 and total == 0.0)


@exact_kernel
def score_moments(x, begin, end, live, first, rows, thresholds, switches, critical, table, doubt):
    """Score stddev_from_average, grubbs and mean_subtraction_cumulation from `moments.walk`'s rows.

    table float64[9, >= end - begin] by algorithm; doubt int64[...]: bits of the algorithms to compute again.
    """
    never_inline()
    ddof = float(switches[DDOF])
    history_ddof = float(switches[HISTORY_DDOF])
    sided = switches[TWO_SIDED] == 0
    average = thresholds[STDDEV_FROM_AVERAGE]
    newest = thresholds[MEAN_SUBTRACTION_CUMULATION]
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        points = i + 1 - first[j]
        n = float(points)
        o = rows[0, j]
        mean = rows[3, j] / n
        m2 = max(rows[4, j] - rows[3, j] * mean, 0.0)
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        change = tail - mean
        s = np.sqrt(m2 / (n - 1.0))
        score = ratio(abs(change), average * s)
        table[STDDEV_FROM_AVERAGE, j] = score
        bits = 0
        if not settled(score, GUARD):
            bits |= 1 << STDDEV_FROM_AVERAGE
        if ddof != 1.0:
            s = np.sqrt(m2 / (n - ddof))
        score = 0.0
        if s > 0.0:
            z = change / s
            score = ratio(z if sided else abs(z), critical[points])
        table[GRUBBS, j] = score
        if not settled(score, GUARD):
            bits |= 1 << GRUBBS
        history = n - 1.0
        mean = rows[1, j] / history
        h2 = max(rows[2, j] - rows[1, j] * mean, 0.0)
        score = ratio(abs((x[i] - o) - mean), newest * np.sqrt(h2 / (history - history_ddof)))
        table[MEAN_SUBTRACTION_CUMULATION, j] = score
        if not settled(score, GUARD):
            bits |= 1 << MEAN_SUBTRACTION_CUMULATION
        if not (sound(m2, rows[3, j]) and sound(h2, rows[1, j]) and abs(change) < HUGE):
            bits |= (1 << STDDEV_FROM_AVERAGE) | (1 << GRUBBS) | (1 << MEAN_SUBTRACTION_CUMULATION)
        doubt[j] |= bits


@exact_kernel
def score_first_hour(x, begin, end, live, rows, threshold, table, doubt):
    """Score first_hour_average from `first_hour.walk`'s rows."""
    never_inline()
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        n = rows[3, j]
        if n < 2.0:
            table[FIRST_HOUR_AVERAGE, j] = 0.0
            continue
        o = rows[0, j]
        mean = rows[1, j] / n
        m2 = max(rows[2, j] - rows[1, j] * mean, 0.0)
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        score = ratio(abs(tail - mean), threshold * np.sqrt(m2 / (n - 1.0)))
        table[FIRST_HOUR_AVERAGE, j] = score
        if not (settled(score, GUARD) and sound(m2, rows[1, j]) and abs(tail) < HUGE):
            doubt[j] |= 1 << FIRST_HOUR_AVERAGE


@exact_kernel
def score_moving_average(begin, end, live, first, deviations, squares, scale, threshold, table, doubt):
    """Score stddev_from_moving_average from `ewm.walk`'s deviations and weighted squares.

    scale float64[m]: by number of points, what makes the squares the bias-corrected variance.
    """
    never_inline()
    for j in range(end - begin):
        if live[j] == 0:
            continue
        q = squares[j]
        d = abs(deviations[j])
        score = ratio(d, threshold * np.sqrt(q * scale[begin + j + 1 - first[j]]))
        table[STDDEV_FROM_MOVING_AVERAGE, j] = score
        if not (settled(score, GUARD) and sound(q, d)):
            doubt[j] |= 1 << STDDEV_FROM_MOVING_AVERAGE
