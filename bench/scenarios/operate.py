"""What people wait for: the CPU of short commands against a Python that imports our libraries, and of runs in a warm process."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import alternate, process, repeat, spent_by_children
from ridgeline.bench.redis_fleet import small_fleet
from ridgeline.bench.row import Row

SUMMARY: Final = "CPU of `explain`, `anomalies` and `doctor`, and of the agent's warm run on 100 metrics"
BASE: Final = "base: import pyarrow, redis, numpy"
WARM: Final = 5  # runs that are not counted: the first of a process opens and imports what later ones have


def measure(axes: Axes) -> Iterator[Row]:
    """Yield the base and each command as processes of their own, then runs of a warm process."""
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.run.once import run_once
    from ridgeline.engine.run.turn import Request

    with small_fleet(axes) as (path, metric):
        request = Request(load_config(path), as_of=axes.end)
        warm = repeat(lambda: run_once(request), runs=axes.runs, warmup=WARM, clock=time.process_time)
        ours, theirs = [sys.executable, "-m", "ridgeline"], ["--config", str(path)]
        works = {
            BASE: [sys.executable, "-c", "import pyarrow, redis, numpy"],
            "explain": [*ours, "explain", metric, *theirs, "--as-of", str(axes.end)],
            "anomalies": [*ours, "anomalies", *theirs],
            "doctor": [*ours, "doctor", *theirs],
        }
        commands = {work: process(command, ends=(0, 2)) for work, command in works.items()}
        timings = alternate(commands, runs=axes.runs, clock=spent_by_children)
    for work, timing in timings.items():
        yield Row("operate", work, timing, against=("base", timings[BASE].median))
    yield Row("operate", "run on 100 metrics in a warm process", warm)
