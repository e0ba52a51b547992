"""Getting a fleet in: Redis (against MGET alone with the same chunking), Parquet (against pyarrow alone), CSV (against polars)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.bench.measure import repeat
from ridgeline.bench.redis_fleet import loaded_redis, mget_alone
from ridgeline.bench.row import Row
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.tables.dataset import open_dataset

SUMMARY: Final = "a fleet into matrices: from Redis by chunk size, from Parquet clustered and scattered, from CSV"


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per source and chunk size."""
    yield from _redis(axes)
    yield from _parquet(axes)
    yield from _csv(axes)


def _redis(axes: Axes) -> Iterator[Row]:
    matrix = matrix_of(fleet_of(axes))
    with loaded_redis(matrix, axes) as (url, size):
        for chunk in axes.chunk:
            alone = repeat(partial(mget_alone, url, chunk), runs=axes.runs)

            def read(chunk: int = chunk) -> None:
                for _ in RedisSource(RedisSettings(url, chunk_keys=chunk)).chunks():
                    pass

            timing = repeat(read, runs=axes.runs)
            yield Row(
                "load", "Redis: list, MGET, decode, clean", timing, len(matrix),
                len(matrix.values), size,  ("MGET alone", alone.median), None,
                {"points": axes.points, "chunk": chunk},
            )  # fmt: skip


def _parquet(axes: Axes) -> Iterator[Row]:
    fleet = fleet_of(axes)
    table = fleet.table()
    scattered = table.take(np.argsort(np.tile(np.arange(axes.points), axes.metrics), kind="stable"))
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        for work, data in (("clustered", table), ("scattered", scattered)):
            path = Path(folder, f"{work}.parquet")
            pq.write_table(data, path, row_group_size=1 << 20)
            alone = repeat(partial(pq.read_table, path), runs=axes.runs)

            def read(path: Path = path) -> None:
                for _ in ParquetSource(path).chunks():
                    pass

            timing = repeat(read, runs=axes.runs)
            yield Row(
                "load", f"Parquet, {work} by metric", timing, axes.metrics,
                table.num_rows, path.stat().st_size,  ("pyarrow read_table", alone.median), None,
                {"points": axes.points},
            )  # fmt: skip


def _csv(axes: Axes) -> Iterator[Row]:
    """A CSV into matrices, against polars' own reader where it is installed, else Arrow's: into a frame, no more."""
    table = fleet_of(axes).table()
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        path = Path(folder, "fleet.csv")
        arrow_csv.write_csv(table, path)
        limit, alone = _reader_of_csv()
        fastest = repeat(partial(alone, path), runs=axes.runs)

        def read() -> None:
            for _ in open_dataset(path).chunks():
                pass

        timing = repeat(read, runs=axes.runs)
        yield Row(
            "load", "CSV, clustered by metric", timing, axes.metrics,
            table.num_rows, path.stat().st_size,  (limit, fastest.median), None,
            {"points": axes.points},
        )  # fmt: skip


def _reader_of_csv() -> tuple[str, Callable[[Path], Any]]:
    try:
        import polars as pl
    except ImportError:
        return "pyarrow read_csv", arrow_csv.read_csv
    return "polars read_csv", partial(pl.read_csv, schema_overrides={"value": pl.Float64})
