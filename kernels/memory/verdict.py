"""What becomes of a row whose points are known: an outcome, exactly as `score` has it, or the wish to read it in full."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.decide import surely_false
from ridgeline.kernels.memory.layout import (
    CHECK,
    COUNT,
    COUNTER,
    DERIVED,
    HELD,
    HOT_WORDS,
    JUDGEMENT,
    LAST,
    NEGATIVES,
    OUTCOME,
    QUIET,
    RAW_COUNT,
    READ_CLASS,
    READ_UNDECIDED,
    REDO,
    RUN,
    SAME,
    SETTLED,
    SILENT,
    STANDING,
    STANDS,
    STATE,
    VALUES,
    WATCHED_DERIVED,
)
from ridgeline.kernels.memory.marks import half, mark, put_mark
from ridgeline.kernels.memory.neighbours import tells_counter
from ridgeline.kernels.memory.seal import row_check
from ridgeline.kernels.prepare.layout import FEWEST
from ridgeline.kernels.score.layout import ANALYSED, BORING, CONSENSUS_SLACK, STALE, STALE_PERIOD, TOO_SHORT
from ridgeline.kernels.shared.switches import BORING_POINTS, MIN_POINTS


@exact_kernel
def outcome_of_row(w: np.ndarray, as_of: int, stale_period: int, switches: np.ndarray) -> int:
    """Return the outcome of the row w int64[HOT_WORDS], tested in the order of `score.window.outcome_of`."""
    if w[COUNT] < switches[MIN_POINTS]:
        return TOO_SHORT
    if as_of - w[LAST] > stale_period:
        return STALE
    # Boring: so many newest points, or all there are, have one value.
    if switches[BORING_POINTS] >= 1 and w[RUN] >= min(w[COUNT], switches[BORING_POINTS]):
        return BORING
    return ANALYSED


@exact_kernel
def is_held(w: np.ndarray, window: int, as_of: int) -> bool:
    """Return whether the key surely holds the whole window.

    Trimmers cut by the clock: what a key held back from the clock it still holds, while its newest point is recent.
    """
    age = as_of - w[LAST]
    return age <= SILENT and age + window <= w[HELD]


@exact_kernel
def keeps_class(w: np.ndarray) -> bool:
    """Return whether what is judged of the row w is still what is to be; and note whether its values are a counter's."""
    state = mark(w, STATE)
    if state == DERIVED:
        return half(w, RAW_COUNT) >= FEWEST
    if state == WATCHED_DERIVED:
        return tells_counter(w, half(w, RAW_COUNT), 0)
    counter = tells_counter(w, w[COUNT], w[NEGATIVES])
    put_mark(w, COUNTER, 1 if counter else 0)
    return state == VALUES or not counter


@exact_kernel
def judge_row(w: np.ndarray, f: np.ndarray, row: int, fresh: int, standing: int, rules: Any) -> int:
    """Write the row's verdict; return SETTLED, QUIET where it is not fresh, READ_CLASS or READ_UNDECIDED.

    standing: not 0 where an outcome of `analysed` is not anomalous, as an earlier verdict said.
    """
    always_inline()
    if not keeps_class(w):
        return READ_CLASS
    p = rules.policy_of_row[row]
    scaled = rules.switches_of_row[row]
    switches = rules.switches[scaled]
    if scaled > 0 and w[COUNT] > 1 and 2 * w[SAME] <= w[COUNT] - 1:
        return READ_UNDECIDED  # the median step, by which the switches are scaled, may be another one now
    outcome = outcome_of_row(w, rules.as_of, rules.policies[p, STALE_PERIOD], switches)
    if outcome == ANALYSED and standing == 0:
        if surely_false(w, f, p, switches, rules) <= rules.policies[p, CONSENSUS_SLACK]:
            return READ_UNDECIDED
    put_mark(w, OUTCOME, outcome)
    put_mark(w, STANDING, STANDS if outcome == ANALYSED else REDO)
    w[JUDGEMENT] = rules.judgements[p]
    return SETTLED if fresh != 0 else QUIET


@exact_kernel
def seal_into(w: np.ndarray, stored: np.ndarray) -> int:
    """Seal the row w and copy it to where it is kept, int64[HOT_WORDS] both; return 1 where that changed anything."""
    always_inline()
    w[CHECK] = row_check(w)
    changed = 0
    for i in range(HOT_WORDS):
        changed |= w[i] != stored[i]
        stored[i] = w[i]
    return changed
