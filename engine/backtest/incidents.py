"""Folds anomalous steps into incidents, and incidents into pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ridgeline.engine.rules.judgement import SPOKEN
from ridgeline.io.arrow.buffers import DTYPES, arrow, strings

SCHEMA: Final = pa.schema(
    [
        ("metric", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("peak_timestamp", pa.int64()),
        ("peak_value", pa.float64()),
        ("points", pa.int64()),
        ("algorithms", pa.list_(pa.string())),
    ]
)
WITH_RULES: Final = SCHEMA.append(pa.field("channels", pa.list_(pa.string())))


@dataclass(frozen=True, slots=True)
class Steps:
    """One metric's written steps, in time order.

    `timestamps` int64[n] epoch seconds, `values` float64[n], `anomalous` bool[n], `votes` int8[n],
    `fired` bool[n, algorithms]. Under a rule with walks `loudness` float32[n] is its score, `channels` uint8[n] has bit k
    where `SPOKEN[k]` spoke.
    """

    metric: str
    timestamps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    anomalous: npt.NDArray[np.bool_]
    votes: npt.NDArray[np.int8]
    fired: npt.NDArray[np.bool_]
    loudness: npt.NDArray[np.float32] | None = None
    channels: npt.NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """A run of consecutive written steps that are anomalous.

    Its peak has the most votes, or under a rule with walks the highest score, and is the earliest of equals.
    """

    metric: str
    start: int
    end: int
    peak_timestamp: int
    peak_value: float
    points: int
    algorithms: tuple[str, ...]
    channels: tuple[str, ...] = ()


def fold(steps: Steps, names: Sequence[str]) -> list[Incident]:
    """Incidents of one metric; `names` are the algorithms of the columns of `steps.fired`."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], steps.anomalous, [False])).astype(np.int8)))
    loudness = steps.votes if steps.loudness is None else steps.loudness
    incidents = []
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        peak = first + int(np.argmax(loudness[first:end]))
        incidents.append(
            Incident(
                metric=steps.metric,
                start=int(steps.timestamps[first]),
                end=int(steps.timestamps[end - 1]),
                peak_timestamp=int(steps.timestamps[peak]),
                peak_value=float(steps.values[peak]),
                points=int(end - first),
                algorithms=tuple(name for k, name in enumerate(names) if steps.fired[first:end, k].any()),
                channels=() if steps.channels is None else spoken(np.bitwise_or.reduce(steps.channels[first:end])),
            )
        )
    return incidents


def spoken(bits: int) -> tuple[str, ...]:
    """The channels whose bits are set."""
    return tuple(name for k, name in enumerate(SPOKEN) if bits >> k & 1)


def to_table(incidents: Sequence[Incident], *, rules: bool = False) -> pa.Table:
    """Incidents as Arrow, in the order given; with the channels that spoke where there are `rules` with walks."""
    schema = WITH_RULES if rules else SCHEMA
    columns = [_column([getattr(one, field.name) for one in incidents], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Values of incidents as Arrow: numbers, texts, or lists of texts."""
    if pa.types.is_list(kind):
        offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
        return pa.ListArray.from_arrays(arrow(offsets), strings([text for texts in values for text in texts]))
    return strings(values) if pa.types.is_string(kind) else arrow(np.array(values, DTYPES[kind]))
