"""Whether a row may be used at all, before anything that was read of its series is looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.junction import newest_known
from ridgeline.kernels.memory.layout import (
    CHECK,
    EMPTY_ROW,
    HOT_WORDS,
    MEANING,
    ODD,
    OK,
    READ_DAMAGED,
    READ_FUTURE,
    READ_MEANING,
    READ_NEW,
    READ_ODD,
    STATE,
)
from ridgeline.kernels.memory.marks import mark
from ridgeline.kernels.memory.seal import row_check


@exact_kernel
def open_row(stored: np.ndarray, w: np.ndarray, row: int, rules: Any) -> int:
    """Copy a row to w, int64[HOT_WORDS] both; return OK, or why its series is to be read in full."""
    used = 0
    for i in range(HOT_WORDS):
        w[i] = stored[i]
        used |= stored[i]
    if used == 0:
        return READ_NEW
    if w[CHECK] != row_check(w) or mark(w, STATE) == EMPTY_ROW:
        return READ_DAMAGED
    if mark(w, STATE) == ODD:
        return READ_ODD
    if w[MEANING] != rules.meanings[row]:
        return READ_MEANING
    return READ_FUTURE if newest_known(w) > rules.as_of else OK
