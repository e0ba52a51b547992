"""Arrow columns of times, of whatever type, as epoch seconds: the reader for labels, detections and instants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.columns import PER_SECOND, by_magnitude, one_array
from ridgeline.io.epochs import EVER_AFTER, EVER_BEFORE, endless, instant_of, is_absent
from ridgeline.io.errors import InputError

Ints = NDArray[np.int64]
DAY: Final = 86_400
SHOWN: Final = 60  # characters of a value that is no time
WRITE: Final = "epoch seconds (or ms, us, ns), a timestamp, a date, or ISO 8601 text (2024-03-01T12:00:00Z)"


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """Times: `seconds` int64[n] since the epoch, floored; `known` bool[n], False where there is none (null, NaT, NaN).

    Infinite ones are EVER_BEFORE and EVER_AFTER (`ridgeline.io.epochs`), so that they compare as they should.
    """

    seconds: Ints
    known: NDArray[np.bool_]


def instants_of(column: pa.ChunkedArray | pa.Array | Sequence[Any], what: str) -> Instants:
    """Read a column of times, or a list of Python values.

    Numbers are judged one by one by magnitude; timestamps by their unit (a zone changes nothing: they count from UTC);
    dates are midnights in UTC; text is a number or ISO 8601, in UTC where it names no zone.
    Raises InputError, beginning with `what`, for types and values that are no times.
    """
    array = _array(column)
    if pa.types.is_dictionary(array.type):
        words = instants_of(array.dictionary, what)
        return _of_words(words, array.indices)
    if _is_any(array.type, pa.types.is_timestamp, pa.types.is_date):
        return Instants(_stamps(array), array.is_valid().to_numpy(zero_copy_only=False))
    if _is_any(array.type, pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view):
        encoded = array.cast(pa.large_string()).dictionary_encode()
        return _of_words(_of_texts(encoded.dictionary.to_pylist(), what), encoded.indices)
    if _is_any(array.type, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null):
        return _of_floats(array.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False), what)
    if pa.types.is_integer(array.type):
        numbers, known = array.fill_null(0).to_numpy(), array.is_valid().to_numpy(zero_copy_only=False)
        return Instants(_sane(numbers, what), known)
    raise InputError(f"{what} is {array.type}, which is no time: write {WRITE}")


def _array(column: pa.ChunkedArray | pa.Array | Sequence[Any]) -> pa.Array:
    if isinstance(column, (pa.Array, pa.ChunkedArray)):
        return one_array(column)
    try:
        return pa.array(column)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # Numbers beside texts: as texts, all of them can be read.
        return pa.array([None if value is None else str(value) for value in column], pa.string())


def _is_any(kind: pa.DataType, *checks: Callable[[pa.DataType], bool]) -> bool:
    return any(check(kind) for check in checks)


def _stamps(array: pa.Array) -> Ints:
    """Epoch seconds of timestamps and dates; 0 where null."""
    if pa.types.is_date(array.type):
        days: Ints = array.cast(pa.date32()).view(pa.int32()).fill_null(0).to_numpy().astype(np.int64)
        return days * DAY
    ticks: Ints = array.view(pa.int64()).fill_null(0).to_numpy()
    return ticks // PER_SECOND[array.type.unit]


def _of_floats(numbers: NDArray[np.float64], what: str) -> Instants:
    seconds = _sane(np.where(np.isfinite(numbers), numbers, 0.0), what)
    seconds = np.where(np.isposinf(numbers), EVER_AFTER, np.where(np.isneginf(numbers), EVER_BEFORE, seconds))
    return Instants(seconds, ~np.isnan(numbers))


def _of_texts(texts: list[str], what: str) -> Instants:
    seconds = np.zeros(len(texts), np.int64)
    known = np.array([not is_absent(text) for text in texts], np.bool_)
    for at in np.flatnonzero(known).tolist():
        found = endless(texts[at])
        found = instant_of(texts[at]) if found is None else found
        if found is None:
            raise InputError(f"{what} holds {_shown(texts[at])}, which is no time: write {WRITE}")
        seconds[at] = found
    return Instants(seconds, known)


def _of_words(words: Instants, indices: pa.Array) -> Instants:
    """Times of rows that refer to words; a row that refers to none has none."""
    present = indices.is_valid().to_numpy(zero_copy_only=False)
    if not len(words.seconds):
        return Instants(np.zeros(len(indices), np.int64), np.zeros(len(indices), np.bool_))
    codes = indices.fill_null(0).to_numpy()
    return Instants(words.seconds[codes], words.known[codes] & present)


def _sane(numbers: NDArray[Any], what: str) -> Ints:
    """Epoch seconds of numbers, all of which must be times."""
    seconds, good = by_magnitude(numbers)
    if not good.all():
        odd = numbers[np.flatnonzero(~good)[0]].item()
        raise InputError(f"{what} holds {_shown(odd)}, which is no time between 1970 and 2100: write {WRITE}")
    return seconds


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
