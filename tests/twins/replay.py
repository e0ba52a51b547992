"""The nine algorithms with numpy, scipy and statsmodels, one window at a time: an evaluator that shares no code with ours.

Written from the published formulas. Each function returns the statistic over its limit (vote = above 1); None where
rounding alone decides: an exactly constant sample, whose numpy mean need not be its value.
"""

import warnings

import numpy as np
from scipy import stats
from statsmodels.tsa.stattools import adfuller

SIDES = {"native": "both", "earthgecko": "high", "earthgecko_batch": "high", "etsy": "high"}
FIT_DDOF = {"native": 1, "earthgecko": 1, "earthgecko_batch": 1, "etsy": 0}
PAST_DDOF = {"native": 1, "earthgecko": 0, "earthgecko_batch": 1, "etsy": 1}


def against(distance, limit):
    if distance == 0:
        return 0.0
    return np.inf if limit == 0 else distance / limit


def newest(x):
    return np.mean(x[-3:])


def flat(sample):
    return len(sample) > 0 and np.all(sample == sample[0])


def stddev_from_average(t, x, window, profile):
    if flat(x):
        return None
    return against(abs(newest(x) - np.mean(x)), 3 * np.std(x, ddof=1))


def grubbs(t, x, window, profile):
    if flat(x):
        return None
    n = len(x)
    z = (newest(x) - np.mean(x)) / np.std(x, ddof=FIT_DDOF[profile])
    c = stats.t.isf(0.05 / (2 * n), n - 2)
    limit = (n - 1) / np.sqrt(n) * np.sqrt(c**2 / (n - 2 + c**2))
    return (abs(z) if SIDES[profile] == "both" else max(z, 0.0)) / limit


def first_hour_average(t, x, window, profile):
    start = t[-1] - window
    if profile == "earthgecko_batch" and 80000 < t[-1] - t[-2] < 90000:
        start = t[-1] - 6 * (t[-1] - t[-2])
    sample = x[(t > start) & (t < start + 3600)]
    if len(sample) < 2:
        return 0.0
    if flat(sample):
        return None
    return against(abs(newest(x) - np.mean(sample)), 3 * np.std(sample, ddof=1))


def mean_subtraction_cumulation(t, x, window, profile):
    past = x[:-1]
    if flat(past):
        return None
    return against(abs(x[-1] - np.mean(past)), 3 * np.std(past, ddof=PAST_DDOF[profile]))


def stddev_from_moving_average(t, x, window, profile):
    import pandas as pd

    if flat(x):
        return None
    moving = pd.Series(x).ewm(com=50)
    return against(abs(x[-1] - moving.mean().iloc[-1]), 3 * moving.std().iloc[-1])


def median_absolute_deviation(t, x, window, profile):
    distance = np.abs(x - np.median(x))
    spread = np.median(distance)
    return 0.0 if spread == 0 else distance[-1] / spread / 6


def least_squares(t, x, window, profile):
    seconds = (t - t.mean()) / 3600
    slope, level = np.polyfit(seconds, x, 1)
    left = x - (slope * seconds + level)
    s = np.std(left, ddof=FIT_DDOF[profile])
    r = abs(np.mean(left[-3:]))
    if s < 1e-6 * np.std(x) or flat(x):
        return None  # the line is the series: rounding
    score = against(r, 3 * s)
    return score if profile == "native" else min(score, 2 * s, 2 * r)


def histogram_bins(t, x, window, profile):
    low, high, tail = x.min(), x.max(), newest(x)
    if low == high:
        return 42.0 if profile == "earthgecko" else 0.0
    counts, edges = np.histogram(x, bins=15)
    if profile == "native":
        place = int(np.clip(np.searchsorted(edges, tail, side="right") - 1, 0, 14))
        return 21 / counts[place] if counts[place] else 42.0
    if profile == "earthgecko":
        step = (high - low) / 15
        edges = [low + k * step for k in range(16)]
        places = np.minimum((15 * (x - low) / (high - low)).astype(int), 14)
        counts = np.bincount(places, minlength=15)
    for k in range(15):
        if (k == 0 and tail <= edges[0]) or (k > 0 and edges[k] <= tail < edges[k + 1]):
            return 21 / counts[k] if counts[k] else 42.0
    return 0.0


def ks_test(t, x, window, profile):
    reference = x[(t >= t[-1] - 3600) & (t < t[-1] - 600)]
    probe = x[t >= t[-1] - 600]
    if len(reference) < 20 or len(probe) < 20 or flat(reference):
        return 0.0
    found = stats.ks_2samp(reference, probe)
    score = 2 * found.statistic
    if not (found.pvalue < 0.05 and found.statistic > 0.5):
        return min(score, 1.0)
    if profile == "native":
        reference = (reference - reference.mean()) / reference.std()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            p = adfuller(reference, maxlag=10, regression="c", autolag="AIC")[1]
        except ValueError:
            return 1.0
    return score if p < 0.05 else 1.0


ALGORITHMS = {
    f.__name__: f
    for f in (
        histogram_bins,
        first_hour_average,
        stddev_from_average,
        grubbs,
        ks_test,
        mean_subtraction_cumulation,
        median_absolute_deviation,
        stddev_from_moving_average,
        least_squares,
    )
}
