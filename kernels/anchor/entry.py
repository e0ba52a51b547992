"""The native entry `anchor`: rows of the memory anew, from series that were read and scored in full."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, FloatRows, Floats, Int, IntRows, Ints, ShortInts, signature_of
from ridgeline.kernels.memory.anchoring import anchor_proof, anchor_readings, anchor_sums, anchor_times, state_of
from ridgeline.kernels.memory.layout import (
    CHECK,
    COUNTER,
    DERIVED,
    FRESH,
    HELD,
    JUDGEMENT,
    LAST,
    LONGEST_QUEUE,
    MEANING,
    NO_OUTCOME,
    ODD,
    OUTCOME,
    PREVIOUS,
    QUEUE_POINTS,
    REDO,
    STANDING,
    STANDS,
    STATE,
)
from ridgeline.kernels.memory.marks import mark, put_mark
from ridgeline.kernels.memory.neighbours import count_pairs
from ridgeline.kernels.memory.queue import fill_queue
from ridgeline.kernels.memory.seal import row_check
from ridgeline.kernels.prepare.derivative import rises_into
from ridgeline.kernels.score.layout import ANALYSED, LEVEL
from ridgeline.kernels.score.layout import COUNTER as COUNTER_FACT
from ridgeline.kernels.score.window import considered
from ridgeline.kernels.shared.search import after


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    duplicates: Bytes,
    odd: Bytes,
    asks: Bytes,
    prepared: Bytes,
    as_of: Int,
    meanings: Ints,
    windows: Ints,
    policy_of_row: ShortInts,
    judgements: Ints,
    switches: Ints,
    weights: Floats,
    outcomes: Bytes,
    anomalous: Bytes,
    points: FloatRows,
    facts: IntRows,
    rows: Ints,
    lengths: Ints,
    hot: IntRows,
    queue: IntRows,
    scratch: Floats,
    start: Int,
    stop: Int,
) -> Int:
    """Anchor series start..stop of m; return how many have no point that counts: their rows are emptied.

    offsets int64[m+1], timestamps int64[N], values float64[N], duplicates uint8[m]: the matrix, as it was cleaned
    odd uint8[m]: not 0 where the series is to be read in full again next time; one with equal timestamps always is
    asks uint8[m], prepared uint8[m]: what was asked for each series and what was done (`prepare.layout`)
    as_of, meanings, windows, policy_of_row, judgements: as in `memory.rules.Rules`, by series; switches int64[SWITCHES]
    weights float64[>= longest]: exponential weights, newest (1) last
    outcomes uint8[m], anomalous uint8[m], points float64[m, POINTS], facts int64[m, FACTS]: what `score` said of them
    rows int64[m]: the row of each series, below 0: none; lengths int64[m]: how many points its queue is to hold
    hot int64[n, HOT_WORDS]: written; queue int64[m, QUEUE_WORDS]: written, by series
    scratch float64[>= anchor_room(longest)]
    """
    empty = 0
    for i in range(start, stop):
        row = rows[i]
        if row < 0:
            continue
        w = hot[row]
        f = w.view(np.float64)
        before = mark(w, OUTCOME) if w[CHECK] != 0 else NO_OUTCOME
        last = w[LAST]
        w[:] = 0
        queue[i, :] = 0
        t = timestamps[offsets[i] : offsets[i + 1]]
        x = values[offsets[i] : offsets[i + 1]]
        first, end = considered(t, as_of, windows[i], switches)
        if end == first:
            empty += 1
            continue
        window_t, window_x = t[first:end], x[first:end]
        state = ODD if odd[i] != 0 or duplicates[i] != 0 else state_of(asks[i], prepared[i])
        judged_t, judged_x = window_t, window_x
        begin, at, least = first, 0, 1
        if state >= DERIVED:
            rises_t, rises_x = scratch[:end].view(np.int64), scratch[end : 2 * end]
            count = rises_into(t[:end], x[:end], rises_t, rises_x)
            start = after(rises_t[:count], rises_t[count - 1] - windows[i])
            judged_t, judged_x = rises_t[start:count], rises_x[start:count]
            before_rise = after(t[:end], judged_t[0]) - 2
            begin = min(first, before_rise)
            at = before_rise - begin
            least = max(at + 2, first - begin + 1)
        length = min(max(lengths[i], least), QUEUE_POINTS, end - begin)
        if length < least or t[begin + length - 1] - t[begin] > LONGEST_QUEUE:
            state = ODD
        if state != ODD:
            fill_queue(w, queue[i], queue[i].view(np.float64), t[begin : begin + length], x[begin : begin + length])
        anchor_sums(w, f, judged_x, points[i, LEVEL], weights)
        anchor_times(w, judged_t, scratch[2 * end :])
        anchor_proof(w, t[:end], x[:end])
        count_pairs(w, window_x)
        if state >= DERIVED:
            anchor_readings(w, f, window_t, window_x, at, first - begin)
        w[MEANING] = meanings[i]
        w[JUDGEMENT] = judgements[policy_of_row[i]]
        w[HELD] = as_of - t[0] if t[0] <= w[LAST] - windows[i] else 0
        put_mark(w, STATE, state)
        put_mark(w, OUTCOME, outcomes[i])
        put_mark(w, PREVIOUS, before)
        put_mark(w, FRESH, 1 if w[LAST] > last else 0)
        put_mark(w, COUNTER, 0 if state >= DERIVED else facts[i, COUNTER_FACT])
        put_mark(w, STANDING, STANDS if outcomes[i] == ANALYSED and anomalous[i] == 0 else REDO)
        w[CHECK] = row_check(w)
    return empty


SIGNATURE: Final = signature_of(run)
