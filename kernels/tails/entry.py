"""The native entry `tails`: replies of `GETRANGE key -K -1` into rows of the memory, as they come from the socket."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, FloatRows, Floats, Int, IntRows, Ints, ShortInts, signature_of
from ridgeline.kernels.memory.layout import (
    ABSENT,
    AT,
    DONE,
    HANDED,
    HAVE,
    HOT_WORDS,
    NOT_RESP,
    OK,
    READ,
    REFUSED,
    WRONG_TYPE,
)
from ridgeline.kernels.memory.news import News
from ridgeline.kernels.memory.opening import open_row
from ridgeline.kernels.memory.pairs import Pairs
from ridgeline.kernels.memory.reply import BROKEN, CUT, ERROR, is_wrong_type, read_reply
from ridgeline.kernels.memory.rules import Rules
from ridgeline.kernels.memory.tail import take_tail
from ridgeline.kernels.memory.verdict import seal_into


@exact_kernel
def run(
    data: Bytes,
    cursor: Ints,
    size: Int,
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
    dropped: Ints,
    room_t: Ints,
    room_bits: Ints,
    room_dropped: Ints,
    stack: Ints,
    asked: Bytes,
    news_t: Ints,
    news_bits: Ints,
    handed: Ints,
) -> Int:
    """Take the complete replies in data[cursor[AT]:cursor[HAVE]], those of rows[cursor[DONE]:]; return OK, NOT_RESP or REFUSED.

    data uint8; cursor int64[CURSOR], advanced past what was taken; size: the K that was asked for, in bytes
    rows int64[m]: rows of the memory in order of request
    hot int64[n, HOT_WORDS]; queue int64[n, QUEUE_WORDS], only read
    as_of .. scales: `memory.rules.Rules`; per row of the memory: meanings, windows, policy_of_row, switches_of_row
    codes uint8[n], changed uint8[n]: results of the rows taken (`memory.layout`); a row read in full is left as it was
    dropped int64[KINDS]: unusable points by kind, added up
    room_t, room_bits, room_dropped int64[tail_room(size)], stack int64[STACK]: scratch
    asked uint8[n]: rows whose new points are handed on, one row after another in order of request, as far as there is room;
        empty: none. news_t int64[k], news_bits int64[k]: the points, how many in cursor[HANDED]; handed int64[>= m]: results,
        how many of each row of rows
    """
    rules = Rules(
        as_of, meanings, windows, policy_of_row, policies, thresholds, judgements, switches_of_row, switches, critical,
        weights, totals, scales,
    )  # fmt: skip
    pairs = Pairs(room_t, room_bits, room_dropped, stack[HOT_WORDS:])
    news = News(asked, news_t, news_bits, cursor[HANDED : HANDED + 1])
    w = stack[:HOT_WORDS]
    f = w.view(np.float64)
    at = cursor[AT]
    done = cursor[DONE]
    status = OK
    while done < rows.size:
        kind, start, end, after = read_reply(data, at, cursor[HAVE])
        if kind == BROKEN or (kind != ERROR and end - start > size):
            status = NOT_RESP
            break
        if kind == CUT:
            break
        row = rows[done]
        before = cursor[HANDED]
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
                whole = 1 if end - start < size else 0
                code = take_tail(
                    data,
                    start,
                    end,
                    whole,
                    row,
                    w,
                    f,
                    queue[row],
                    queue[row].view(np.float64),
                    dropped,
                    pairs,
                    news,
                    rules,
                )
                if code < READ:
                    changed[row] |= seal_into(w, hot[row])
            codes[row] = code
        if asked.size > 0:
            handed[done] = cursor[HANDED] - before
        at = after
        done += 1
    cursor[AT] = at
    cursor[DONE] = done
    return status


SIGNATURE: Final = signature_of(run)
