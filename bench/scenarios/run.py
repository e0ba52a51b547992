"""The whole of `ridgeline run`, lock to summary, on a real Redis on the same cores; what its duties beside votes cost."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from ridgeline.bench import warm
from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.bench.duties import BARE, CONFIG, WHOLE
from ridgeline.bench.measure import alternate
from ridgeline.bench.redis_fleet import loaded_redis, mget_alone
from ridgeline.bench.row import Row
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request
from ridgeline.io.redis.client import connect

SUMMARY: Final = "`ridgeline run` end to end on a local Redis, lock to summary; what bookkeeping and preparation add, what memory saves"
ALLOWED: Final = 6e-6  # seconds of CPU a metric that `WHOLE` may cost beside `BARE`
ALONE: Final = "MGET alone"
SHARE: Final = 50  # one command to Redis for so many metrics, reads of series left out
# Seconds of CPU a metric of the real analyzer's whole cycle, the least measured: as its pins install it, where msgpack is
# pure Python, and with the C decoder that they leave out.
SKYLINE: Final = 3.6e-3
SKYLINE_IN_C: Final = 1.4e-3


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per number of threads and chunk size, two in seconds of CPU, with and without all duties, and warm runs."""
    if not axes.warm_only:
        yield from _reading(axes)
    if axes.warm_only or axes.redis is None:  # which is to be empty, and no longer is
        yield from warm.measure(axes)


def _reading(axes: Axes) -> Iterator[Row]:
    """Runs that read every series."""
    with _loaded(axes) as places:
        yield from _settings(axes, places)
        yield from _duties(axes, places)


def sweep(axes: Axes) -> Iterator[Row]:
    """Yield the rows per number of threads and chunk size alone."""
    with _loaded(axes) as places:
        yield from _settings(axes, places)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the fleet is, of so many metrics, points and bytes, and where a run may write."""

    url: str
    folder: str
    metrics: int
    points: int
    size: int

    def request(self, text: str, end: int, *, threads: int, chunk: int) -> Request:
        """A run by a configuration."""
        filled = text.format(url=self.url, folder=self.folder, threads=threads, chunk=chunk)
        return Request(parse_config(filled.encode(), Path("bench.toml")), as_of=end)


@contextmanager
def _loaded(axes: Axes) -> Iterator[_Places]:
    matrix = matrix_of(fleet_of(axes))
    with loaded_redis(matrix, axes) as (url, size), tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        yield _Places(url, folder, len(matrix), len(matrix.values), size)


def _settings(axes: Axes, places: _Places) -> Iterator[Row]:
    """Runs that only vote and alert, in turn with MGET alone."""
    for chunk in axes.chunk:
        works: dict[str, Callable[[], object]] = {ALONE: partial(mget_alone, places.url, chunk)}
        for threads in axes.threads:
            request = places.request(CONFIG + BARE, axes.end, threads=threads, chunk=chunk)
            works[str(threads)] = partial(run_once, request)
        timings = alternate(works, runs=axes.runs)
        for threads in axes.threads:
            yield Row(
                "run", "run, votes and alerts only, without memory", timings[str(threads)], places.metrics,
                places.points, places.size, (ALONE, timings[ALONE].median), None,
                {"points": axes.points, "threads": threads, "chunk": chunk},
            )  # fmt: skip


def _duties(axes: Axes, places: _Places) -> Iterator[Row]:
    """The CPU of one run without what it does beside voting, and with all of it, in turn."""
    threads, chunk, metrics, points = axes.threads[0], axes.chunk[0], places.metrics, places.points
    bare, whole = (places.request(CONFIG + more, axes.end, threads=threads, chunk=chunk) for more in (BARE, WHOLE))
    works: dict[str, Callable[[], object]] = {"bare": partial(run_once, bare), "whole": partial(run_once, whole)}
    timings = alternate(works, runs=axes.runs, clock=time.process_time)
    parameters = {"points": axes.points, "threads": threads, "chunk": chunk}
    against = ("the cycle of Skyline's analyzer as its pins install it, CPU", SKYLINE * metrics)
    yield Row("run", "run, votes and alerts only; CPU", timings["bare"], metrics, points, 0, None, against, parameters)
    limit = (
        "the row above and 6 us a metric more, kept from 100% on",
        timings["bare"].median + ALLOWED * metrics,
    )
    asked = _commands(places.url, whole) - math.ceil(metrics / chunk)
    less = SKYLINE_IN_C * metrics / timings["whole"].median
    notes = (
        f"{asked:,} commands to Redis beside reads of series; at most {metrics // SHARE:,} are allowed",
        f"all duties take {less:.0f} times less CPU than Skyline's analyzer with a decoder in C",
    )
    yield Row("run", "run, all duties; CPU", timings["whole"], metrics, points, 0, limit, against, parameters, notes)


def _commands(url: str, request: Request) -> int:
    """How many commands the server was sent by one run."""
    client = connect(url)
    before = _calls(client)
    run_once(request)
    after = _calls(client) - 1  # its own question before
    client.close()
    return after - before


def _calls(client: Any) -> int:
    return sum(int(stats["calls"]) for stats in client.info("commandstats").values())
