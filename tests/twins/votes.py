"""What the eight algorithms mean, in plain loops and exact fractions: the readable twins of the kernels.

Exact means exact: whatever the size of the values, nothing here over- or underflows but the last step to a float.

Each takes one series (t: list of int, x: list of float), the profile by name, and returns its score: statistic over
limit, so that the vote is score > 1. `oracle_ks` has the ninth. Slow, and meant to be.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

HOUR = 3600
DDOF = {"native": 1, "earthgecko": 1, "earthgecko_batch": 1, "etsy": 0}
HISTORY_DDOF = {"native": 1, "earthgecko": 0, "earthgecko_batch": 1, "etsy": 1}


def ratio(deviation, limit):
    """deviation / limit as a score: infinite above a limit of nothing, 0 where nothing deviates."""
    if limit is None or deviation == 0:
        return 0.0
    if limit == 0:
        return math.inf
    try:
        return float(deviation / limit)
    except OverflowError:
        return math.inf


NOISE = Fraction(32, 2**52)


def guarded(score, deviation, a, b, profile):
    """The score of a deviation between a and b: under native at most 1 where they differ by rounding only."""
    if profile != "native" or not score > 1:
        return score
    noise = NOISE * max(abs(a), abs(b))
    return score if deviation > noise else float(deviation / noise)


def mean(values):
    return Fraction(sum(values), len(values))


def square_sum(values):
    """Sum of squared deviations from the mean, of whole numbers."""
    return Fraction(len(values) * sum(v * v for v in values) - sum(values) ** 2, len(values))


def std(values, ddof):
    """Standard deviation of whole numbers; None where there are too few."""
    return root(square_sum(values) / (len(values) - ddof)) if len(values) > ddof else None


def root(square):
    """Square root of a fraction to the digits of a float, whatever its size."""
    if square == 0:
        return Fraction(0)
    shift = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return Fraction(math.sqrt(square / Fraction(4) ** shift)) * Fraction(2) ** shift


def unit_of(x):
    """The unit in which all of x are whole numbers: a power of two."""
    return Fraction(1, max(Fraction(v).denominator for v in x))


def exact(x, unit=None):
    """x as whole numbers of a unit. What is compared here does not depend on it."""
    unit = unit or unit_of(x)
    return [int(Fraction(v) / unit) for v in x]


def tail(values):
    return mean(values[-3:]) if len(values) >= 3 else Fraction(values[-1])


def plain_tail(x):
    return (x[-1] + x[-2] + x[-3]) / 3 if len(x) >= 3 else x[-1]


def stddev_from_average(t, x, profile, as_of, full_duration):
    values = exact(x)
    deviations, deviation = std(values, 1), abs(tail(values) - mean(values))
    score = ratio(deviation, None if deviations is None else 3 * Fraction(deviations))
    return guarded(score, deviation, tail(values), mean(values), profile)


def grubbs(t, x, profile, as_of, full_duration):
    from scipy.stats import t as student

    values, n = exact(x), len(x)
    s = std(values, DDOF[profile])
    if not s or n < 3:
        return 0.0
    deviation = tail(values) - mean(values)
    z = deviation / Fraction(s)
    if profile == "native":
        z = abs(z)
    c = student.isf(0.05 / (2 * n), n - 2)
    limit = (n - 1) / math.sqrt(n) * math.sqrt(c * c / (n - 2 + c * c))
    score = ratio(max(z, Fraction(0)), Fraction(limit))
    return guarded(score, abs(deviation), tail(values), mean(values), profile)


def mean_subtraction_cumulation(t, x, profile, as_of, full_duration):
    values = exact(x)
    history = values[:-1]
    if not history:
        return 0.0
    s, deviation = std(history, HISTORY_DDOF[profile]), abs(values[-1] - mean(history))
    score = ratio(deviation, None if s is None else 3 * Fraction(s))
    return guarded(score, deviation, values[-1], mean(history), profile)


def median_absolute_deviation(t, x, profile, as_of, full_duration):
    """numpy's medians, rounding and all; exact ones where numpy's own sums overflow or halves of numbers are none."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array(x)
        centre = np.median(values)
        deviations = np.abs(values - centre)
        mad = np.median(deviations)
    if profile == "native" and not (deviations[-1] == 0 or 1e-290 < deviations[-1] < math.inf):
        values = [Fraction(v) for v in x]
        centre = middle(values)
        deviations = [abs(v - centre) for v in values]
        mad = middle(deviations)
    if not mad > 0:
        return 0.0
    deviation = Fraction(deviations[-1])
    return guarded(ratio(deviation, 6 * Fraction(mad)), deviation, Fraction(values[-1]), Fraction(centre), profile)


def middle(values):
    """The median, exactly."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def stddev_from_moving_average(t, x, profile, as_of, full_duration):
    """pandas: ewm(com=50).mean() and .std() at the last point, weights (50/51)^k, bias corrected."""
    if len(x) < 2:
        return 0.0
    unit = unit_of(x)
    values = exact(x, unit)
    largest = max(abs(v - values[-1]) for v in values) or 1
    distance = [float(Fraction(v - values[-1], largest)) for v in values]  # about the newest point, the furthest at 1
    weight = [(50 / 51) ** k for k in range(len(x) - 1, -1, -1)]
    total = math.fsum(weight)
    average = math.fsum(w * d for w, d in zip(weight, distance, strict=True)) / total
    variance = math.fsum(w * (d - average) ** 2 for w, d in zip(weight, distance, strict=True)) / total
    variance /= 1 - math.fsum(w * w for w in weight) / total**2
    score = ratio(abs(average), 3 * math.sqrt(variance))
    newest = Fraction(values[-1], largest)
    return guarded(score, abs(Fraction(average)), newest, newest + Fraction(average), profile)


def first_hour_average(t, x, profile, as_of, full_duration):
    if profile == "etsy":
        sample = [v for s, v in zip(t, x, strict=True) if s < as_of - (full_duration - HOUR)]
    else:
        start = t[-1] - full_duration
        gap = t[-1] - t[-2] if len(t) > 1 else 0
        if profile == "earthgecko_batch" and 80000 < gap < 90000:
            start = t[-1] - 6 * gap
        sample = [v for s, v in zip(t, x, strict=True) if start < s < start + HOUR]
    if len(sample) < 2:
        return 0.0
    unit = unit_of(x)
    sample, end = exact(sample, unit), tail(exact(x, unit))
    score = ratio(abs(end - mean(sample)), 3 * Fraction(std(sample, 1)))
    return guarded(score, abs(end - mean(sample)), end, mean(sample), profile)


def least_squares(t, x, profile, as_of, full_duration):
    n = len(x)
    if n < 3:
        return 0.0
    unit = unit_of(x)
    values, times = exact(x, unit), [s - t[0] for s in t]
    sxx, syy = square_sum(times), square_sum(values)
    sxy = Fraction(n * sum(s * v for s, v in zip(times, values, strict=True)) - sum(times) * sum(values), n)
    slope = sxy / sxx if sxx else Fraction(0)
    residual = tail(values) - mean(values) - slope * (tail(times) - mean(times))
    s = root((syy - slope * sxy) / (n - DDOF[profile]))
    score = ratio(abs(residual), 3 * Fraction(s))
    if profile != "native":
        return min(score, float(2 * Fraction(s) * unit), float(2 * abs(residual) * unit))
    noise = Fraction(1, 10**9) * Fraction(root(syy / n))
    noise = max(noise, NOISE * max(abs(tail(values)), abs(tail(values) - residual)))
    return min(score, ratio(abs(residual), noise)) if abs(residual) <= noise else score


def histogram_bins(t, x, profile, as_of, full_duration):
    """21 over the number of points in the tail's bin (42 if none); 0 where the tail is in no bin; NaN: failed."""
    if profile == "native" and not 1e-290 < max(abs(v) for v in x) < 1e300:
        # The bins are those of the same series in another power of two, in which no sum of two overflows.
        x = [math.ldexp(v, -4 if max(abs(v) for v in x) > 1 else 900) for v in x]
    low, high, end = min(x), max(x), plain_tail(x)
    if low == high:
        return 42.0 if profile == "earthgecko" else 0.0
    step = (high - low) / 15
    edges = [low + k * step for k in range(15)] + [high]
    counts = [0] * 15
    for v in x:
        if profile == "earthgecko":
            counts[14 if v == high else int(15 * (v - low) / (high - low))] += 1
        else:
            counts[max(k for k in range(15) if v >= edges[k])] += 1
    if profile == "native":
        own = max([k for k in range(15) if end >= edges[k]], default=0)
        count = counts[own]
        if count <= 20:  # those that differ from the tail by rounding only are of its bin too
            reach = float(NOISE) * abs(end)
            bins = [max(k for k in range(15) if v >= edges[k]) for v in x]
            count = sum(k == own or abs(v - end) <= reach for k, v in zip(bins, x, strict=True))
        return 21 / count if count else 42.0
    if profile != "earthgecko":
        try:
            assert np.histogram(x, bins=15)[0].tolist() == counts
        except ValueError:
            return math.nan
    for k in reversed(range(15)):  # of equal edges, where the range is a few last digits, the last
        if (k == 0 and end <= edges[0]) or (k > 0 and edges[k] <= end < edges[k + 1]):
            return 21 / counts[k] if counts[k] else 42.0
    return 0.0
