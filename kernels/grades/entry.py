"""The native entry `grades`: the k-th largest score of each row and the mean of all, lane by lane."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels._signature import FloatRows, Int, IntRows, Ints, ShortFloatRows, signature_of
from ridgeline.kernels.grades.layout import BLOCK, KTH, LOUDEST, MEAN


@exact_kernel
def _take(scores, lane, total, loudest, nothing):
    """Copy scores into a lane, nothing for those that are NaN, and add them to the total, each up to the loudest."""
    never_inline()
    for j in range(lane.size):
        score = max(nothing, scores[j])
        lane[j] = score
        total[j] += min(loudest, score)


@exact_kernel
def _order(low, high):
    """Put the smaller one of each pair into `low`, the larger one into `high`."""
    never_inline()
    for j in range(low.size):
        smaller = min(high[j], low[j])
        larger = max(low[j], high[j])
        low[j] = smaller
        high[j] = larger


@exact_kernel
def _grade(voters, pairs, place, scores, begin, end, grades, room):
    """Grade the rows begin..end-1 of scores of either size."""
    never_inline()
    kind = scores.dtype.type
    for start in range(begin, end, BLOCK):
        stop = min(start + BLOCK, end)
        size = stop - start
        total = room[voters.size, :size]
        total[:] = 0
        for k in range(voters.size):
            _take(scores[voters[k], start:stop], room[k, :size], total, kind(LOUDEST), kind(0.0))
        for p in range(pairs.shape[0]):
            _order(room[pairs[p, 0], :size], room[pairs[p, 1], :size])
        lane = room[place, :size]
        kth = grades[KTH, start:stop]
        mean = grades[MEAN, start:stop]
        for j in range(size):
            kth[j] = lane[j]
            mean[j] = total[j] / kind(voters.size)


@exact_kernel
def run(
    voters: Ints,
    pairs: IntRows,
    place: Int,
    begin: Int,
    end: Int,
    short: ShortFloatRows,
    short_grades: ShortFloatRows,
    short_room: ShortFloatRows,
    wide: FloatRows,
    wide_grades: FloatRows,
    wide_room: FloatRows,
) -> Int:
    """Grade the rows begin..end-1 and return 0.

    voters int64[m]: the algorithms whose scores count; pairs int64[p, 2]: lanes that are put in order, one pair after
    another, after which lane `place` holds the wanted score
    short float32[algorithms, n], NaN where an algorithm failed; short_grades float32[GRADES, n]; short_room
    float32[>= m + 1, BLOCK]; or the same of float64 in the last three: what is not there has no rows
    """
    if short.shape[0] > 0:
        _grade(voters, pairs, place, short, begin, end, short_grades, short_room)
    else:
        _grade(voters, pairs, place, wide, begin, end, wide_grades, wide_room)
    return 0


SIGNATURE: Final = signature_of(run)
