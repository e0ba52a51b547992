"""The native entry `heads`: replies of `GETRANGE key 0 18` into rows of the memory that wait for them."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, FloatRows, Floats, Int, IntRows, Ints, ShortInts, signature_of
from ridgeline.kernels.memory.head import take_head
from ridgeline.kernels.memory.layout import (
    ABSENT,
    AT,
    DONE,
    HAVE,
    HEAD_SIZE,
    HOT_WORDS,
    NOT_RESP,
    OK,
    READ,
    REFUSED,
    WRONG_TYPE,
)
from ridgeline.kernels.memory.opening import open_row
from ridgeline.kernels.memory.reply import BROKEN, CUT, ERROR, is_wrong_type, read_reply
from ridgeline.kernels.memory.rules import Rules
from ridgeline.kernels.memory.verdict import seal_into


@exact_kernel
def run(
    data: Bytes,
    cursor: Ints,
    rows: Ints,
    hot: IntRows,
    queue: IntRows,
    as_of: Int,
    meanings: Ints,
    windows: Ints,
    policy_of_row: ShortInts,
    policies: IntRows,
    thresholds: FloatRows,
    judgements: Ints,
    switches_of_row: ShortInts,
    switches: IntRows,
    critical: FloatRows,
    weights: Floats,
    totals: Floats,
    scales: Floats,
    codes: Bytes,
    changed: Bytes,
    stack: Ints,
) -> Int:
    """Take the complete replies in data[cursor[AT]:cursor[HAVE]], those of rows[cursor[DONE]:]; return OK, NOT_RESP or REFUSED.

    Arguments are those of `tails`; a row that is not waiting for its head is to be read in full.
    stack int64[STACK]: scratch
    """
    rules = Rules(
        as_of, meanings, windows, policy_of_row, policies, thresholds, judgements, switches_of_row, switches, critical,
        weights, totals, scales,
    )  # fmt: skip
    w = stack[:HOT_WORDS]
    f = w.view(np.float64)
    at = cursor[AT]
    done = cursor[DONE]
    status = OK
    while done < rows.size:
        kind, start, end, after = read_reply(data, at, cursor[HAVE])
        if kind == BROKEN or (kind != ERROR and end - start > HEAD_SIZE):
            status = NOT_RESP
            break
        if kind == CUT:
            break
        row = rows[done]
        if kind == ERROR:
            if not is_wrong_type(data, start, end):
                status = REFUSED
                break
            codes[row] = WRONG_TYPE
        elif start == end:
            codes[row] = ABSENT
        else:
            code = open_row(hot[row], w, row, rules)
            if code == OK:
                code = take_head(
                    data, start, end, row, w, f, queue[row], queue[row].view(np.float64), stack[HOT_WORDS:], rules
                )
                if code < READ:
                    changed[row] |= seal_into(w, hot[row])
            codes[row] = code
        at = after
        done += 1
    cursor[AT] = at
    cursor[DONE] = done
    return status


SIGNATURE: Final = signature_of(run)
