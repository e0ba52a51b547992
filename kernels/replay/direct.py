"""Steps that the moving sums leave in doubt, computed again by the algorithms' own kernels on the window itself."""

from __future__ import annotations

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.score.layout import ALGORITHMS, FIRST_HOUR_AVERAGE
from ridgeline.kernels.score.nine import score_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.search import daily_gap
from ridgeline.kernels.shared.stats import CRITICAL, STATS, WANT_SCORES
from ridgeline.kernels.shared.summary import summarise
from ridgeline.kernels.shared.switches import GUARDED


@exact_kernel
def settle_doubts(
    t, x, begin, end, live, first, weights, critical, mask, thresholds, switches, seconds, table, doubt, scratch
):
    """Overwrite table[a, j] for every live step begin + j and every algorithm in force whose bit is set in doubt[j].

    critical float64[m + 1]: grubbs' critical values by number of points. scratch float64[STATS + what kernels need].
    """
    never_inline()
    stats = scratch[:STATS]
    for j in range(end - begin):
        bits = doubt[j] & mask
        if live[j] == 0 or bits == 0:
            continue
        window = x[first[j] : begin + j + 1]
        n = window.size
        summarise(window, switches[GUARDED], stats, scratch[STATS:])
        stats[CRITICAL] = critical[n]
        stats[WANT_SCORES] = 1.0
        row = Row(
            t[first[j] : begin + j + 1],
            window,
            weights[weights.size - n :],
            stats,
            switches,
            t[begin + j],
            seconds,
            scratch[STATS:],
        )
        for k in range(ALGORITHMS):
            if bits & (1 << k):
                table[k, j] = score_of(k, row, thresholds[k])


@exact_kernel
def doubt_daily(t, begin, end, first, live, doubt):
    """Leave the first hour of exactly-daily steps to its own kernel."""
    never_inline()
    for j in range(end - begin):
        if live[j] != 0 and daily_gap(t[first[j] : begin + j + 1]) > 0:
            doubt[j] |= 1 << FIRST_HOUR_AVERAGE
