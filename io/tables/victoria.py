"""What VictoriaMetrics exports (`/api/v1/export`): one series a line, its labels, values, and times in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.arrow.labelled import labelled
from ridgeline.io.tables.reading import Told
from ridgeline.io.tables.series import gathered

NAME: Final = "__name__"


def is_export(record: dict[str, Any]) -> bool:
    """Whether an object is a series as VictoriaMetrics writes it."""
    kinds = (("metric", dict), ("values", list), ("timestamps", list))
    return all(isinstance(record.get(key), kind) for key, kind in kinds)


def exported(records: Iterable[dict[str, Any]], told: Told) -> Iterator[pa.RecordBatch]:
    """The points of such objects."""
    yield from gathered(_series(records, told))


def _series(records: Iterable[dict[str, Any]], told: Told) -> Iterator[tuple[str, list[Any], list[Any]]]:
    for record in records:
        if not is_export(record) or len(record["values"]) != len(record["timestamps"]):
            told.malformed()
            continue
        labels = {key: None if value is None else str(value) for key, value in record["metric"].items()}
        yield labelled(labels.pop(NAME, None) or "", labels), record["timestamps"], record["values"]
