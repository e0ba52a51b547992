"""A copy of a dataset in which each metric's rows stand together."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet
from ridgeline.io.reasons import ROW_REASONS

SCHEMA = pa.schema([("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64())])


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Where the copy is, and what was mended or left out on the way: points by repair, metrics by reason."""

    path: str
    repairs: dict[str, int]
    reasons: dict[str, int]


def shuffle(dataset: str, folder: Path, max_memory: int) -> Shuffled:
    """Write the cleaned rows of `dataset` to one file in `folder`, metrics in first-seen order, within `max_memory`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    target = folder / "grouped.parquet"
    repairs: Counter[str] = Counter()
    reasons: Counter[str] = Counter()

    def batches() -> Iterator[pa.RecordBatch]:
        for matrix in ParquetSource(dataset, max_memory=max_memory, temporary=folder).chunks():
            repairs.update(matrix.repairs)
            reasons.update(ROW_REASONS[code] for code in matrix.reasons.tolist() if code)
            yield _long(matrix)

    write_parquet(batches(), target, schema=SCHEMA)
    return Shuffled(str(target), dict(repairs), dict(reasons))


def _long(matrix: MetricMatrix) -> pa.RecordBatch:
    offsets = matrix.offsets
    codes = np.repeat(np.arange(len(matrix), dtype=np.int32), np.diff(offsets))
    metric = pa.DictionaryArray.from_arrays(codes, matrix.metrics).cast(pa.string())
    points = slice(int(offsets[0]), int(offsets[-1]))
    columns = [metric, pa.array(matrix.timestamps[points]), pa.array(matrix.values[points])]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
