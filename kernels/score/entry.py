"""Block entry: the row function over a range of rows of a matrix."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import ByteRows, Bytes, FloatRows, Floats, Int, IntRows, Ints, ShortInts, signature_of
from ridgeline.kernels.score.ahead import AHEAD, expect, expect_ends
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    ANALYSED,
    CHANGE,
    CONSENSUS_SLACK,
    CRITICAL_ROW,
    CUT,
    DATAPOINT,
    LEVEL,
    MASK,
    NO_CRITICAL,
    NULL,
    OWN_AS_OF,
    SCORES,
    STALE_PERIOD,
)
from ridgeline.kernels.score.row import cut_row, score_row
from ridgeline.kernels.score.window import considered, describe, keep_last, outcome_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import FALLS, SIGNED, STATS
from ridgeline.kernels.shared.summary import change_of, level_of
from ridgeline.kernels.shared.switches import LAST_WINS


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    duplicates: Bytes,
    as_of: Ints,
    full_duration: Ints,
    policy_of_row: ShortInts,
    policies: IntRows,
    thresholds: FloatRows,
    cutoffs: FloatRows,
    switches: Ints,
    critical: FloatRows,
    weights: Floats,
    outcomes: Bytes,
    votes: ByteRows,
    scores: FloatRows,
    points: FloatRows,
    facts: IntRows,
    scratch: Floats,
    kept_t: Ints,
    start: Int,
    stop: Int,
    mode: Int,
    steps: Int,
) -> Int:
    """Score rows start..stop; return 0, or 1 where a row needs a critical value that the table lacks.

    offsets int64[n+1], timestamps int64[N], values float64[N]: the matrix
    duplicates uint8[n]: the row holds equal timestamps
    as_of int64[n]: epoch seconds, or OWN_AS_OF; full_duration int64[n]: seconds of each row's window
    policy_of_row int32[n], below 0: the row counts as empty; policies int64[p, POLICY]; thresholds float64[p, 9]
    cutoffs float64[p, >= 9]: what scores are divided by, under the policies that say so
    switches int64[SWITCHES]: the profile
    critical float64[c, m]: grubbs' critical values by number of points, NaN where not computed yet
    weights float64[>= longest row]: exponential weights, newest (1) last
    outcomes uint8[n], votes uint8[n, 9], scores float64[n, 9]: results; with fewer than n rows, scores are not kept
    points float64[n, POINTS], facts int64[n, FACTS]: what `layout` says of their columns
    scratch float64[>= score_room(longest)]; kept_t int64[>= longest]
    mode: EARLY_EXIT, ALL_VOTES or SCORES; steps: not 0 where the median step is wanted, which is a pass over timestamps
    """
    status = 0
    stats = scratch[:STATS]
    own_scores = scratch[STATS : STATS + ALGORITHMS]
    free = scratch[STATS + ALGORITHMS :]
    for row in range(start, stop):
        # The next row is asked for in halves, between what this one costs: at once, it would be in the way.
        begin = offsets[row + 1]
        length = min(offsets[min(row + 2, stop)] - begin, AHEAD)
        half = length >> 1
        expect(values, begin + half, begin + length)
        t = timestamps[offsets[row] : offsets[row + 1]]
        x = values[offsets[row] : offsets[row + 1]]
        p = policy_of_row[row]
        now = as_of[row]
        if now == OWN_AS_OF and t.size > 0:
            now = t[t.size - 1]
        first, end = considered(t, now, full_duration[row], switches) if p >= 0 else (0, 0)
        t = t[first:end]
        x = x[first:end]
        rest = free
        if duplicates[row] != 0 and switches[LAST_WINS] != 0:
            count = keep_last(t, x, kept_t, free)
            rest = free[t.size :]
            t = kept_t[:count]
            x = free[:count]
        stats[SIGNED] = 1.0  # nothing is known of it yet
        stats[FALLS] = 0.0
        outcome = outcome_of(t, x, now, policies[p, STALE_PERIOD], switches)
        n = x.size
        votes[row, :] = NULL
        points[row, DATAPOINT] = x[n - 1] if n > 0 else np.nan
        points[row, CHANGE] = np.nan
        points[row, LEVEL] = np.nan
        if outcome == ANALYSED:
            table = critical[policies[p, CRITICAL_ROW]]
            if n >= table.size or np.isnan(table[n]):
                outcome = NO_CRITICAL
                status = 1
            else:
                kept = scores[row] if row < scores.shape[0] else own_scores
                series = Row(t, x, weights[weights.size - n :], stats, switches, now, full_duration[row], rest)
                mask, slack = policies[p, MASK], policies[p, CONSENSUS_SLACK]
                cut = policies[p, CUT] != 0
                score_row(series, table[n], thresholds[p], mask, slack, SCORES if cut else mode, votes[row], kept)
                if cut:
                    cut_row(cutoffs[p], votes[row], kept)
                points[row, CHANGE] = change_of(stats)
                points[row, LEVEL] = level_of(stats)
        expect(values, begin, begin + half)
        expect_ends(timestamps, begin, offsets[min(row + 2, stop)])
        describe(t, x, stats, facts[row], switches, steps, rest)
        outcomes[row] = outcome
    return status


SIGNATURE: Final = signature_of(run)
