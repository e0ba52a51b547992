"""The native entry `sweep`: what every threshold, m of n and expiration make of one column of scores."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import (
    FloatRows,
    Floats,
    Int,
    IntRows,
    Ints,
    ShortFloatRows,
    ShortIntRows,
    signature_of,
)
from ridgeline.kernels.sweep.events import above, thinned
from ridgeline.kernels.sweep.walk import walk


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    scores: ShortFloatRows,
    column: Int,
    facts: ShortIntRows,
    counted: Int,
    spans: Ints,
    windows: Ints,
    window_lots: Ints,
    worth: Floats,
    strategies: Ints,
    thresholds: Floats,
    often: IntRows,
    expirations: Ints,
    lots: Int,
    events: Ints,
    lanes: IntRows,
    heard: IntRows,
    tallies: FloatRows,
) -> Int:
    """Add to the tallies what each setting comes to, and return how many steps exceed the lowest threshold.

    offsets int64[n+1], timestamps int64[N]: the steps of n metrics, each in order of time
    scores float32[C, N]: a step is anomalous where that of row `column` exceeds the threshold; NaN never does
    facts int32[FACTS, N]: rows as in `layout`; row `counted` tells the judged steps apart
    spans int64[P+1], windows int64[Q]: the windows that a span lies in; window_lots int64[W]: the lot of each window
    worth float64[N]: NAB's points for an alert at each step
    strategies int64[n]: to how many each metric's alerts go
    thresholds float64[T], ascending; often int64[M, 2]: m and n; expirations int64[X], seconds
    lots: how many there are, L
    events int64[N], lanes int64[LANES, X], heard int64[2 X, W]: scratch
    tallies float64[T * M * X * L, TALLIES]: results; the lot changes fastest, then expiration, m of n, threshold
    """
    for lane in range(heard.shape[0]):
        for window in range(heard.shape[1]):
            heard[lane, window] = 0
    column_scores = scores[column]
    most = count = above(column_scores, thresholds[0], events)
    first, token = 0, 1
    for threshold in thresholds:
        count = thinned(column_scores, threshold, events, count)
        for row in range(often.shape[0]):
            walk(
                events[:count],
                offsets,
                timestamps,
                facts,
                facts[counted],
                (spans, windows, window_lots, worth),
                strategies,
                often[row],
                expirations,
                (lanes, heard),
                token,
                first,
                lots,
                tallies,
            )
            first += expirations.size * lots
            token += 1
    return most


SIGNATURE: Final = signature_of(run)
