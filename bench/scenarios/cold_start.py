"""What a new process costs: warm starts against a Python that imports numba and pyarrow and calls one cached kernel."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of
from ridgeline.bench.growing import growing
from ridgeline.bench.measure import alternate, process, repeat, spent_by_children
from ridgeline.bench.redis_fleet import SMALL, small_fleet
from ridgeline.bench.row import Row
from ridgeline.bench.warm import LATEST, PLAIN, configured

SUMMARY: Final = "first start, and second starts of `score` and `run`, as whole processes: seconds, and those of CPU"
BASE: Final = """\
import numba, numpy, pyarrow
@numba.njit("f8(f8[::1])", cache=True)
def total(x):
    s = 0.0
    for v in x:
        s += v
    return s
total(numpy.ones(1440))
"""
LIBRARIES: Final = "import numba, pyarrow"
TINY: Final = 50


def measure(axes: Axes) -> Iterator[Row]:
    """Yield the base, `score` on a tiny file, `run` on 100 metrics, the first-ever start, and the CPU of warm runs."""
    with small_fleet(axes) as (config, _):
        folder = config.parent
        pq.write_table(fleet_of(replace(axes, metrics=TINY)).table(), folder / "tiny.parquet")
        (folder / "base.py").write_text(BASE, encoding="utf-8")
        ours = [sys.executable, "-m", "ridgeline"]
        score = [*ours, "score", str(folder / "tiny.parquet"), str(folder / "out.parquet")]
        run = [*ours, "run", "--config", str(config), "--as-of", str(axes.end)]
        base = [sys.executable, str(folder / "base.py")]
        works = {
            "base: numba, pyarrow, one cached kernel": base,
            "score on a tiny file": score,
            "run on 100 metrics": run,
        }
        timings = alternate({work: process(command) for work, command in works.items()}, runs=axes.runs)
        reference = timings["base: numba, pyarrow, one cached kernel"].median
        for work, t in timings.items():
            yield Row("cold-start", work, t, against=("base", reference))
        if "warm" not in axes.extra:
            first = repeat(process(score, {"RIDGELINE_CACHE_DIR": str(folder / "cache")}), runs=1, warmup=0)
            yield Row("cold-start", "first-ever start: every kernel compiled", first)
    yield from _from_cron(axes)


def _from_cron(axes: Axes) -> Iterator[Row]:
    """CPU of a run that remembers the one before, each with a new point of every metric, against that of two libraries."""
    steps = axes.runs + 2
    small = replace(axes, metrics=SMALL, step=LATEST // steps)
    with (
        tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder,
        growing(small, steps=steps, end=int(time.time()) - steps * small.step, counters=0.0) as fleet,
    ):
        config = configured(small, fleet, Path(folder, "warm"), PLAIN)
        cron = process([sys.executable, "-m", "ridgeline", "run", "--config", str(config)])
        cron()  # which begins a memory

        def minute() -> None:
            fleet.grow(1)
            cron()

        libraries = f"CPU of {LIBRARIES}"
        works = {libraries: process([sys.executable, "-c", LIBRARIES]), "CPU of a warm run on 100 metrics": minute}
        timings = alternate(works, runs=axes.runs, clock=spent_by_children)
        for work, t in timings.items():
            yield Row("cold-start", work, t, against=("base", timings[libraries].median))
