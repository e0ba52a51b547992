"""What Graphite renders (`/render?format=json` and `format=msgpack`): series with a point for every step, null for none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from ridgeline.io.tables.reading import Told
from ridgeline.io.tables.series import gathered


def is_rendered(item: dict[str, Any]) -> bool:
    """Whether an item is a series: points as [value, time], or values at equal steps."""
    return _has_points(item) or _has_steps(item)


def rendered(items: Iterable[dict[str, Any]], told: Told) -> Iterator[pa.RecordBatch]:
    """The points of such items; those that are none are malformed."""
    yield from gathered(_series(items, told))


def _series(items: Iterable[dict[str, Any]], told: Told) -> Iterator[tuple[str, list[Any], list[Any]]]:
    for item in items:
        if _has_points(item):
            good = [pair for pair in item["datapoints"] if isinstance(pair, (list, tuple)) and len(pair) == 2]
            told.malformed(len(item["datapoints"]) - len(good))
            pairs = [pair for pair in good if pair[0] is not None]
            yield str(item["target"]), [time for _, time in pairs], [value for value, _ in pairs]
        elif _has_steps(item):
            start, step = item["start"], item["step"]
            points = [(start + step * at, value) for at, value in enumerate(item["values"]) if value is not None]
            yield str(item["name"]), [time for time, _ in points], [value for _, value in points]
        else:
            told.malformed()


def _has_points(item: dict[str, Any]) -> bool:
    return isinstance(item.get("target"), str) and isinstance(item.get("datapoints"), list)


def _has_steps(item: dict[str, Any]) -> bool:
    numbers = all(isinstance(item.get(key), int) for key in ("start", "step"))
    return numbers and isinstance(item.get("name"), str) and isinstance(item.get("values"), list)
