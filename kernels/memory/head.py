"""The beginning of one series, as it is stored now, against the window that its row has."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.items import read_item
from ridgeline.kernels.decode.layout import POINT
from ridgeline.kernels.decode.loads import bits_of
from ridgeline.kernels.memory.layout import (
    COUNT,
    FIRST,
    FRESH,
    HELD,
    LAST,
    OK,
    READ_NO_JUNCTION,
    READ_UNDECIDED,
    READ_WINDOW,
    STANDING,
    STANDS_WAITING,
    WAITING,
)
from ridgeline.kernels.memory.marks import mark
from ridgeline.kernels.memory.queue import next_time, next_value
from ridgeline.kernels.memory.sums import has_room, pop_before
from ridgeline.kernels.memory.verdict import judge_row


@exact_kernel
def take_head(
    data: Any,
    start: int,
    end: int,
    row: int,
    w: np.ndarray,
    f: np.ndarray,
    q: np.ndarray,
    qx: np.ndarray,
    stack: np.ndarray,
    rules: Any,
) -> int:
    """Take what is no longer stored off the window of a row that waits for its head, data[start:end]; return its code.

    What is stored from within the window on must begin with the very point that the row would lose next.
    """
    if mark(w, STANDING) != WAITING and mark(w, STANDING) != STANDS_WAITING:
        return READ_NO_JUNCTION  # its tail has not been seen in this run
    if not has_room(w, 0, rules):
        return READ_UNDECIDED
    _, kind, first, bits = read_item(data, start, end, stack)
    if kind != POINT or first < w[FIRST]:
        return READ_WINDOW  # a key grows at its end only
    standing = 1 if mark(w, STANDING) == STANDS_WAITING else 0
    if first > w[LAST] - rules.windows[row]:
        before = w[COUNT]
        status = pop_before(w, f, q, qx, first, rules.weights)
        if status != OK:
            return status
        if next_time(w, q) != first or bits_of(next_value(w, qx)) != bits:
            return READ_WINDOW
        if w[COUNT] != before:
            standing = 0
    w[FIRST] = first
    w[HELD] = rules.as_of - first
    return judge_row(w, f, row, mark(w, FRESH), standing, rules)
