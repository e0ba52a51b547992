"""Scores of the algorithms that live on sums: five of them, and the doubts that only a direct computation settles."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.score.layout import (
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    MEAN_SUBTRACTION_CUMULATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.noise import NEAR, NOISE
from ridgeline.kernels.shared.scaling import HUGE, TINY
from ridgeline.kernels.shared.switches import DDOF, GUARDED, HISTORY_DDOF, TWO_SIDED

GUARD: Final = 1e-9  # a score this near to its cutoff is computed again by the algorithm's own kernel


@exact_kernel
def settled(score, cutoff, guard):
    """Return whether the score is certainly on its side of the cutoff (NaN is not); guard: of scores up to 1."""
    always_inline()
    return abs(score - cutoff) >= guard * max(cutoff, 1.0)


@exact_kernel
def loud(score, cutoff):
    """Return whether the score votes, or would if it were not for its cutoff: then rounding must not be behind it."""
    always_inline()
    return score > min(cutoff, 1.0)


@exact_kernel
def fraction(deviation, limit):
    """Return deviation / limit: infinite above a limit of 0, and 0 without any deviation."""
    always_inline()
    return deviation / limit if deviation > 0.0 else 0.0


@exact_kernel
def sound(squares, total):
    """Return whether a sum of squared deviations is a normal number, or an honest 0 of equal values."""
    always_inline()
    return TINY < squares < HUGE or (squares == 0.0 and total == 0.0)


@exact_kernel
def surely_apart(deviation, origin, a, b):
    """Return whether a deviation between origin + a and origin + b is more than rounding in any arithmetic."""
    always_inline()
    return abs(deviation) > NEAR * NOISE * (abs(origin) + abs(a) + abs(b))


@exact_kernel
def score_moments(x, begin, end, live, first, rows, thresholds, cutoffs, switches, critical, table, doubt):
    """Score stddev_from_average, grubbs and mean_subtraction_cumulation from `moments.walk`'s rows.

    table float64[9, >= end - begin] by algorithm; doubt int64[...]: bits of the algorithms to compute again.
    """
    never_inline()
    ddof = float(switches[DDOF])
    history_ddof = float(switches[HISTORY_DDOF])
    one_sided = switches[TWO_SIDED] == 0
    guarded = switches[GUARDED] != 0
    cut_average, cut_high = cutoffs[STDDEV_FROM_AVERAGE], cutoffs[GRUBBS]
    cut_apart = cutoffs[MEAN_SUBTRACTION_CUMULATION]
    average = 1.0 / thresholds[STDDEV_FROM_AVERAGE]
    newest = 1.0 / thresholds[MEAN_SUBTRACTION_CUMULATION]
    size = 0  # what depends on the number of points alone is computed when that changes
    share = share_history = free = rescaled = outlier = free_history = 0.0
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        if i + 1 - first[j] != size:
            size = i + 1 - first[j]
            n = float(size)
            share = 1.0 / n
            share_history = 1.0 / (n - 1.0)
            free = 1.0 / (n - 1.0)
            rescaled = np.sqrt((n - ddof) / (n - 1.0))
            outlier = rescaled / critical[size]
            free_history = 1.0 / (n - 1.0 - history_ddof)
        o = rows[0, j]
        mean = rows[3, j] * share
        m2 = max(rows[4, j] - rows[3, j] * mean, 0.0)
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        change = tail - mean
        away = fraction(abs(change), np.sqrt(m2 * free))
        high = 0.0 if (one_sided and change < 0.0) or m2 == 0.0 else away * outlier
        away *= average
        history = rows[1, j] * share_history
        h2 = max(rows[2, j] - rows[1, j] * history, 0.0)
        apart = fraction(abs((x[i] - o) - history), np.sqrt(h2 * free_history)) * newest
        table[STDDEV_FROM_AVERAGE, j] = away
        table[GRUBBS, j] = high
        table[MEAN_SUBTRACTION_CUMULATION, j] = apart
        if not (
            settled(away, cut_average, GUARD)
            and settled(high, cut_high, GUARD)
            and settled(apart, cut_apart, GUARD)
            and sound(m2, rows[3, j])
            and sound(h2, rows[1, j])
            and abs(change) < HUGE
        ) or (
            guarded
            and (
                ((loud(away, cut_average) or loud(high, cut_high)) and not surely_apart(change, o, tail, mean))
                or (loud(apart, cut_apart) and not surely_apart((x[i] - o) - history, o, x[i] - o, history))
            )
        ):
            doubt[j] |= (1 << STDDEV_FROM_AVERAGE) | (1 << GRUBBS) | (1 << MEAN_SUBTRACTION_CUMULATION)


@exact_kernel
def score_first_hour(x, begin, end, live, rows, threshold, cutoff, switches, table, doubt):
    """Score first_hour_average from `first_hour.walk`'s rows."""
    never_inline()
    limit = 1.0 / threshold
    guarded = switches[GUARDED] != 0
    size = 0.0
    share = free = 0.0
    for j in range(end - begin):
        if live[j] == 0:
            continue
        i = begin + j
        if rows[3, j] < 2.0:
            table[FIRST_HOUR_AVERAGE, j] = 0.0
            continue
        if rows[3, j] != size:
            size = rows[3, j]
            share = 1.0 / size
            free = 1.0 / (size - 1.0)
        o = rows[0, j]
        mean = rows[1, j] * share
        m2 = max(rows[2, j] - rows[1, j] * mean, 0.0)
        tail = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0
        score = fraction(abs(tail - mean), np.sqrt(m2 * free)) * limit
        table[FIRST_HOUR_AVERAGE, j] = score
        if not (settled(score, cutoff, GUARD) and sound(m2, rows[1, j]) and abs(tail) < HUGE):
            doubt[j] |= 1 << FIRST_HOUR_AVERAGE
        elif guarded and loud(score, cutoff) and not surely_apart(tail - mean, o, tail, mean):
            doubt[j] |= 1 << FIRST_HOUR_AVERAGE


@exact_kernel
def score_moving_average(
    x, begin, end, live, first, deviations, squares, scale, threshold, cutoff, switches, table, doubt
):
    """Score stddev_from_moving_average from `ewm.walk`'s deviations and weighted squares.

    scale float64[m]: by number of points, what makes the squares the bias-corrected variance.
    """
    never_inline()
    guarded = switches[GUARDED] != 0
    for j in range(end - begin):
        if live[j] == 0:
            continue
        q = squares[j]
        d = abs(deviations[j])
        score = fraction(d, threshold * np.sqrt(q * scale[begin + j + 1 - first[j]]))
        table[STDDEV_FROM_MOVING_AVERAGE, j] = score
        if not (settled(score, cutoff, GUARD) and sound(q, d)):
            doubt[j] |= 1 << STDDEV_FROM_MOVING_AVERAGE
        elif guarded and loud(score, cutoff) and not surely_apart(d, x[begin + j], 0.0, d):
            doubt[j] |= 1 << STDDEV_FROM_MOVING_AVERAGE
