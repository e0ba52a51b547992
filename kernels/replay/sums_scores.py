"""Scores of the algorithms that live on sums: five of them, and the doubts that only a direct computation settles."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, disjoint, exact_kernel, never_inline
from ridgeline.kernels.replay.layout import FREE, FREE_HISTORY, FREE_LINE, OUTLIER, SHARE, SIZE, WEIGHT
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
    return ((squares > TINY) & (squares < HUGE)) | ((squares == 0.0) & (total == 0.0))


@exact_kernel
def surely_apart(deviation, origin, a, b):
    """Return whether a deviation between origin + a and origin + b is more than rounding in any arithmetic."""
    always_inline()
    return abs(deviation) > NEAR * NOISE * (abs(origin) + abs(a) + abs(b))


@exact_kernel
def fill_shares(begin, end, filled, first, critical, scale, switches, shares):
    """Fill `shares`, float64[SHARES, STEPS], with what depends on the number of points alone.

    `filled`: the number of points that all of them hold already, -1: none such; that of afterwards is returned.
    critical, scale float64[m + 1] by number of points: grubbs' critical values, and what makes weighted squares a variance
    """
    never_inline()
    alike = True
    for j in range(end - begin):
        alike &= begin + j + 1 - first[j] == filled
    if alike:
        return filled
    ddof = float(switches[DDOF])
    history_ddof = float(switches[HISTORY_DDOF])
    one = begin + 1 - first[0]
    alike = True
    size = -1
    share = free = outlier = free_history = free_line = weight = 0.0
    for j in range(shares.shape[1]):
        if j < end - begin and begin + j + 1 - first[j] != size:
            size = begin + j + 1 - first[j]
            alike &= size == one
            n = float(size)
            share = 1.0 / n
            free = 1.0 / (n - 1.0)
            outlier = np.sqrt((n - ddof) / (n - 1.0)) / critical[size]
            free_history = 1.0 / (n - 1.0 - history_ddof)
            free_line = 1.0 / (n - ddof)
            weight = scale[size]
        shares[SIZE, j] = float(size)
        shares[SHARE, j] = share
        shares[FREE, j] = free
        shares[OUTLIER, j] = outlier
        shares[FREE_HISTORY, j] = free_history
        shares[FREE_LINE, j] = free_line
        shares[WEIGHT, j] = weight
    return one if alike else -1


@exact_kernel
def score_moments(
    z, origins, history_s1, history_s2, s1s, s2s, tails, shares, frees, outliers, history_frees, thresholds, cutoffs,
    switches, averages, highs, aparts, doubt,
):  # fmt: skip
    """Score stddev_from_average, grubbs and mean_subtraction_cumulation of the points z, from rows of sums and shares.

    doubt int64[...]: bits of the algorithms to compute again. Steps that are not analysed get numbers without a meaning.
    """
    never_inline()
    disjoint()
    one_sided = switches[TWO_SIDED] == 0
    guarded = switches[GUARDED] != 0
    cut_average, cut_high = cutoffs[STDDEV_FROM_AVERAGE], cutoffs[GRUBBS]
    cut_apart = cutoffs[MEAN_SUBTRACTION_CUMULATION]
    average = 1.0 / thresholds[STDDEV_FROM_AVERAGE]
    newest = 1.0 / thresholds[MEAN_SUBTRACTION_CUMULATION]
    bits = (1 << STDDEV_FROM_AVERAGE) | (1 << GRUBBS) | (1 << MEAN_SUBTRACTION_CUMULATION)
    for j in range(z.size):
        o = origins[j]
        s1 = s1s[j]
        mean = s1 * shares[j]
        m2 = max(s2s[j] - s1 * mean, 0.0)
        tail = tails[j]
        change = tail - mean
        away = fraction(abs(change), np.sqrt(m2 * frees[j]))
        high = 0.0 if (one_sided & (change < 0.0)) | (m2 == 0.0) else away * outliers[j]
        away *= average
        h1 = history_s1[j]
        history = h1 * frees[j]
        h2 = max(history_s2[j] - h1 * history, 0.0)
        step = z[j] - o
        deviation = step - history
        apart = fraction(abs(deviation), np.sqrt(h2 * history_frees[j])) * newest
        averages[j] = away
        highs[j] = high
        aparts[j] = apart
        certain = (
            settled(away, cut_average, GUARD)
            & settled(high, cut_high, GUARD)
            & settled(apart, cut_apart, GUARD)
            & sound(m2, s1)
            & sound(h2, h1)
            & (abs(change) < HUGE)
        )
        noise = ((loud(away, cut_average) | loud(high, cut_high)) & (not surely_apart(change, o, tail, mean))) | (
            loud(apart, cut_apart) & (not surely_apart(deviation, o, step, history))
        )
        doubt[j] |= bits * ((not certain) | (guarded & noise))


@exact_kernel
def score_first_hour(origins, s1s, s2s, sizes, shares, frees, tails, threshold, cutoff, switches, scores, doubt):
    """Score first_hour_average from the rows of `first_hour.walk`; nothing in a sample of less than two points."""
    never_inline()
    disjoint()
    limit = 1.0 / threshold
    guarded = switches[GUARDED] != 0
    for j in range(scores.size):
        few = sizes[j] < 2.0
        s1 = s1s[j]
        mean = s1 * shares[j]
        m2 = max(s2s[j] - s1 * mean, 0.0)
        tail = tails[j]
        score = fraction(abs(tail - mean), np.sqrt(m2 * frees[j])) * limit
        certain = settled(score, cutoff, GUARD) & sound(m2, s1) & (abs(tail) < HUGE)
        noise = loud(score, cutoff) & (not surely_apart(tail - mean, origins[j], tail, mean))
        scores[j] = 0.0 if few else score
        doubt[j] |= (1 << FIRST_HOUR_AVERAGE) * ((not few) & ((not certain) | (guarded & noise)))


@exact_kernel
def score_moving_average(z, deviations, squares, scale, threshold, cutoff, switches, scores, doubt):
    """Score stddev_from_moving_average of the points z from `ewm.walk`'s deviations and weighted squares.

    scale float64[...]: what makes the squares of each step the bias-corrected variance.
    """
    never_inline()
    disjoint()
    guarded = switches[GUARDED] != 0
    for j in range(scores.size):
        q = squares[j]
        d = abs(deviations[j])
        score = fraction(d, threshold * np.sqrt(q * scale[j]))
        scores[j] = score
        certain = settled(score, cutoff, GUARD) & sound(q, d)
        noise = loud(score, cutoff) & (not surely_apart(d, z[j], 0.0, d))
        doubt[j] |= (1 << STDDEV_FROM_MOVING_AVERAGE) * ((not certain) | (guarded & noise))
