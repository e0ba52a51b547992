"""The anomalies of a run as files: Parquet, JSON, and the dump that Skyline's web UI loads. Each whole or absent."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.text import encodable

if TYPE_CHECKING:
    from ridgeline.engine.score.anomaly import Anomaly

ASKED = ("second_stage", "handed_to")  # of an anomaly, where there is a second stage, or Mirage
PARQUET, JSON, JSONP = "anomalies.parquet", "anomalies.json", "anomalies.jsonp"


def write_outputs(directory: Path, anomalies: Sequence[Anomaly]) -> None:
    """Write all three files, empty lists included. Raises OutputError, at the first that cannot be written."""
    write_atomic(directory / PARQUET, parquet(anomalies))
    write_atomic(directory / JSON, f"{dumps(listing(anomalies))}\n".encode())
    write_atomic(directory / JSONP, jsonp(anomalies).encode())


def listing(anomalies: Iterable[Anomaly]) -> list[dict[str, Any]]:
    """The anomalies as `run --json` and anomalies.json list them; what only some runs ask is there where one was asked."""
    found = list(anomalies)
    asked = _asked(found)
    return [_row(anomaly) | {name: getattr(anomaly, name) for name in asked} for anomaly in found]


def _asked(anomalies: Sequence[Anomaly]) -> list[str]:
    return [name for name in ASKED if any(getattr(anomaly, name) is not None for anomaly in anomalies)]


def _row(anomaly: Anomaly) -> dict[str, Any]:
    return {
        "metric": encodable(anomaly.metric),
        "value": _number(anomaly.value),
        "timestamp": anomaly.timestamp,
        "votes": anomaly.votes,
        "algorithms": list(anomaly.algorithms),
        "first_seen": anomaly.first_seen,
        "ongoing": anomaly.ongoing,
        "negatives": anomaly.negatives,
        "expected": _range(anomaly.expected),
        "channels": None if anomaly.channels is None else list(anomaly.channels),
        "rule_score": None if anomaly.rule_score is None else _number(anomaly.rule_score),
    }


def jsonp(anomalies: Sequence[Anomaly]) -> str:
    """`handle_data([[value, name, timestamp], ...])`, sorted by name; the argument is valid JSON (Skyline's was not)."""
    rows = [[_number(a.value), encodable(a.metric), a.timestamp] for a in sorted(anomalies, key=lambda a: a.metric)]
    return f"handle_data({dumps(rows)})"


def dumps(value: Any) -> str:
    """ASCII JSON without NaN, infinity or raw markup, so that it is safe inside a script too."""
    text = json.dumps(value, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def parquet(anomalies: Sequence[Anomaly]) -> bytes:
    """One row per anomaly, with the columns that `listing` has keys."""
    import numpy as np
    import pyarrow as pa

    from ridgeline.io.arrow.buffers import strings
    from ridgeline.io.arrow.values import booleans, floats, integers, lists
    from ridgeline.io.parquet.light import parquet_bytes

    rows = listing(anomalies)
    columns: dict[str, Callable[[list[Any]], pa.Array]] = {
        "metric": strings, "value": floats, "timestamp": integers, "votes": partial(integers, dtype=np.int8),
        "algorithms": partial(lists, strings), "first_seen": integers, "ongoing": booleans, "negatives": booleans,
        "expected": partial(lists, floats), "channels": partial(lists, strings), "rule_score": floats,
        **dict.fromkeys(_asked(anomalies), strings),
    }  # fmt: skip
    arrays = [column([row[name] for row in rows]) for name, column in columns.items()]
    return parquet_bytes(pa.Table.from_arrays(arrays, names=list(columns)))


def _range(bounds: tuple[float, float] | None) -> list[float] | None:
    """Both bounds, or nothing where one is no number."""
    return None if bounds is None or not all(map(math.isfinite, bounds)) else list(bounds)


def _number(value: float) -> float | None:
    """The value as JSON can carry it."""
    return value if math.isfinite(value) else None
