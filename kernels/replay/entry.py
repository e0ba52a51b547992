"""The replay entry: every step of one series, block by block.

A block is cut at multiples of `block_of` points from the series' start. There every rounding sum is taken afresh from
the window, and everything else is exact, so a block's bytes depend on the data alone: not on where a series was cut
for threads, nor on the chunks for which ranks are made.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import (
    Bytes,
    FloatRows,
    Floats,
    Int,
    IntRows,
    Ints,
    ShortFloatRows,
    ShortIntRows,
    signature_of,
)
from ridgeline.kernels.replay.direct import doubt_daily as _doubt_daily
from ridgeline.kernels.replay.direct import settle_doubts as _settle_doubts
from ridgeline.kernels.replay.emit import divide as _divide
from ridgeline.kernels.replay.emit import gate as _gate
from ridgeline.kernels.replay.emit import outcomes as _outcomes
from ridgeline.kernels.replay.emit import write as _write
from ridgeline.kernels.replay.ewm import walk as _walk_ewm
from ridgeline.kernels.replay.first_hour import FREES as HOUR_FREES
from ridgeline.kernels.replay.first_hour import ORIGINS as HOUR_ORIGINS
from ridgeline.kernels.replay.first_hour import S1S as HOUR_S1S
from ridgeline.kernels.replay.first_hour import S2S as HOUR_S2S
from ridgeline.kernels.replay.first_hour import SHARES as HOUR_SHARES
from ridgeline.kernels.replay.first_hour import SIZES as HOUR_SIZES
from ridgeline.kernels.replay.first_hour import TAILS as HOUR_TAILS
from ridgeline.kernels.replay.first_hour import walk as _walk_hour
from ridgeline.kernels.replay.ks import pointers as _pointers
from ridgeline.kernels.replay.ks import walk as _walk_ks
from ridgeline.kernels.replay.ks_scores import settle_ks as _settle_ks
from ridgeline.kernels.replay.layout import (
    BINS,
    BLOCK,
    CHUNK_WINDOWS,
    DEVIATIONS,
    DISTANCES,
    DOUBT,
    EDGES,
    EXTREME,
    FIRST,
    FREE,
    FREE_HISTORY,
    FREE_LINE,
    HOUR,
    LIVE,
    MOMENTS,
    OUTCOME,
    OUTLIER,
    PROBES,
    REFS,
    SAME,
    SHARE,
    SHARES,
    SHORTEST_CHUNK,
    SIZE,
    SIZES,
    SQUARES,
    STATE,
    STATISTICS,
    STEPS,
    TABLE,
    TIMES,
    WALK,
    WEIGHT,
    block_of,
)
from ridgeline.kernels.replay.least_squares import score as _score_least_squares
from ridgeline.kernels.replay.moments import (
    COUNTS,
    HISTORY_S1,
    HISTORY_S2,
    ORIGINS,
    PEAKS,
    S1S,
    S2S,
    STS,
    STTS,
    STXS,
    TAIL_SECONDS,
    TAILS,
)
from ridgeline.kernels.replay.moments import walk as _walk_moments
from ridgeline.kernels.replay.order import fill as _fill
from ridgeline.kernels.replay.order import walk as _walk_order
from ridgeline.kernels.replay.ranks import any_close as _any_close
from ridgeline.kernels.replay.ranks import rank_points
from ridgeline.kernels.replay.sums_scores import fill_shares as _fill_shares
from ridgeline.kernels.replay.sums_scores import score_first_hour as _score_hour
from ridgeline.kernels.replay.sums_scores import score_moments as _score_moments
from ridgeline.kernels.replay.sums_scores import score_moving_average as _score_ewm
from ridgeline.kernels.replay.window import fullest as _fullest
from ridgeline.kernels.replay.window import newest_extreme as _newest_extreme
from ridgeline.kernels.replay.window import run_start as _run_start
from ridgeline.kernels.replay.window import spans as _spans
from ridgeline.kernels.replay.window import window_start
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    HISTOGRAM_BINS,
    KS_TEST,
    LEAST_SQUARES,
    MEAN_SUBTRACTION_CUMULATION,
    MEDIAN_ABSOLUTE_DEVIATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.switches import DAILY, GUARDED, HISTOGRAM
from ridgeline.kernels.shared.switches import HOUR as HOUR_SECONDS

KS_STEPS: Final = 256  # points whose distinct values share one scale
LARGEST_TIME_SUM: Final = 4e18


_block_of = exact_kernel(block_of)


@exact_kernel
def chunk_bounds(t, begin, end, seconds, capacity, block):
    """Return (index of the first point that matters to step `begin`, end of the chunk of steps from it)."""
    start = window_start(t, begin, seconds)
    blocks = max(SHORTEST_CHUNK, (CHUNK_WINDOWS * (begin - start)) // BLOCK)
    stop = min(end, (begin // block + blocks * BLOCK // block) * block)
    while stop - start > capacity:
        stop = ((stop - 1) // block) * block
    return start, stop


@exact_kernel
def run(
    t: Ints,
    x: Floats,
    wanted: Bytes,
    switches: Ints,
    thresholds: Floats,
    cutoffs: Floats,
    critical: Floats,
    weights: Floats,
    totals: Floats,
    scale: Floats,
    floats: FloatRows,
    integers: IntRows,
    sx: Floats,
    chunk: IntRows,
    places: ShortIntRows,
    scratch: Floats,
    outcomes: Bytes,
    votes: Bytes,
    scores: ShortFloatRows,
    change: Floats,
    level: Floats,
    begin: Int,
    end: Int,
    place: Int,
    mask: Int,
    least: Int,
    seconds: Int,
) -> Int:
    """Replay the points begin..end-1 of one series; write its wanted steps from output position `place` on.

    t int64[n] ascending epoch seconds, x float64[n] finite; wanted uint8[n]: 1 at steps to write (a timestamp's last)
    switches int64[SWITCHES] of the profile; thresholds float64[9]; cutoffs float64[>= 9]: what scores are divided by
    critical, totals, scale float64[m + 1] by number of points, weights float64[m], m >= the fullest window:
    grubbs' critical values, sums of the newest weights, what makes weighted squares a variance; weights newest last
    floats float64[BLOCK_FLOATS, WIDTH], integers int64[BLOCK_INTEGERS, WIDTH]
    sx float64[r + 2], chunk int64[CHUNK_INTEGERS, >= r + 2 and RADIX], places int32[CHUNK_PLACES, r + 2], r >= m + BLOCK
    scratch float64[>= scratch_room(m)]
    outcomes, votes uint8[steps], votes 0 at first; scores float32[COLUMNS, steps], NaN where there is none
    change, level float64[steps]: tail mean less mean, and mean, of steps with at least `least` votes; may be empty
    begin: a multiple of `block_of(seconds)`; seconds: the window; mask: bit k = the algorithm of column k is in force
    Returns the next output position; with `place` -1 nothing is done, and the size of the fullest window is returned.
    """
    if place < 0:
        return _fullest(t, begin, end, seconds)
    capacity = sx.size - 2
    rank = places[0]
    tree = chunk[5:8]
    marks = chunk[8]
    marks[: (capacity >> 6) + 1] = 0
    first = integers[FIRST]
    live = integers[LIVE]
    doubt = integers[DOUBT]
    table = floats[TABLE : TABLE + ALGORITHMS]
    moments = floats[MOMENTS:HOUR]
    hour = floats[HOUR:DEVIATIONS]
    shares = floats[SIZES : SIZES + SHARES]
    moments_state = floats[STATE][0:8]
    ewm_state = floats[STATE][8:16]
    hour_state = floats[STATE][16:24]
    with_bins = mask & (1 << HISTOGRAM_BINS)
    with_mad = mask & (1 << MEDIAN_ABSOLUTE_DEVIATION)
    with_ranks = with_bins | with_mad | (mask & (1 << KS_TEST))
    always = float(seconds) * float(seconds) * float(weights.size) > LARGEST_TIME_SUM
    daily = switches[DAILY] != 0
    block = _block_of(seconds)
    close = False
    sized = -1
    at = begin
    while at < end:
        base, chunk_stop = chunk_bounds(t, at, end, seconds, capacity, block)
        ranks = chunk_stop - base
        if with_ranks:
            rank_points(x[base:chunk_stop], ranks, sx, rank, chunk[0], chunk[1], chunk[2], chunk[3], chunk[4])
            _fill(rank, 0, at - base, ranks, tree, integers[WALK], integers[BINS], floats[EDGES])
            close = switches[GUARDED] != 0 and _any_close(sx, ranks)
        lo = base
        odd = _newest_extreme(x, at - 1, base)
        changed = _run_start(x, at - 1, base) if at > base else at
        hour_stop = 0
        ref = base
        probe = base
        while at < chunk_stop:
            stop = min(at + STEPS, chunk_stop)
            before = lo
            lo, changed, odd = _spans(
                t, x, at, stop, lo, changed, odd, seconds, first, integers[SAME], integers[EXTREME]
            )
            steps, analysed = _outcomes(
                at, stop, wanted, first, integers[SAME], integers[EXTREME], switches, live, integers[OUTCOME], doubt
            )  # fmt: skip
            width = stop - at
            sized = _fill_shares(at, stop, sized, first, critical, scale, switches, shares)
            _walk_moments(t, x, at, stop, before, seconds, block, first, moments_state, integers[TIMES], moments)
            _score_moments(
                x[at:stop], moments[ORIGINS], moments[HISTORY_S1], moments[HISTORY_S2], moments[S1S], moments[S2S],
                moments[TAILS], shares[SHARE], shares[FREE], shares[OUTLIER], shares[FREE_HISTORY], thresholds, cutoffs,
                switches, table[STDDEV_FROM_AVERAGE], table[GRUBBS], table[MEAN_SUBTRACTION_CUMULATION], doubt,
            )  # fmt: skip
            if mask & (1 << LEAST_SQUARES):
                _score_least_squares(
                    moments[ORIGINS], moments[S1S], moments[S2S], moments[STXS], moments[PEAKS], moments[COUNTS],
                    moments[STS], moments[STTS], moments[TAILS], moments[TAIL_SECONDS],
                    shares[SIZE], shares[SHARE], shares[FREE_LINE],
                    thresholds[LEAST_SQUARES], cutoffs[LEAST_SQUARES], switches, seconds, always,
                    table[LEAST_SQUARES, :width], doubt,
                )  # fmt: skip
            if mask & (1 << FIRST_HOUR_AVERAGE):
                hour_stop = _walk_hour(
                    t, x, at, stop, before, hour_stop, seconds, switches[HOUR_SECONDS], first, hour_state, hour
                )
                _score_hour(
                    hour[HOUR_ORIGINS], hour[HOUR_S1S], hour[HOUR_S2S], hour[HOUR_SIZES], hour[HOUR_SHARES],
                    hour[HOUR_FREES], hour[HOUR_TAILS],
                    thresholds[FIRST_HOUR_AVERAGE], cutoffs[FIRST_HOUR_AVERAGE], switches,
                    table[FIRST_HOUR_AVERAGE, :width], doubt,
                )  # fmt: skip
            if mask & (1 << STDDEV_FROM_MOVING_AVERAGE):
                _walk_ewm(
                    x, at, stop, before, block, first, weights, totals, ewm_state, floats[DEVIATIONS], floats[SQUARES]
                )
                _score_ewm(
                    x[at:stop], floats[DEVIATIONS], floats[SQUARES], shares[WEIGHT],
                    thresholds[STDDEV_FROM_MOVING_AVERAGE], cutoffs[STDDEV_FROM_MOVING_AVERAGE], switches,
                    table[STDDEV_FROM_MOVING_AVERAGE, :width], doubt,
                )  # fmt: skip
            if with_bins | with_mad:
                _walk_order(
                    x, at, stop, base, before, first, live, rank, sx, ranks, tree, integers[WALK],
                    integers[BINS], floats[EDGES], switches[HISTOGRAM], switches[GUARDED] != 0, with_mad, with_bins,
                    thresholds[MEDIAN_ABSOLUTE_DEVIATION], cutoffs[MEDIAN_ABSOLUTE_DEVIATION], thresholds[HISTOGRAM_BINS],
                    table, doubt,
                )  # fmt: skip
            if mask & (1 << KS_TEST):
                ref, probe = _pointers(t, at, stop, first, ref, probe, switches, integers[REFS], integers[PROBES])
                for j in range(0, stop - at, KS_STEPS):
                    _walk_ks(
                        at + j, min(at + j + KS_STEPS, stop), base, live[j:], integers[REFS][j:], integers[PROBES][j:],
                        rank, sx, marks, places[1], places[2], places[3], places[4], floats[DISTANCES][j:],
                    )  # fmt: skip
                if analysed > 0:
                    _settle_ks(
                        t, x, at, stop, live, first, integers[REFS], integers[PROBES], switches, close, thresholds[KS_TEST],
                        floats[DISTANCES], floats[STATISTICS], table, scratch,
                    )  # fmt: skip
            if daily:
                _doubt_daily(t, at, stop, first, live, doubt)
            if analysed > 0:
                _settle_doubts(
                    t,
                    x,
                    at,
                    stop,
                    live,
                    first,
                    weights,
                    critical,
                    mask,
                    thresholds,
                    switches,
                    seconds,
                    table,
                    doubt,
                    scratch,
                )
            if steps > 0:
                _divide(stop - at, mask, cutoffs, table)
                following = _write(
                    at, stop, wanted, live, analysed == stop - at, integers[OUTCOME], mask, table, floats[DISTANCES], floats[STATISTICS], place,
                    outcomes, votes, scores,
                )  # fmt: skip
                if change.size > 0:
                    _gate(x, at, stop, wanted, live, first, switches, least, place, votes, change, level, scratch)
                place = following
            at = stop
    return place


SIGNATURE: Final = signature_of(run)
