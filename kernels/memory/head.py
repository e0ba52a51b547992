"""The beginning of one series, as it is stored now, against the window that its row has."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.items import read_item
from ridgeline.kernels.decode.layout import POINT
from ridgeline.kernels.decode.loads import bits_of
from ridgeline.kernels.memory.layout import (
    AHEAD,
    COUNT,
    DERIVED,
    FRESH,
    HELD,
    LAST,
    OK,
    QUEUE_AT,
    RAW_AT,
    READ_NO_JUNCTION,
    READ_UNDECIDED,
    READ_WINDOW,
    STANDING,
    STANDS_WAITING,
    STATE,
    WAITING,
)
from ridgeline.kernels.memory.marks import half, mark
from ridgeline.kernels.memory.queue import time_at, value_at
from ridgeline.kernels.memory.rises import pop_readings, pop_rises
from ridgeline.kernels.memory.sums import has_room, pop_before
from ridgeline.kernels.memory.verdict import judge_row


@exact_kernel
def pop_lost(w: np.ndarray, f: np.ndarray, q: np.ndarray, qx: np.ndarray, first: int, weights: np.ndarray) -> int:
    """Take off what is lost to the row w where the key begins at `first`, within its window; return OK or why not.

    A first point has no rise. Where the counter's own window begins later, nothing tells of points between.
    """
    if mark(w, STATE) < DERIVED:
        return pop_before(w, f, q, qx, first, weights)
    if half(w, AHEAD) > 0:
        return READ_WINDOW
    status = pop_rises(w, f, q, qx, first + 1, weights)
    return pop_readings(w, q, qx, first) if status == OK else status


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
    if kind != POINT:
        return READ_WINDOW
    standing = 1 if mark(w, STANDING) == STANDS_WAITING else 0
    if first <= w[LAST] - rules.windows[row] and w[HELD] > 0:
        w[HELD] = rules.as_of - first
        return judge_row(w, f, row, mark(w, FRESH), standing, rules)
    before = w[COUNT]
    status = pop_lost(w, f, q, qx, first, rules.weights)
    if status != OK:
        return status
    place = half(w, RAW_AT) if mark(w, STATE) >= DERIVED else w[QUEUE_AT]
    if time_at(w, q, place) != first or bits_of(value_at(qx, place)) != bits:
        return READ_WINDOW
    w[HELD] = 0
    return judge_row(w, f, row, mark(w, FRESH), standing if w[COUNT] == before else 0, rules)
