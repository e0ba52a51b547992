"""The trail of many metrics: the steps that delivery depends on, in the order of time, in memory or in a file."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.policy.moments import Moments
from ridgeline.engine.policy.steps import MetricSteps
from ridgeline.io.arrow.buffers import arrow, strings, view
from ridgeline.io.disk.atomic import write_atomic

_TYPES: Final = {
    "timestamp": np.int64,
    "metric": np.int32,
    "kind": np.uint8,
    "value": np.float64,
    "votes": np.int8,
    "low": np.float64,
    "high": np.float64,
}
MOMENTS: Final = b"moments"
METRICS: Final = b"metrics"


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """Steps that matter of some metrics, and all moments of a step of any of them.

    names        of the metrics that have a step here
    stale_after  int32[metrics], seconds
    columns      arrays by name, each of one entry a step: `timestamp` ascending, `metric` a place in `names`, `kind` as in
                 `steps`, `value`, `votes`, and `low`, `high` where they were asked for, NaN where not known
    moments      int64, ascending, each once: when any metric had a step, whatever its kind
    """

    names: Sequence[str]
    stale_after: NDArray[np.int32]
    columns: dict[str, NDArray[Any]]
    moments: NDArray[np.int64]

    @classmethod
    def of(cls, steps: Iterable[MetricSteps], keep: int) -> Trail:
        """The trail of whole metrics; `keep`: after how many normal steps a past no longer matters."""
        tracker = Tracker(keep)
        for one in steps:
            tracker.add(one)
        return tracker.trail()

    def write(self, path: Path) -> None:
        """Keep it in a file. Raises OutputError."""
        metrics = pa.RecordBatch.from_arrays([strings(self.names), arrow(self.stale_after)], names=["metric", "stale"])
        gaps = np.diff(self.moments, prepend=np.int64(0)).tobytes()  # of a fleet in step they are all alike, and vanish
        more = {MOMENTS: zlib.compress(gaps, 1), METRICS: _packed(metrics)}
        columns = list(map(arrow, self.columns.values()))
        steps = pa.RecordBatch.from_arrays(columns, names=list(self.columns)).replace_schema_metadata(more)

        def content(file: BinaryIO) -> None:
            with pa.ipc.new_file(file, steps.schema) as writer:
                writer.write_batch(steps)

        write_atomic(path, content)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The trail of a file that `write` made; its steps stay on disk, and are looked at as they are needed."""
        steps = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        more = steps.schema.metadata
        metrics = pa.ipc.open_stream(more[METRICS]).read_next_batch()
        gaps = np.frombuffer(zlib.decompress(more[MOMENTS]), np.int64)
        columns = {name: view(steps.column(name)) for name in steps.schema.names}
        return cls(metrics["metric"].to_pylist(), view(metrics["stale"]), columns, np.cumsum(gaps))


@dataclass(slots=True)
class Tracker:
    """Makes a trail of metrics that come one after another, each whole; of their steps it keeps those that matter."""

    keep: int
    _names: list[str] = field(default_factory=list)
    _stale: list[int] = field(default_factory=list)
    _found: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _moments: Moments = field(default_factory=Moments)

    def add(self, steps: MetricSteps) -> None:
        """Take in one metric."""
        self._moments.add(steps.timestamps)
        here = steps.telling(self.keep)
        if not len(here):
            return
        codes = np.full(len(here), len(self._names), np.int32)
        bounds = () if steps.expected is None else tuple(steps.expected[here].T)
        self._found.append(
            (steps.timestamps[here], codes, steps.kinds(here), steps.values[here], steps.votes[here], *bounds)
        )
        self._names.append(steps.metric)
        self._stale.append(steps.stale_after)

    def trail(self) -> Trail:
        """What it comes to."""
        width = min(map(len, self._found), default=len(_TYPES))
        kinds = list(_TYPES.items())[:width]
        joined = [
            np.concatenate([np.empty(0, kind), *(each[at] for each in self._found)])
            for at, (_, kind) in enumerate(kinds)
        ]
        order = np.argsort(joined[0], kind="stable")
        columns = {name: column[order].astype(kind) for (name, kind), column in zip(kinds, joined, strict=True)}
        return Trail(self._names, np.array(self._stale, np.int32), columns, self._moments.all())


def moments_of(trails: Iterable[Trail]) -> NDArray[np.int64]:
    """All moments of a step, int64[n], ascending, each once."""
    moments = Moments()
    for trail in trails:
        moments.add(trail.moments)
    return moments.all()


def _packed(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed
