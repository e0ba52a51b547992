"""The last stage of a block of steps: doubts settled, votes counted, scores written as float32."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import disjoint, exact_kernel, never_inline
from ridgeline.kernels.replay.layout import ABOVE_ONE, DISTANCE, STATISTIC
from ridgeline.kernels.score.layout import ALGORITHMS, ANALYSED, BORING, KS_TEST, TOO_SHORT
from ridgeline.kernels.shared.stats import STATS
from ridgeline.kernels.shared.summary import change_of, level_of, summarise
from ridgeline.kernels.shared.switches import BORING_POINTS, GUARDED, MIN_POINTS

EVERY: Final = ((1 << ALGORITHMS) - 1) & ~(1 << KS_TEST)  # a doubt about each algorithm; ks_test is exact anyway


@exact_kernel
def outcomes(begin, end, wanted, first, same, extreme, switches, live, outcome, doubt):
    """Set live[j] to 1 for wanted steps that are analysed, else 0; fill outcome; return how many are wanted, live.

    Only the last point of a timestamp is a step; `wanted` uint8[n] is 0 elsewhere. Nothing is ever stale here.
    """
    never_inline()
    steps = 0
    analysed = 0
    for j in range(end - begin):
        i = begin + j
        live[j] = 0
        doubt[j] = 0
        if wanted[i] == 0:
            continue
        steps += 1
        if i + 1 - first[j] < switches[MIN_POINTS]:
            outcome[j] = TOO_SHORT
        elif switches[BORING_POINTS] > 0 and same[j] <= max(first[j], i + 1 - switches[BORING_POINTS]):
            outcome[j] = BORING
        else:
            outcome[j] = ANALYSED
            live[j] = 1
            analysed += 1
            # The tail of the moving sums is three points, and their squares are not scaled.
            if i + 1 - first[j] < 3 or (switches[GUARDED] != 0 and extreme[j] >= first[j]):
                doubt[j] = EVERY
    return steps, analysed


@exact_kernel
def divide(size, mask, cutoffs, table):
    """Divide table[k, :size] by cutoffs[k], float64[9], of the algorithms in force that have one unlike 1."""
    never_inline()
    for k in range(ALGORITHMS):
        if mask & (1 << k) and cutoffs[k] != 1.0:
            for j in range(size):
                table[k, j] /= cutoffs[k]


@exact_kernel
def _convert(scores, out, votes):
    """Write scores float64[n] as float32, each on its side of 1, and count the votes."""
    never_inline()
    disjoint()
    for j in range(out.size):
        score = scores[j]
        value = np.float32(score)
        vote = score > 1.0
        out[j] = ABOVE_ONE if vote & (value < ABOVE_ONE) else value
        votes[j] += vote


@exact_kernel
def _copy_outcomes(outcome, out):
    """Write outcomes int64[n] as uint8."""
    never_inline()
    disjoint()
    for j in range(out.size):
        out[j] = outcome[j]


@exact_kernel
def _tell(distances, statistics, told, out_distance, out_statistic):
    """Write ks_test's D and, beyond 0.5, its ADF statistic as float32; NaN where they are not `told`."""
    never_inline()
    disjoint()
    for j in range(out_distance.size):
        distance = distances[j] if told else np.nan
        out_distance[j] = distance
        out_statistic[j] = statistics[j] if distance > 0.5 else np.nan


@exact_kernel
def write(
    begin,
    end,
    wanted,
    live,
    full,
    outcome,
    mask,
    table,
    distances,
    statistics,
    place,
    outcomes_out,
    votes_out,
    scores_out,
):
    """Write the block's wanted steps from output position `place` on; return the next one.

    `full` is True where all points are wanted and live. A score keeps its side of 1 as float32. NaN: nothing to say (not analysed, switched off, failed, no distance).
    """
    never_inline()
    size = end - begin
    stop = place + size
    for k in range(ALGORITHMS):
        if full:
            if mask & (1 << k):
                _convert(table[k, :size], scores_out[k, place:stop], votes_out[place:stop])
            else:
                scores_out[k, place:stop] = np.nan
            continue
        p = place
        for j in range(size):
            if wanted[begin + j] == 0:
                continue
            value = np.float32(np.nan)
            if mask & (1 << k) and live[j] != 0:
                score = table[k, j]
                value = np.float32(score)
                if score > 1.0:
                    value = max(value, ABOVE_ONE)
                    votes_out[p] += 1
            scores_out[k, p] = value
            p += 1
    told = mask & (1 << KS_TEST) != 0
    if full:
        _copy_outcomes(outcome, outcomes_out[place:stop])
        _tell(distances, statistics, told, scores_out[DISTANCE, place:stop], scores_out[STATISTIC, place:stop])
        return stop
    p = place
    for j in range(size):
        if wanted[begin + j] == 0:
            continue
        outcomes_out[p] = outcome[j]
        distance = np.nan
        statistic = np.nan
        if live[j] != 0 and told:
            distance = distances[j]
            if distance > 0.5:
                statistic = statistics[j]
        scores_out[DISTANCE, p] = np.float32(distance)
        scores_out[STATISTIC, p] = np.float32(statistic)
        p += 1
    return p


@exact_kernel
def gate(x, begin, end, wanted, live, first, switches, least, place, votes_out, shift_out, level_out, scratch):
    """Write the tail's change and the mean of steps with at least `least` votes, as the score entry computes them."""
    never_inline()
    p = place
    for j in range(end - begin):
        i = begin + j
        if wanted[i] == 0:
            continue
        if live[j] != 0 and votes_out[p] >= least:
            stats = scratch[:STATS]
            summarise(x[first[j] : i + 1], switches[GUARDED], stats, scratch[STATS:])
            shift_out[p] = change_of(stats)
            level_out[p] = level_of(stats)
        p += 1
