"""What `resolution_aware` means, the slow way: one window at a time, numbers as the documentation has them."""

import math
import statistics
from itertools import pairwise

import numpy as np
from scipy import stats
from twins.ks import adf

MINUTE, HOUR, DAY = 60, 3600, 86400
UNITS = [
    *(minutes * MINUTE for minutes in (1, 5, 10, 15, 30)),
    *(hours * HOUR for hours in (1, 2, 3, 4, 6, 12)),
    DAY,
    7 * DAY,
]


def unit_of(t):
    steps = [b - a for a, b in pairwise(t) if b > a]
    if not steps:
        return MINUTE
    middle = statistics.median_low(steps)
    return min(UNITS, key=lambda unit: (abs(math.log(middle / unit)), -unit))


def shortest(unit, window):
    return 100 if unit == MINUTE else min(100, max(20, window // unit // 2))


def first_hour_average(t, x, window):
    """The score: the tail against the beginning of the window."""
    unit = unit_of(t)
    length = max(HOUR, min(60 * unit, window // 4)) if unit > MINUTE else HOUR
    start = t[-1] - window
    sample = x[(t > start) & (t < start + length)]
    if len(sample) < 2:
        return 0.0
    deviation, spread = abs(np.mean(x[-3:]) - np.mean(sample)), np.std(sample, ddof=1)
    return math.inf if spread == 0 and deviation else deviation / (3 * spread) if spread else 0.0


def ks_test(t, x):
    """The score: what is newest against what came before it."""
    unit = unit_of(t)
    newest, whole = (30 * unit, 90 * unit) if unit > MINUTE else (600, 3600)
    reference, probe = x[(t >= t[-1] - whole) & (t < t[-1] - newest)], x[t >= t[-1] - newest]
    if len(reference) < 20 or len(probe) < 20 or np.all(reference == reference[0]):
        return 0.0
    found = stats.ks_2samp(reference, probe)
    score = 2 * found.statistic
    if found.pvalue < 0.05 and found.statistic > 0.5:
        _, p = adf((reference - reference.mean()) / reference.std())
        return score if p < 0.05 else min(score, 1.0)
    return min(score, 1.0)
