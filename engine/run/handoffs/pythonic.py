"""Numbers, names and series as Skyline's siblings read them: the text that Python shows of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES

WHOLE = 2.0**63


def value_of(number: float, integers: int) -> float | int:
    """A value as it is stored: `350` of a series of integers, `350.0` of another."""
    whole = integers & INTEGER_VALUES and float(number).is_integer() and abs(number) < WHOLE
    return int(number) if whole else float(number)


def timestamp_of(stamp: int, integers: int) -> float | int:
    """A timestamp as it is stored."""
    return int(stamp) if integers & INTEGER_TIMESTAMPS else float(stamp)


def series_of(stamps: NDArray[np.int64], values: NDArray[np.float64], integers: int) -> str:
    """All points, `((1700000000.0, 3.0), (1700000060.0, 4.0))`: the text of lists, with parentheses for brackets."""
    times: Sequence[float | int] = (stamps if integers & INTEGER_TIMESTAMPS else stamps.astype(np.float64)).tolist()
    numbers: Sequence[float | int] = values.tolist()
    if integers & INTEGER_VALUES:
        numbers = [value_of(number, integers) for number in numbers]
    return f"({str(list(zip(times, numbers, strict=True)))[1:-1]})"


def in_double_quotes(text: str) -> str:
    """The text as Mirage's checks quote it; what would end the quotes or the line is escaped."""
    shown = repr(text)
    if shown.startswith('"'):
        return shown
    inner = shown[1:-1].replace("\\'", "'").replace('"', '\\"')
    return f'"{inner}"'


def assignments(fields: Iterable[tuple[str, object]]) -> str:
    """`name = value` lines. Values are told as they are: those that are to be quoted come quoted."""
    return "".join(f"{name} = {told}\n" for name, told in fields)


def judged(anomaly: Anomaly, value: float, start: int) -> tuple[tuple[str, object], ...]:
    """What was judged, from which timestamp on and by what, as the checks of Panorama and Crucible begin."""
    return (
        ("metric", repr(anomaly.metric)),
        ("value", f"'{value}'"),
        ("from_timestamp", f"'{start}'"),
        ("metric_timestamp", f"'{anomaly.timestamp}'"),
        ("algorithms", list(anomaly.algorithms_run)),
        ("triggered_algorithms", list(anomaly.algorithms)),
    )
