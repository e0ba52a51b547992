"""Getting a fleet in: Redis (against MGET alone with the same chunking), Parquet (against pyarrow alone), CSV and JSON lines (against polars)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.bench.measure import Timing, alternate, repeat
from ridgeline.bench.redis_fleet import loaded_redis, mget_alone
from ridgeline.bench.row import Row
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.tables.dataset import open_dataset

SUMMARY: Final = "a fleet into matrices: from Redis by chunk size, from Parquet clustered and scattered, from text"
JSON_PART: Final = 5  # a part of the fleet is enough: a line of JSON is longer


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per source and chunk size."""
    yield from _redis(axes)
    yield from _parquet(axes)
    yield from _texts(axes)


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


def _texts(axes: Axes) -> Iterator[Row]:
    """CSV and JSON lines into matrices, against polars' own readers where it is installed, else Arrow's: into a frame, no more."""
    fleet = fleet_of(axes)
    few = replace(axes, metrics=max(axes.metrics // JSON_PART, 10))
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        csv, lines = Path(folder, "fleet.csv"), Path(folder, "fleet.jsonl")
        arrow_csv.write_csv(fleet.table(), csv)
        _write_lines(fleet_of(few).table(), lines)
        readers = _readers()
        yield _against(axes, csv, "CSV, clustered by metric", *readers["csv"])
        yield _against(few, lines, "JSON lines, clustered by metric", *readers["json"])


def _against(axes: Axes, path: Path, work: str, name: str, reader: Callable[[Path], Any]) -> Row:
    """Both in turn, by wall clock and by CPU; and the peak of memory of ours alone."""

    def read() -> None:
        for _ in open_dataset(path).chunks():
            pass

    works: dict[str, Callable[[], object]] = {"ours": read, "theirs": partial(reader, path)}
    wall = alternate(works, runs=axes.runs)
    spent = alternate(works, runs=axes.runs, clock=time.process_time)
    ours, theirs = spent["ours"].median, spent["theirs"].median
    note = f"{work}: {ours:.2f} s of CPU against {theirs:.2f} s of {name}: {theirs / ours:.0%} of its speed"
    timing = Timing(wall["ours"].seconds, repeat(read, runs=1, warmup=0).peak)
    points = axes.metrics * axes.points
    return Row(
        "load", work, timing, axes.metrics, points, path.stat().st_size, (name, wall["theirs"].median), None,
        {"points": axes.points}, (note,),
    )  # fmt: skip


def _write_lines(table: pa.Table, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for batch in table.to_batches(max_chunksize=1 << 16):
            rows = zip(*(batch.column(at).to_pylist() for at in range(3)), strict=True)
            file.writelines(f'{{"metric":"{name}","timestamp":{at},"value":{value}}}\n' for name, at, value in rows)


def _readers() -> dict[str, tuple[str, Callable[[Path], Any]]]:
    try:
        import polars as pl
    except ImportError:
        return {"csv": ("pyarrow read_csv", arrow_csv.read_csv), "json": ("pyarrow read_json", arrow_json.read_json)}
    floats = {"value": pl.Float64}
    return {
        "csv": ("polars read_csv", partial(pl.read_csv, schema_overrides=floats)),
        "json": ("polars read_ndjson", partial(pl.read_ndjson, schema_overrides=floats)),
    }
