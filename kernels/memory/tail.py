"""The end of one series, as it is stored now, into its row."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.decode.loads import bits_of, float64_of
from ridgeline.kernels.memory.junction import NONE, find_junction, moved_proof, newest_known
from ridgeline.kernels.memory.layout import (
    COUNT,
    DERIVED,
    DROPPED,
    FRESH,
    HEAD,
    JUDGEMENT,
    JUNCTION,
    KNOWN,
    LAST,
    OK,
    OUTCOME,
    PREVIOUS,
    PROOF,
    QUEUE_AT,
    QUEUE_LENGTH,
    RAW_AT,
    RAW_COUNT,
    READ_CLASS,
    READ_LATE,
    READ_LAYOUT,
    READ_NO_JUNCTION,
    READ_UNDECIDED,
    READ_WALKS,
    READ_WINDOW,
    SPAN,
    SPAN_POINTS,
    STANDING,
    STANDS,
    STANDS_WAITING,
    STATE,
    VALUE,
    WAITING,
    WATCHED_DERIVED,
)
from ridgeline.kernels.memory.marks import half, mark, put_mark
from ridgeline.kernels.memory.neighbours import COMES, count_pair
from ridgeline.kernels.memory.news import News, hand_on
from ridgeline.kernels.memory.pairs import (
    TRIES,
    Pairs,
    kind_of,
    next_start,
    points_before,
    read_even,
    read_from,
)
from ridgeline.kernels.memory.queue import reach, time_at, value_at
from ridgeline.kernels.memory.rises import is_preceded, rises_since, rises_span, slide_rises
from ridgeline.kernels.memory.sums import has_room, pop_before, push
from ridgeline.kernels.memory.verdict import is_held, judge_row

FEW: Final = PROOF + 3  # newest pairs, among which the known ones mostly are


@exact_kernel
def locate(data: Any, start: int, end: int, whole: int, w: np.ndarray, pairs: Pairs) -> tuple[int, int, int]:
    """Return (pairs, dropped objects, place of the newest known pair) of a tail data[start:end]; NONE where there is none.

    whole: not 0 where it is the whole series. Its pairs are known from their place: of one layout they end where the tail
    does; else they begin at the first place from which they can be read to its very end, and prove the row w.
    """
    always_inline()
    last, known, proof = newest_known(w), mark(w, KNOWN), w[JUNCTION]
    if whole == 0:
        count = read_even(data, start, end, whole, FEW, pairs)
        if count != NONE:
            junction = find_junction(pairs.t, pairs.bits, count, last, known, proof)
            if junction != NONE:
                return count, 0, junction
    count = read_even(data, start, end, whole, pairs.t.size, pairs)
    if count != NONE:
        return count, 0, find_junction(pairs.t, pairs.bits, count, last, known, proof)
    found, lost = NONE, NONE
    position = start if whole != 0 else next_start(data, start, end)
    for _ in range(1 if whole != 0 else TRIES):
        if position >= end:
            break
        count, dropped = read_from(data, position, end, pairs)
        if count != NONE:
            found, lost = count, dropped
            junction = find_junction(pairs.t, pairs.bits, count, last, known, proof)
            if junction != NONE:
                return count, dropped, junction
        position = next_start(data, position + 1, end)
    return found, lost, NONE


@exact_kernel
def points_until(t: np.ndarray, first: int, count: int, last: int, as_of: int) -> int:
    """Return where the new points t[first:count] end that are not later than `as_of`; NONE where one is not later than those before it."""
    stop = first
    while stop < count and t[stop] <= as_of:
        if t[stop] <= last:
            return NONE
        last = t[stop]
        stop += 1
    for i in range(stop, count):
        if t[i] <= as_of:
            return NONE
    return stop


@exact_kernel
def count_dropped(w: np.ndarray, dropped: np.ndarray, lost: int, junction: int, stop: int, counts: np.ndarray) -> None:
    """Add what was dropped behind the junction to counts int64[KINDS], each once; w remembers those behind its newest point."""
    seen = mark(w, DROPPED)
    behind = 0
    for i in range(lost):
        if points_before(dropped[i]) <= junction:
            continue
        if seen > 0:
            seen -= 1
        else:
            counts[kind_of(dropped[i])] += 1
        behind += points_before(dropped[i]) >= stop
    put_mark(w, DROPPED, min(behind, 255))


@exact_kernel
def slide(
    w: np.ndarray,
    f: np.ndarray,
    q: np.ndarray,
    qx: np.ndarray,
    pairs: Pairs,
    junction: int,
    stop: int,
    row: int,
    rules: Any,
) -> int:
    """Add the points between the junction and `stop`, and take off those that leave the window; return OK or why not."""
    always_inline()
    t, bits = pairs.t, pairs.bits
    coming = stop - junction - 1
    if not has_room(w, coming, rules):
        return READ_UNDECIDED
    window = rules.windows[row]
    state = mark(w, STATE)
    for i in range(junction + 1, stop):
        x = float64_of(bits[i])
        if state >= DERIVED:
            if state == WATCHED_DERIVED and x < 0.0:
                return READ_CLASS
            status = slide_rises(w, f, q, qx, t[i], x, window, rules.weights)
        else:
            count_pair(w, f[VALUE], x, COMES)
            push(w, f, t[i], x)
            status = pop_before(w, f, q, qx, t[i] - window + 1, rules.weights)
        if status != OK:
            return status
    first = junction + 1 - mark(w, KNOWN)
    if coming > 0:
        known = min(PROOF, stop - first)
        put_mark(w, KNOWN, known)
        w[JUNCTION] = moved_proof(w[JUNCTION], t, bits, junction, junction + 1 - first, stop - known, stop)
    if state >= DERIVED:
        w[SPAN] = rises_span(t, bits, first, stop)
    else:
        w[SPAN] = w[LAST] - t[max(first, stop - SPAN_POINTS)]
    return OK


@exact_kernel
def points_since(t: np.ndarray, stop: int, oldest: int) -> int:
    """Return how many of t[:stop] are later than `oldest`."""
    count = 0
    for i in range(stop):
        count += t[i] > oldest
    return count


@exact_kernel
def has_all(w: np.ndarray, pairs: Pairs, stop: int, window: int) -> bool:
    """Return whether the windows of the row w hold all that whole series t[:stop] have in them, and nothing else."""
    in_window = points_since(pairs.t, stop, newest_known(w) - window)
    if mark(w, STATE) < DERIVED:
        return in_window == w[COUNT]
    return in_window == half(w, RAW_COUNT) and rises_since(pairs.t, pairs.bits, stop, w[LAST] - window) == w[COUNT]


@exact_kernel
def begins_alike(w: np.ndarray, q: np.ndarray, qx: np.ndarray, pairs: Pairs, stop: int, window: int) -> bool:
    """Return whether the points of whole series t[:stop] that are next to leave the window are those that the queue has.

    q int64[QUEUE_WORDS], qx its float64 view. As far as the queue reaches: of so short a series to its end, mostly.
    """
    place = half(w, RAW_AT) if mark(w, STATE) >= DERIVED else w[QUEUE_AT]
    oldest = newest_known(w) - window
    for i in range(stop):
        if pairs.t[i] <= oldest:
            continue
        if place >= w[QUEUE_LENGTH]:
            return True
        if (
            reach(w, q, place) != OK
            or time_at(w, q, place) != pairs.t[i]
            or bits_of(value_at(qx, place)) != pairs.bits[i]
        ):
            return False
        place += 1
    return True


@exact_kernel
def take_tail(
    data: Any,
    start: int,
    end: int,
    whole: int,
    row: int,
    w: np.ndarray,
    f: np.ndarray,
    q: np.ndarray,
    qx: np.ndarray,
    counts: np.ndarray,
    pairs: Pairs,
    news: News,
    rules: Any,
) -> int:
    """Bring the row w int64[HOT_WORDS], f its float64 view, up to a tail data[start:end]; return its code.

    q, qx: its queue; counts int64[KINDS]: points dropped. From READ on w is of no use any more.
    What is new is handed on where the row is one of those that are asked for.
    """
    always_inline()
    count, lost, junction = locate(data, start, end, whole, w, pairs)
    if junction == NONE:
        return READ_LAYOUT if count == NONE else READ_NO_JUNCTION
    stop = points_until(pairs.t, junction + 1, count, newest_known(w), rules.as_of)
    if stop == NONE:
        return READ_LATE
    if news.asked.size > 0 and news.asked[row] != 0 and not hand_on(pairs, junction + 1, stop, news):
        return READ_WALKS
    window, judged = rules.windows[row], w[LAST]
    status = slide(w, f, q, qx, pairs, junction, stop, row, rules)
    if status != OK:
        return status
    if whole != 0 and not (has_all(w, pairs, stop, window) and begins_alike(w, q, qx, pairs, stop, window)):
        return READ_WINDOW
    fresh = 1 if w[LAST] > judged else 0
    today = w[JUDGEMENT] == rules.judgements[rules.policy_of_row[row]]
    standing = 1 if fresh == 0 and today and mark(w, STANDING) == STANDS else 0
    count_dropped(w, pairs.dropped, lost, junction, stop, counts)
    put_mark(w, FRESH, fresh)
    put_mark(w, PREVIOUS, mark(w, OUTCOME))
    held = is_held(w, window, rules.as_of)
    if mark(w, STATE) >= DERIVED:
        held = held and is_preceded(w, q, window, rules.as_of)
    if whole == 0 and not held:
        put_mark(w, STANDING, STANDS_WAITING if standing != 0 else WAITING)
        return HEAD
    return judge_row(w, f, row, fresh, standing, rules)
