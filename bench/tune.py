"""Which settings suit this machine: sweeps threads and chunk size, and prints the lines for ridgeline.toml."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from ridgeline.bench.axes import Axes
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import run

CHUNKS = (25, 50, 100, 200, 400, 1000)


def sweep(axes: Axes) -> Iterator[Row]:
    """Yield `run` rows over threads 1 to all CPUs and the chunk sizes."""
    threads = tuple(range(1, len(os.sched_getaffinity(0)) + 1))
    yield from run.measure(replace(axes, threads=threads, chunk=CHUNKS, runs=min(axes.runs, 3)))


def lines(rows: list[Row]) -> str:
    """The settings of the fastest row, as TOML."""
    best = min(rows, key=lambda row: row.median)
    return (
        f"# fastest of {len(rows)} settings here: {best.metrics_per_second:,.0f} metrics/s\n"
        f"[source]\nchunk_keys = {best.parameters['chunk']}\n\n[run]\nthreads = {best.parameters['threads']}"
    )
