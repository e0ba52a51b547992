"""What a new process costs: warm starts against a Python that imports numba and pyarrow and calls one cached kernel."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pyarrow.parquet as pq

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of
from ridgeline.bench.measure import alternate, process, repeat, spent_by_children
from ridgeline.bench.redis_fleet import small_fleet
from ridgeline.bench.row import Row

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
    """Yield the base, `score` on a tiny file, `run` on 100 metrics, and the first-ever start."""
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
        works = {f"CPU of {LIBRARIES}": [sys.executable, "-c", LIBRARIES], "CPU of run on 100 metrics": run}
        commands = {work: process(command) for work, command in works.items()}
        timings = alternate(commands, runs=axes.runs, clock=spent_by_children)
        for work, t in timings.items():
            yield Row("cold-start", work, t, against=("base", timings[f"CPU of {LIBRARIES}"].median))
        if "warm" in axes.extra:
            return
        first = repeat(process(score, {"RIDGELINE_CACHE_DIR": str(folder / "cache")}), runs=1, warmup=0)
        yield Row("cold-start", "first-ever start: every kernel compiled", first)
