"""The native entry `anchor`: rows of the memory anew, from series that were read and scored in full."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, FloatRows, Floats, Int, IntRows, Ints, ShortInts, signature_of
from ridgeline.kernels.memory.anchoring import anchor_proof, anchor_sums, anchor_times
from ridgeline.kernels.memory.layout import (
    CHECK,
    COUNTER,
    FIRST,
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
    WHOLE,
)
from ridgeline.kernels.memory.marks import mark, put_mark
from ridgeline.kernels.memory.queue import fill_queue
from ridgeline.kernels.memory.seal import row_check
from ridgeline.kernels.score.layout import ANALYSED, LEVEL
from ridgeline.kernels.score.layout import COUNTER as COUNTER_FACT
from ridgeline.kernels.score.window import considered


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    values: Floats,
    duplicates: Bytes,
    odd: Bytes,
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
    as_of, meanings, windows, policy_of_row, judgements: as in `memory.rules.Rules`, by series; switches int64[SWITCHES]
    weights float64[>= longest]: exponential weights, newest (1) last
    outcomes uint8[m], anomalous uint8[m], points float64[m, POINTS], facts int64[m, FACTS]: what `score` said of them
    rows int64[m]: the row of each series, below 0: none; lengths int64[m]: how many points its queue is to hold
    hot int64[n, HOT_WORDS]: written; queue int64[m, QUEUE_WORDS]: written, by series
    scratch float64[>= 4 longest + 128]
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
        window_t = t[first:end]
        length = min(max(lengths[i], 1), QUEUE_POINTS, end - first)
        is_odd = odd[i] != 0 or duplicates[i] != 0 or window_t[length - 1] - window_t[0] > LONGEST_QUEUE
        if not is_odd:
            fill_queue(w, queue[i], queue[i].view(np.float64), window_t[:length], x[first : first + length])
        anchor_sums(w, f, x[first:end], points[i, LEVEL], weights)
        anchor_times(w, window_t, scratch)
        anchor_proof(w, t[:end], x[:end])
        w[MEANING] = meanings[i]
        w[JUDGEMENT] = judgements[policy_of_row[i]]
        w[FIRST] = t[0]
        w[HELD] = as_of - t[0]
        put_mark(w, STATE, ODD if is_odd else WHOLE)
        put_mark(w, OUTCOME, outcomes[i])
        put_mark(w, PREVIOUS, before)
        put_mark(w, FRESH, 1 if w[LAST] > last else 0)
        put_mark(w, COUNTER, facts[i, COUNTER_FACT])
        put_mark(w, STANDING, STANDS if outcomes[i] == ANALYSED and anomalous[i] == 0 else REDO)
        w[CHECK] = row_check(w)
    return empty


SIGNATURE: Final = signature_of(run)
