"""Every new point of many metrics, each judged as of itself: late deliveries, bursts, hourly series, a month's backfill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import repeat
from ridgeline.bench.row import Row
from ridgeline.engine.batch.judging import Judging, judge
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.io.matrix import MetricMatrix

SUMMARY: Final = "every new point of many metrics, each judged as of itself"
MOST: Final = 1000  # metrics of the first row; the others have as many points in all, or fewer
DIRECT: Final = 400  # points that the yardstick judges
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class _Delivery:
    """What comes at once: `new` points of each metric, `step` seconds apart, after `past` ones; windows of `window` seconds."""

    work: str
    step: int
    window: int
    past: int
    new: int
    share: int = 1  # one metric of so many


_DELIVERIES: Final = (
    _Delivery("1,440-point windows, 1,000 new points each", 60, DAY, 1440, 1000),
    _Delivery("1,440-point windows, 15 new points each", 60, DAY, 1440, 15),
    _Delivery("hourly, windows of 30 days, 24 new points each", 3600, 30 * DAY, 720, 24),
    _Delivery("a month every 10 minutes, windows of 7 days, nothing before", 600, 7 * DAY, 0, 4320, share=5),
)


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per delivery and number of threads; one thread is timed by the CPU it takes, several by the clock."""
    for delivery in _DELIVERIES:
        metrics = max(min(axes.metrics, MOST) // delivery.share, 1)
        matrix, after = _matrix(delivery, metrics, axes)
        direct = _direct(matrix, delivery)
        points = metrics * delivery.new
        for threads in axes.threads:
            judging = Judging.of(Analysis(full_duration=delivery.window), user=(), threads=threads)
            clock = time.process_time if threads == 1 else time.perf_counter
            timing = repeat(partial(judge, matrix, after, judging), runs=axes.runs, clock=clock)
            yield Row(
                "batch", f"{delivery.work}{'; CPU' if threads == 1 else ''}", timing, metrics, points,
                against=("score of every point", direct * points), parameters={"threads": threads, "points": points},
            )  # fmt: skip


def _matrix(delivery: _Delivery, metrics: int, axes: Axes) -> tuple[MetricMatrix, np.ndarray]:
    """Metrics of noise, some of which wander or repeat values; and the watermark before each one's new points."""
    random, length = np.random.default_rng(axes.seed), delivery.past + delivery.new
    values = random.normal(100, 5, (metrics, length))
    values[::4] = values[::4].cumsum(axis=1)
    values[1::4] = values[1::4].round()
    stamps = axes.end - delivery.step * np.arange(length, dtype=np.int64)[::-1]
    names = pa.array([f"batch.{row}" for row in range(metrics)], pa.string())
    offsets = np.arange(metrics + 1, dtype=np.int64) * length
    matrix = MetricMatrix.from_columns(names, offsets, np.tile(stamps, metrics), values.reshape(-1))
    return matrix, np.full(metrics, stamps[delivery.past] - delivery.step, np.int64)


def _direct(matrix: MetricMatrix, delivery: _Delivery) -> float:
    """Seconds of CPU a point where `score` judges the newest window of some metrics, stopping as early as it can."""
    some = matrix.slice(0, min(len(matrix), DIRECT))
    plan = ScorePlan(full_duration=delivery.window, as_of="last")
    return repeat(partial(score_matrix, some, plan), runs=3, clock=time.process_time).median / len(some)
