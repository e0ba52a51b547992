"""Which settings suit this machine: sweeps threads and chunk size, and prints the lines for ridgeline.toml."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.compare import DRIFT, SURE
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import run

CHUNKS = (25, 50, 100, 200, 400, 1000)
LEAST_RUNS: Final = 5  # fewer would choose by chance
DEFAULT_CHUNK: Final = 100


def sweep(axes: Axes) -> Iterator[Row]:
    """Yield `run` rows over threads 1 to all CPUs and the chunk sizes."""
    threads = tuple(range(1, len(os.sched_getaffinity(0)) + 1))
    yield from run.sweep(replace(axes, threads=threads, chunk=CHUNKS, runs=max(axes.runs, LEAST_RUNS)))


def lines(rows: Sequence[Row]) -> str:
    """The settings to use, as TOML: the fastest, or the defaults where nothing is faster by more than chance explains."""
    best = min(rows, key=lambda row: row.median)
    usual = _usual(rows)
    gain = usual.median / best.median - 1
    band = DRIFT + SURE * math.hypot(best.timing.error, usual.timing.error)
    if gain > band:
        chosen, why = best, f"{gain:.0%} faster than the defaults (noise {band:.0%})"
    else:
        chosen, why = usual, f"no significant difference: the fastest gains {gain:.0%}, noise alone explains {band:.0%}"
    return (
        f"# {len(rows)} settings tried here; {why}\n# {chosen.metrics_per_second:,.0f} metrics/s\n"
        f"[source]\nchunk_keys = {chosen.parameters['chunk']}\n\n[run]\nthreads = {chosen.parameters['threads']}"
    )


def _usual(rows: Sequence[Row]) -> Row:
    """The row of the defaults: all CPUs, and the chunk size nearest to the default."""
    return max(rows, key=lambda row: (row.parameters["threads"], -abs(row.parameters["chunk"] - DEFAULT_CHUNK)))
