"""Writes series into Redis in Skyline's own format. The only code here that touches series keys, and only when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.key import NAMESPACE
from ridgeline.io.redis.names import refuse_names
from ridgeline.io.redis.source import UNIQUE_SET
from ridgeline.io.text import escape

if TYPE_CHECKING:
    import redis

Mode = Literal["new", "replace", "append"]

INTEGER_LAYOUT: Final = np.dtype(
    [("pair", "u1"), ("seconds", "u1"), ("timestamp", ">u4"), ("float", "u1"), ("value", ">f8")]
)
FLOAT_LAYOUT: Final = np.dtype(
    [("pair", "u1"), ("seconds", "u1"), ("timestamp", ">f8"), ("float", "u1"), ("value", ">f8")]
)
BATCH: Final = 8 * 2**20  # bytes of values per round trip
_KEYS: Final = 1000  # per question whether they exist


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: metrics, points and bytes of values."""

    metrics: int = 0
    points: int = 0
    size: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(self.metrics + other.metrics, self.points + other.points, self.size + other.size)


def write_matrix(
    client: redis.Redis,
    matrix: MetricMatrix,
    *,
    namespace: str = NAMESPACE,
    mode: Mode = "new",
    float_timestamps: bool = False,
) -> Written:
    """Write every row that has points, and its key into the unique set.

    `mode`: "new" changes no key that exists already, and raises InputError where it finds one, "replace" puts the row in
    the place of the key, "append" after what is there. Rows are written in batches, each of them whole or not at all.
    Raises InputError for names that no metric may have, and the library's errors (see `ridgeline.io.redis.explain`).
    """
    names = matrix.metrics.to_pylist()
    refuse_names(names, namespace)
    if mode == "new":
        refuse_existing(client, names, namespace)
    total = Written()
    for batch in _batches(_encode(matrix, namespace, float_timestamps=float_timestamps)):
        pipeline = client.pipeline(transaction=True)
        for key, value in batch:
            if mode == "append":
                pipeline.append(key, value)
            else:
                pipeline.set(key, value, nx=mode == "new")
        pipeline.sadd(f"{namespace}{UNIQUE_SET}", *(key for key, _ in batch))
        refused = [key for (key, _), done in zip(batch, _done(pipeline), strict=False) if done is None]
        if refused:
            name = escape(refused[0].decode().removeprefix(namespace))
            raise InputError(f"the metric {name} came into this Redis just now, from elsewhere, and was left as it is")
        size = sum(len(value) for _, value in batch)
        item = (FLOAT_LAYOUT if float_timestamps else INTEGER_LAYOUT).itemsize
        total += Written(len(batch), size // item, size)
    return total


def _done(pipeline: Any) -> list[Any]:
    """The answers to what stood in the pipeline, all of which was done or none."""
    from redis.exceptions import InvalidResponse

    try:
        answers: list[Any] = pipeline.execute()
    except TypeError as error:  # the library asks for the length of whatever EXEC is answered with
        raise InvalidResponse("EXEC was not answered by a list") from error
    return answers


def encode_points(
    timestamps: NDArray[np.int64], values: NDArray[np.float64], *, float_timestamps: bool
) -> NDArray[Any]:
    """Points as msgpack pairs: 15 bytes each with integer timestamps (0 to 2**32 - 1), 19 with floats."""
    pairs = np.empty(len(timestamps), FLOAT_LAYOUT if float_timestamps else INTEGER_LAYOUT)
    pairs["pair"], pairs["seconds"], pairs["float"] = 0x92, (0xCB if float_timestamps else 0xCE), 0xCB
    pairs["timestamp"], pairs["value"] = timestamps, values
    return pairs


def _encode(matrix: MetricMatrix, namespace: str, *, float_timestamps: bool) -> Iterator[tuple[bytes, memoryview]]:
    """Key and value of every row that has points."""
    offsets = matrix.offsets
    low, high = int(offsets[0]), int(offsets[-1])
    # Cleaned timestamps lie between 2000 and 2100, which both layouts hold.
    pairs = encode_points(matrix.timestamps[low:high], matrix.values[low:high], float_timestamps=float_timestamps)
    data, item = pairs.view(np.uint8).data, pairs.dtype.itemsize
    for row, metric in enumerate(matrix.metrics.to_pylist()):
        start, stop = int(offsets[row]) - low, int(offsets[row + 1]) - low
        if stop > start:
            yield f"{namespace}{metric}".encode(), data[start * item : stop * item]


def _batches(rows: Iterator[tuple[bytes, memoryview]]) -> Iterator[list[tuple[bytes, memoryview]]]:
    batch: list[tuple[bytes, memoryview]] = []
    size = 0
    for key, value in rows:
        batch.append((key, value))
        size += len(value)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def refuse_existing(client: redis.Redis, metrics: Sequence[str], namespace: str = NAMESPACE) -> None:
    """InputError if Redis holds any of the metrics, naming one."""
    for first in range(0, len(metrics), _KEYS):
        some = metrics[first : first + _KEYS]
        if not client.exists(*(f"{namespace}{metric}" for metric in some)):
            continue
        found = next((metric for metric in some if client.exists(f"{namespace}{metric}")), some[0])
        raise InputError(f"the metric {escape(found)} is in this Redis already; --replace or --append if that is meant")
