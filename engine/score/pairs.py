"""A series as people write it, [(epoch seconds, value), ...], into columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from ridgeline.io.errors import InputError
from ridgeline.io.text import escape, truncate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TimeSeries = Sequence[tuple[float, float | None]]
ODD: Final = (TypeError, ValueError, LookupError, OverflowError)  # what comes of what is no number, or no pair of them
_SHOWN: Final = 100  # bytes of an item in a message


def arrays(timeseries: TimeSeries) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """As `columns`, in arrays, the timestamps int64 where they are whole: quick where no value is None."""
    import numpy as np

    _refuse_frames(timeseries)
    try:
        count = len(timeseries)
        timestamps = np.fromiter(map(itemgetter(0), timeseries), np.float64, count)
        values = np.fromiter(map(itemgetter(1), timeseries), np.float64, count)
        doubtful = bool(np.isnan(timestamps).any())  # numpy takes None for NaN
    except ODD:
        doubtful = True
    if doubtful:
        timestamps, values = (np.array(column, np.float64) for column in columns(timeseries))
    with np.errstate(invalid="ignore"):
        whole = timestamps.astype(np.int64)
    return (whole if np.array_equal(whole, timestamps) else timestamps), values


def columns(timeseries: Iterable[Any]) -> tuple[list[float], list[float]]:
    """The timestamps and the values of a series of pairs, None as NaN; what follows in an item is ignored.

    Raises InputError naming the item that is none.
    """
    _refuse_frames(timeseries)
    timestamps: list[float] = []
    numbers: list[float] = []
    try:
        items = enumerate(timeseries)
    except TypeError:
        raise InputError(f"{shown(timeseries)} is no series: a list of (epoch seconds, value) is wanted") from None
    for at, item in items:
        try:
            timestamp, value = item[0], item[1]
            timestamps.append(float(timestamp))
            numbers.append(math.nan if value is None else float(value))
        except ODD as error:
            raise InputError(
                f"item {at} of the series is {shown(item)}: a pair of epoch seconds and value is wanted"
            ) from error
    return timestamps, numbers


def shown(value: object) -> str:
    """What somebody gave us, on one line of a message."""
    return truncate(escape(repr(value)), _SHOWN)


def _refuse_frames(timeseries: object) -> None:
    """A frame's items are its columns, and two columns of numbers would pass for two points."""
    if hasattr(timeseries, "columns"):
        raise InputError(
            f"a {type(timeseries).__name__} is no series: give its rows, such as pandas' `list(frame.itertuples(index=False))` "
            "or polars' `frame.rows()`"
        )
