"""Cells of any type as numbers and as times. What is none is marked, never dropped: its metric is still there.

A point whose value is no number has the value `NON_NUMERIC`, a NaN of its own; cleaning counts it for what it is. So has
a point whose time cannot be read. Absent cells are null.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, nulls, view
from ridgeline.io.arrow.columns import PER_SECOND, floats_of, ticks_of
from ridgeline.io.arrow.layout import is_text
from ridgeline.io.clean import NON_NUMERIC
from ridgeline.io.epochs import instant_of, is_absent

Bools = NDArray[np.bool_]
NUMBER: Final = r"^[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:nan|inf|infinity))$"
ABSENT: Final = r"(?i)^(none|null|na|n/a|nil|nat|<na>|\\n|-)?$"  # what writers put where there is no number
HEX: Final = r"0[xX][0-9a-fA-F]{1,15}"
COMMA: Final = r"^[+-]?\d+,\d+([eE][+-]?\d+)?$"
POINT: Final = r"^[+-]?\d*\.\d"
DAY: Final = 86_400
WHOLE: Final = r"[+-]?\d{1,18}"
BEYOND: Final = 2.0**63
NO_TIME: Final = 0  # sane in no unit


class Cells(NamedTuple):
    """`numbers` of a column's cells; where they are `absent`, and where `bad` because they cannot be read (None: nowhere).

    `comma` is a number with a decimal comma, where there are such numbers and none with a point.
    """

    numbers: NDArray[Any]
    absent: Bools | None
    bad: Bools | None = None
    comma: str | None = None


def numbers_of(column: pa.Array, *, truths: bool = False) -> Cells:
    """float64 values; `NON_NUMERIC` where they cannot be read. True and false are no numbers, but 1 and 0 with `truths`."""
    if truths:
        column = _counted(column)
    if pa.types.is_boolean(column.type) or column.type.num_fields:
        return Cells(np.full(len(column), NON_NUMERIC), nulls(column), np.ones(len(column), np.bool_))
    if not is_text(column.type):
        return Cells(*floats_of(column))
    text = _text(column)
    try:
        return Cells(*floats_of(text.cast(pa.float64())))
    except pa.ArrowInvalid:
        pass
    text = pc.utf8_trim_whitespace(text)
    absent = _flags(pc.fill_null(pc.match_substring_regex(text, ABSENT), True))
    good = pc.fill_null(pc.match_substring_regex(text, NUMBER), False)
    values, _ = floats_of(pc.if_else(good, text, pa.scalar(None, text.type)).cast(pa.float64()).fill_null(NON_NUMERIC))
    bad = ~_flags(good) & ~absent
    return Cells(values, absent, bad, _comma(text.filter(arrow(bad)), text) if bad.any() else None)


def _comma(bad: pa.Array, text: pa.Array) -> str | None:
    with_comma = bad.filter(pc.match_substring_regex(bad, COMMA))
    points = len(with_comma) and pc.any(pc.match_substring_regex(text, POINT)).as_py()
    return with_comma[0].as_py() if len(with_comma) and not points else None


def _counted(column: pa.Array) -> pa.Array:
    """1 and 0 for true and false, also for the words."""
    if pa.types.is_boolean(column.type):
        return column.cast(pa.int8())
    if not is_text(column.type):
        return column
    text = _text(column)
    for word, number in (("true", "1"), ("false", "0")):
        text = pc.if_else(pc.match_substring_regex(text, rf"(?i)^\s*{word}\s*$"), number, text)
    return text


def times_of(column: pa.Array) -> Cells:
    """int64 times; `NO_TIME` where they cannot be read.

    Numbers stay what they are, floored: their unit is judged later, series by series. Whatever has a unit, and text in
    ISO 8601 (UTC where it names no zone), comes as epoch seconds.
    """
    if is_text(column.type):
        return _times_of_text(column)
    if pa.types.is_boolean(column.type) or column.type.num_fields:
        return Cells(np.full(len(column), NO_TIME), nulls(column), np.ones(len(column), np.bool_))
    if pa.types.is_date(column.type):
        days = view(column.cast(pa.date32()).view(pa.int32())).astype(np.int64)
        return Cells(days * DAY, nulls(column))
    ticks, absent = ticks_of(column)
    return Cells(ticks if ticks.dtype == np.int64 else _floored(ticks), absent)


def _times_of_text(column: pa.Array) -> Cells:
    text = _text(column)
    for kind in (pa.int64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            ticks = text.cast(kind).view(pa.int64())
        except pa.ArrowInvalid:
            pass
        else:
            return Cells(view(ticks) if kind == pa.int64() else view(ticks) // PER_SECOND["ns"], nulls(text))
    return _times_one_by_one(text)


def _times_one_by_one(text: pa.Array) -> Cells:
    """Each distinct text for itself: several forms in one column, or forms that only few write."""
    words = text.dictionary_encode()
    found = [_time(word) for word in words.dictionary.to_pylist()]
    times = np.array([NO_TIME if time is None else time for time in found] + [NO_TIME], np.int64)
    unread = np.array([time is None for time in found] + [False], np.bool_)
    missing = np.array([is_absent(word) for word in words.dictionary.to_pylist()] + [True], np.bool_)
    gaps = nulls(words.indices)
    codes = view(words.indices).astype(np.int64)
    codes = codes if gaps is None else np.where(gaps, len(found), codes)
    absent = missing[codes]
    return Cells(times[codes], absent, unread[codes] & ~absent)


def _time(word: str) -> int | None:
    """A number as it is, floored; or the epoch seconds of ISO 8601."""
    cleaned = word.strip()
    if re.fullmatch(HEX, cleaned, re.ASCII):
        return int(cleaned, 16)  # as Arrow has it
    if not re.fullmatch(NUMBER, cleaned, re.ASCII):
        return instant_of(word)
    if re.fullmatch(WHOLE, cleaned, re.ASCII):
        return int(cleaned)
    return int(_floored(np.array([float(cleaned)]))[0])


def _floored(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    floors = np.floor(numbers)
    outside = ~(np.abs(floors) < BEYOND)  # NaN and infinities too
    return np.where(outside, NO_TIME, floors).astype(np.int64)


def _text(column: pa.Array) -> pa.Array:
    """Text as strings; bytes that are none are shown as escapes, which no number has."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    try:
        return column if pa.types.is_string(column.type) else column.cast(pa.string())
    except pa.ArrowInvalid:
        from ridgeline.io.arrow.runs import text_of

        return text_of(column)


def _flags(array: pa.BooleanArray) -> Bools:
    return view(array.cast(pa.uint8())).astype(np.bool_)
