"""The score kernels in memory: each algorithm, all nine, early exit, scores; by threads and block size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of, matrix_of
from ridgeline.bench.machine import memory_seconds
from ridgeline.bench.measure import Timing, alternate, repeat
from ridgeline.bench.row import Row
from ridgeline.bench.yardsticks import YARDSTICKS, oracle_yardstick
from ridgeline.engine.demo.fleet import Fleet
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.ensemble import Ensemble
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.io.matrix import MetricMatrix

SUMMARY: Final = "votes on a prepared matrix: each algorithm, all nine, early exit, scores"
SINGLE: Final = 100  # series that are judged one at a time
FEW: Final = 100  # rows of a small block, and how often one is judged in a repetition
FINE_STEP: Final = 10  # seconds: where ks_test really computes


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per piece of work."""
    fleet = fleet_of(axes)
    matrix = matrix_of(fleet)
    limit = ("one pass from memory", memory_seconds(fleet.values.ravel(), runs=axes.runs))
    yardsticks = list(_yardsticks(axes))
    yield from yardsticks
    against = next(
        ((row.work, row.median / row.metrics * axes.metrics) for row in yardsticks if "polars" in row.work), None
    )

    def row(
        work: str, plan: ScorePlan, threads: int = 1, *, on: MetricMatrix = matrix, compare: bool = False, **more: Any
    ) -> Row:
        timing = repeat(lambda: score_matrix(on, plan, threads=threads), runs=axes.runs)
        return Row(
            "kernels", work, timing, len(on), len(on.values),
            16 * len(on.values),  limit if on is matrix else None, against if compare else None,
            {"mix": axes.mix, "points": axes.points, "step": axes.step, "threads": threads, **more},
        )  # fmt: skip

    for name in algorithm_names():
        yield row(f"{name} alone", ScorePlan(policies=(Policy(1, (name,)),), all_votes=True))
    everything, early = ScorePlan(all_votes=True), ScorePlan()
    for threads in axes.threads:
        yield row("all nine votes", everything, threads, compare=True)
        yield row("early exit", early, threads, compare=True)
        yield row("all nine scores", ScorePlan(scores=True), threads)
    for rows in axes.block:
        if rows != early.block_rows:
            yield row("early exit", replace(early, block_rows=rows), block=rows)
    yield from _together(axes, matrix)
    yield from _fine(axes, row)
    yield _one_at_a_time(axes, fleet)


def _together(axes: Axes, matrix: MetricMatrix) -> Iterator[Row]:
    """What more threads bring to a small block and to all rows: measured in turn with fewer."""
    for work, on, times in (
        (f"score_matrix of {FEW} rows", matrix.slice(0, FEW), FEW),
        ("early exit, in turn", matrix, 1),
    ):
        counts, against = sorted(axes.threads), None
        timings = alternate({str(threads): partial(_again, on, threads, times) for threads in counts}, runs=axes.runs)
        for threads in counts:
            timing = Timing(tuple(seconds / times for seconds in timings[str(threads)].seconds))
            yield Row(
                "kernels", work, timing, len(on), len(on) * axes.points, 16 * len(on) * axes.points, against=against,
                parameters={"mix": axes.mix, "points": axes.points, "step": axes.step, "threads": threads},
            )  # fmt: skip
            against = against or (f"{work} (threads {threads})", timing.median)


def _again(matrix: MetricMatrix, threads: int, times: int) -> None:
    for _ in range(times):
        score_matrix(matrix, ScorePlan(), threads=threads)


def _fine(axes: Axes, row: Callable[..., Row]) -> Iterator[Row]:
    """The same hours at ten seconds: six times the points, and ks_test has enough of them."""
    factor = axes.step // FINE_STEP
    if factor < 2:
        return
    fine = replace(axes, step=FINE_STEP, points=axes.points * factor, metrics=max(axes.metrics // (4 * factor), 10))
    matrix = matrix_of(fleet_of(fine))
    yield row("all nine votes at 10 s", ScorePlan(all_votes=True), on=matrix, resolution=FINE_STEP, length=fine.points)


def _one_at_a_time(axes: Axes, fleet: Fleet) -> Row:
    """What Skyline's own names cost: a call for each series, which comes as a list of pairs."""
    ensemble = Ensemble.of(Analysis(), (), "earthgecko")
    policy, stamps = ensemble.policy(""), fleet.timestamps.tolist()
    series = [list(zip(stamps, x.tolist(), strict=True)) for x in fleet.values[:SINGLE]]
    timing = repeat(lambda: [ensemble.judge(pairs, "", policy, stamps[-1]) for pairs in series], runs=axes.runs)
    against = None
    polars = YARDSTICKS[0]
    if axes.yardsticks and polars.available:
        alone = [polars.prepare(replace(fleet, values=x[None], metrics=["a"])) for x in fleet.values[:SINGLE]]
        spent = repeat(lambda: [work() for work in alone], runs=min(axes.runs, 3))
        against = (f"{polars.name}, a frame for each series: {polars.work}", spent.median)
    return Row(
        "kernels", "all nine votes, a list of pairs a call", timing, len(series), len(series) * len(stamps),
        against=against, parameters={"mix": axes.mix, "points": axes.points, "step": axes.step, "threads": 1},
    )  # fmt: skip


def _yardsticks(axes: Axes) -> Iterator[Row]:
    """What else a user could pick, on one thread and on as many series as its speed allows."""
    if not axes.yardsticks:
        return
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read once, when polars is first imported
    for yardstick in (*YARDSTICKS, *([oracle_yardstick(axes.oracle)] if axes.oracle else [])):
        if yardstick.available:
            few = replace(axes, metrics=min(axes.metrics, yardstick.series))
            timing = repeat(yardstick.prepare(fleet_of(few)), runs=min(axes.runs, 3))
            yield Row(
                "kernels", f"yardstick {yardstick.name}: {yardstick.work}", timing, few.metrics, few.metrics * few.points, 16 * few.metrics * few.points,
                parameters={"mix": axes.mix, "points": axes.points, "threads": 1},
            )  # fmt: skip
