"""Days of a fleet of services as files: their points, and when which copy has its fault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from ridgeline.engine.demo.services import SCHEMA, services, table_of

SAVED: Final = ("history.parquet", "labels.csv")
LABELS: Final = pa.schema([("metric", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("fault", pa.string())])


def save_days(
    folder: Path, metrics: int, days: int, end: int, seed: int, say: Callable[[str], None], *, faults: bool
) -> None:
    """Write history.parquet and labels.csv into `folder`; the newest points are at `end`, epoch seconds.

    Raises UnsafeTarget where either is there already.
    """
    from pyarrow import csv

    from ridgeline.io.disk.atomic import write_atomic
    from ridgeline.io.disk.target import make_folder
    from ridgeline.io.errors import UnsafeTarget
    from ridgeline.io.parquet.write import write_parquet

    make_folder(folder)
    for name in SAVED:
        if os.path.lexists(folder / name):
            raise UnsafeTarget(f"{folder / name} exists already and is left as it is: name another folder")
    windows: list[tuple[str, int, int, str]] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for timestamps, series in services(metrics, days, end, seed, faults=faults):
            for one in series:
                if one.fault is not None:
                    kind, first, last = one.fault
                    windows.append((one.metric, int(timestamps[first]), int(timestamps[last]), kind))
            yield from table_of(timestamps, series).to_batches()

    rows = write_parquet(batches(), folder / SAVED[0], schema=SCHEMA)
    labels = pa.table([list(column) for column in zip(*windows, strict=True)] or [[] for _ in LABELS], schema=LABELS)
    write_atomic(folder / SAVED[1], lambda file: csv.write_csv(labels, file))
    say(
        f"wrote {rows:,} points of {metrics:,} metrics and of {len(windows):,} copies with a fault each: {', '.join(SAVED)} in {folder}"
    )
