"""What the eight algorithms mean, in plain loops and exact fractions: the readable twins of the kernels.

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
    return math.inf if limit == 0 else float(deviation / limit)


def mean(values):
    return Fraction(sum(values), len(values))


def square_sum(values):
    """Sum of squared deviations from the mean, of whole numbers."""
    return Fraction(len(values) * sum(v * v for v in values) - sum(values) ** 2, len(values))


def std(values, ddof):
    """Standard deviation of whole numbers as a float; None where there are too few."""
    return root(square_sum(values) / (len(values) - ddof)) if len(values) > ddof else None


def root(square):
    """Square root of a fraction, without under- or overflow on the way."""
    if square == 0:
        return 0.0
    shift = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(square / Fraction(4) ** shift), shift)


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
    deviations = std(values, 1)
    return ratio(abs(tail(values) - mean(values)), None if deviations is None else 3 * Fraction(deviations))


def grubbs(t, x, profile, as_of, full_duration):
    from scipy.stats import t as student

    values, n = exact(x), len(x)
    s = std(values, DDOF[profile])
    if not s or n < 3:
        return 0.0
    z = (tail(values) - mean(values)) / Fraction(s)
    if profile == "native":
        z = abs(z)
    c = student.isf(0.05 / (2 * n), n - 2)
    limit = (n - 1) / math.sqrt(n) * math.sqrt(c * c / (n - 2 + c * c))
    return ratio(max(z, Fraction(0)), Fraction(limit))


def mean_subtraction_cumulation(t, x, profile, as_of, full_duration):
    values = exact(x)
    history = values[:-1]
    if not history:
        return 0.0
    s = std(history, HISTORY_DDOF[profile])
    return ratio(abs(values[-1] - mean(history)), None if s is None else 3 * Fraction(s))


def median_absolute_deviation(t, x, profile, as_of, full_duration):
    deviations = np.abs(np.array(x) - np.median(x))
    mad = np.median(deviations)
    return float(deviations[-1] / mad / 6) if mad > 0 else 0.0


def stddev_from_moving_average(t, x, profile, as_of, full_duration):
    """pandas: ewm(com=50).mean() and .std() at the last point, weights (50/51)^k, bias corrected."""
    if len(x) < 2:
        return 0.0
    unit = unit_of(x)
    values = exact(x, unit)
    distance = [float((v - values[-1]) * unit) for v in values]  # about the newest point
    weight = [(50 / 51) ** k for k in range(len(x) - 1, -1, -1)]
    total = math.fsum(weight)
    average = math.fsum(w * d for w, d in zip(weight, distance, strict=True)) / total
    variance = math.fsum(w * (d - average) ** 2 for w, d in zip(weight, distance, strict=True)) / total
    variance /= 1 - math.fsum(w * w for w in weight) / total**2
    return ratio(abs(average), 3 * math.sqrt(variance))


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
    sample = exact(sample, unit)
    return ratio(abs(tail(exact(x, unit)) - mean(sample)), 3 * Fraction(std(sample, 1)))


def least_squares(t, x, profile, as_of, full_duration):
    n = len(x)
    if n < 3:
        return 0.0
    unit = unit_of(x)
    values, times = exact(x, unit), [s - t[0] for s in t]
    sxx, syy = square_sum(times), square_sum(values)
    sxy = Fraction(n * sum(s * v for s, v in zip(times, values, strict=True)) - sum(times) * sum(values), n)
    slope = sxy / sxx if sxx else Fraction(0)
    s = root((syy - slope * sxy) * unit**2 / (n - DDOF[profile]))
    r = abs(tail(values) - mean(values) - slope * (tail(times) - mean(times))) * unit
    score = ratio(r, 3 * Fraction(s))
    if profile != "native":
        return min(score, 2.0 * s, 2.0 * float(r))
    noise = max(1e-9 * root(syy * unit**2 / n), 32 * 2.0**-52 * abs(float(mean(values) * unit)))
    return min(score, ratio(r, Fraction(noise)))


def histogram_bins(t, x, profile, as_of, full_duration):
    """21 over the number of points in the tail's bin (42 if none); 0 where the tail is in no bin; NaN: failed."""
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
        count = counts[max([k for k in range(15) if end >= edges[k]], default=0)]
        return 21 / count if count else 42.0
    if profile != "earthgecko":
        try:
            assert np.histogram(x, bins=15)[0].tolist() == counts
        except ValueError:
            return math.nan
    for k in range(15):
        if (k == 0 and end <= edges[0]) or (k > 0 and edges[k] <= end < edges[k + 1]):
            return 21 / counts[k] if counts[k] else 42.0
    return 0.0
