"""A copy of a dataset in which each metric's rows stand together."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ridgeline.engine.backtest.counts import reasons_of
from ridgeline.io.errors import OutputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet

SCHEMA = pa.schema([("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64())])


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Where the copy is, and what was mended or left out on the way: points by repair, metrics by reason."""

    path: str
    repairs: dict[str, int]
    reasons: dict[str, int]


def shuffle(source: ParquetSource, folder: Path) -> Shuffled:
    """Write the cleaned rows of `source` to one file in `folder`, metrics in first-seen order.

    Raises OutputError where the folder cannot be made anew.
    """
    target = folder / "grouped.parquet"
    repairs: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    remove(folder)
    try:
        folder.mkdir()
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}") from error

    def batches() -> Iterator[pa.RecordBatch]:
        for matrix in source.chunks():
            repairs.update(matrix.repairs)
            reasons.update(reasons_of(matrix))
            yield _long(matrix)

    write_parquet(batches(), target, schema=SCHEMA)
    return Shuffled(str(target), dict(repairs), dict(reasons))


def remove(folder: Path) -> None:
    """Remove a copy, or whatever else is there under its name; a link is removed, not what it leads to."""
    try:
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
        else:
            shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"cannot remove {folder}: {error.strerror or error}") from error


def _long(matrix: MetricMatrix) -> pa.RecordBatch:
    offsets = matrix.offsets
    codes = np.repeat(np.arange(len(matrix), dtype=np.int32), np.diff(offsets))
    metric = pa.DictionaryArray.from_arrays(codes, matrix.metrics).cast(pa.string())
    points = slice(int(offsets[0]), int(offsets[-1]))
    columns = [metric, pa.array(matrix.timestamps[points]), pa.array(matrix.values[points])]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
