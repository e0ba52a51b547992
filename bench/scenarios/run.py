"""The whole of `ridgeline run`, lock to summary, on a real Redis on the same cores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.bench.measure import repeat
from ridgeline.bench.redis_fleet import loaded_redis, mget_alone
from ridgeline.bench.row import Row
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request

SUMMARY: Final = "`ridgeline run` end to end on a local Redis, lock to summary"
CONFIG: Final = """\
[source]
url = "{url}"
chunk_keys = {chunk}
[run]
deadline = 600
threads = {threads}
[output]
directory = "{folder}"
"""


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per number of threads and chunk size."""
    matrix = matrix_of(fleet_of(axes))
    with loaded_redis(matrix, axes) as (url, size), tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        for chunk in axes.chunk:
            alone = repeat(partial(mget_alone, url, chunk), runs=axes.runs)
            for threads in axes.threads:
                text = CONFIG.format(url=url, chunk=chunk, threads=threads, folder=folder)
                request = Request(parse_config(text.encode(), Path("bench.toml")), as_of=axes.end)
                timing = repeat(partial(run_once, request), runs=axes.runs)
                yield Row(
                    "run", "run, lock to summary", timing, len(matrix),
                    len(matrix.values), size,  ("MGET alone", alone.median), None,
                    {"points": axes.points, "threads": threads, "chunk": chunk},
                )  # fmt: skip
