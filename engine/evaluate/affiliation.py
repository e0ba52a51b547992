"""Affiliation precision and recall (Huet et al. 2022, "Local Evaluation of Time Series Anomaly Detection Algorithms").

Time is cut into zones, one around each labelled event, half-way to its neighbours. In the zone E of an event J, with the
detections I that lie in it and a moment X drawn evenly from E:

    precision   the mean over x in I of P(distance of X to J >= distance of x to J); undefined where I is empty
    recall      the mean over y in J of P(|X - y| >= distance of y to I); 0 where I is empty

So 1 is perfect, and what lies no better than at random is worth about 0.5. Integrals are taken in closed form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Spans = tuple[Numbers, Numbers]


def affiliation(found: Spans, events: Spans, whole: tuple[float, float]) -> tuple[Numbers, Numbers]:
    """Precision (NaN where nothing lies in the zone) and recall of each event: float64[k] each.

    found, events: starts and ends of spans of time, ascending and apart, none empty; whole: first and last moment of the series.
    """
    starts, ends = events
    between = (ends[:-1] + starts[1:]) / 2.0
    lows, highs = np.append(whole[0], between), np.append(between, whole[1])
    precision, recall = np.full(len(starts), np.nan), np.zeros(len(starts))
    for k, (low, high, start, end) in enumerate(zip(lows, highs, starts, ends, strict=True)):
        here = slice(np.searchsorted(found[1], low, "right"), np.searchsorted(found[0], high))
        left, right = np.maximum(found[0][here], low), np.minimum(found[1][here], high)
        if len(left):
            precision[k] = _precision(left, right, (start, end), (low, high))
            recall[k] = _recall(left, right, (start, end), (low, high))
    return precision, recall


def _precision(left: Numbers, right: Numbers, event: tuple[float, float], zone: tuple[float, float]) -> float:
    start, end = event
    inside = np.maximum(np.minimum(right, end) - np.maximum(left, start), 0.0).sum()
    nearest, farthest = np.maximum(start - right, 0.0), np.maximum(start - left, 0.0)
    before = _farther(nearest, farthest, event, zone)
    nearest, farthest = np.maximum(left - end, 0.0), np.maximum(right - end, 0.0)
    after = _farther(nearest, farthest, event, zone)
    return float((inside + before + after) / (right - left).sum())


def _farther(nearest: Numbers, farthest: Numbers, event: tuple[float, float], zone: tuple[float, float]) -> float:
    """Integral over distances d from `nearest` to `farthest` of P(distance of X to the event >= d), d > 0."""
    (start, end), (low, high) = event, zone

    def covered(d: Numbers) -> Numbers:
        """Integral from 0 to d of how much of the zone is nearer to the event."""
        return (end - start) * d + _capped(d, start - low) + _capped(d, high - end)

    return float((farthest - nearest - (covered(farthest) - covered(nearest)) / (high - low)).sum())


def _capped(d: Numbers, cap: float) -> Numbers:
    """Integral from 0 to d of min(u, cap) du."""
    low = np.minimum(d, cap)
    return low * low / 2.0 + cap * (d - low)


def _recall(left: Numbers, right: Numbers, event: tuple[float, float], zone: tuple[float, float]) -> float:
    (start, end), (low, high) = event, zone
    inside = np.maximum(np.minimum(right, end) - np.maximum(left, start), 0.0).sum()
    middle = (right[:-1] + left[1:]) / 2.0  # moments between two detections go to the nearer one
    # Moments after a detection's end, and those before its start, mirrored.
    after = _farther_than_found(right, np.append(middle, high), (start, end), (low, high))
    before = _farther_than_found(-left, -np.append(low, middle), (-end, -start), (-high, -low))
    return float((inside + after + before) / (end - start))


def _farther_than_found(
    pivots: Numbers, until: Numbers, event: tuple[float, float], zone: tuple[float, float]
) -> float:
    """Integral over the event's moments y from each pivot to its `until` of P(|X - y| >= y - pivot)."""
    begin, until = np.maximum(pivots, event[0]), np.minimum(until, event[1])
    some = until > begin
    pivot, begin, until = pivots[some], begin[some], until[some]
    turn = np.clip((pivot + zone[1]) / 2.0, begin, until)  # from here on the zone's end is nearer than the pivot
    backward = _squares(begin - pivot, until - pivot)
    forward = _squares(begin - pivot, turn - pivot) + _squares(zone[1] - until, zone[1] - turn)
    return float((until - begin - (backward + forward) / (zone[1] - zone[0])).sum())


def _squares(low: Numbers, high: Numbers) -> Numbers:
    """Integral of u du."""
    return (high - low) * (high + low) / 2.0
