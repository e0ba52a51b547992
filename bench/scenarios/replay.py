"""Every step of a long history: minutes and ten seconds, shapes that are easy and hard, with and without writing."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import alternate, process, repeat, spent_by_children
from ridgeline.bench.row import Row
from ridgeline.engine.backtest.scores import write_scores
from ridgeline.engine.replay.matrix import replay_matrix, replay_rows
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.steps import step_schema, table_of
from ridgeline.engine.rules.judgement import CONSENSUS, RULES, with_walks
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.io.matrix import MetricMatrix

SUMMARY: Final = "all nine scores at every step of a long history"
YEAR: Final = 525_600
DIRECT_STEPS: Final = 400
WINDOW: Final = 86_400
METRICS: Final = 10
Values = npt.NDArray[np.float64]


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per shape and resolution; the steps of a metric-year at one minute unless the axes ask for fewer."""
    minutes = int(axes.extra.get("steps", YEAR))
    seconds = max(minutes // 2, 20_000) if minutes == YEAR else minutes
    for step, steps, shapes in ((60, minutes, _MINUTES), (10, seconds, _TEN_SECONDS)):
        for shape, make in shapes.items():
            matrix = _matrix(make(np.random.default_rng(axes.seed), steps, step), step)
            direct = _direct(matrix, step)
            for threads in axes.threads if shape == "season" else (1,):
                timing = repeat(partial(replay_matrix, matrix, ReplayPlan(), threads=threads), runs=min(axes.runs, 3))
                yield Row(
                    "replay", f"{shape}, every {step} s", timing, 0, steps,
                    0,  None, ("score at every step", direct * steps), {"threads": threads, "steps": steps},
                )  # fmt: skip
    yield from _ruled(axes, minutes)
    yield _written(axes, minutes)
    yield from _spent(axes, minutes)


def _direct(matrix: MetricMatrix, step: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds a step by the kernels that `score` uses, votes and scores, on windows spread over the series."""
    length = min(WINDOW // step, len(matrix.values))
    ends = np.linspace(length, len(matrix.values), min(DIRECT_STEPS, len(matrix.values) - length + 1)).astype(np.int64)
    stamps = np.concatenate([matrix.timestamps[end - length : end] for end in ends])
    values = np.concatenate([matrix.values[end - length : end] for end in ends])
    names = pa.array([f"step.{end}" for end in range(len(ends))], pa.string())
    windows = MetricMatrix.from_columns(names, np.arange(len(ends) + 1) * length, stamps, values)
    return repeat(
        lambda: score_matrix(windows, ScorePlan(as_of="last", scores=True)), runs=3, clock=clock
    ).median / len(ends)


def _ruled(axes: Axes, steps: int) -> Iterator[Row]:
    """What rules with walks cost beside the nine: seconds of CPU, in turn with the nine alone."""
    matrix = _matrix(_season(np.random.default_rng(axes.seed), steps, 60), 60)
    plans = {rule: ReplayPlan(rules=with_walks([rule]), throughout=with_walks([rule])) for rule in RULES}
    works: dict[str, Callable[[], object]] = {
        rule: partial(replay_matrix, matrix, plan) for rule, plan in plans.items()
    }
    timings = alternate(works, runs=min(axes.runs, 3), clock=time.process_time)
    for rule in with_walks(RULES):
        yield Row(
            "replay", f"season, every 60 s, rule {rule} beside the nine, CPU", timings[rule], 0, steps,
            0,  None, ("the nine alone", timings[CONSENSUS].median), {"threads": 1, "steps": steps},
        )  # fmt: skip


def _written(axes: Axes, steps: int) -> Row:
    matrix = _matrix(_season(np.random.default_rng(axes.seed), steps, 60), 60)
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:

        def work() -> None:
            steps = replay_rows(matrix, ReplayPlan(), threads=1).steps
            tables = [table_of(matrix.metrics, steps, encoded=True)]
            write_scores([tables], step_schema(encoded=True), Path(folder, "scores.parquet"))

        timing = repeat(work, runs=min(axes.runs, 3))
    return Row(
        "replay", "season, every 60 s, scores written", timing, 0, steps, 0,  None, None, {"threads": 1, "steps": steps},
    )  # fmt: skip


def _spent(axes: Axes, steps: int) -> Iterator[Row]:
    """CPU a step of a replay, and of the whole command that writes it: start, reading, scores, manifest."""
    each = max(steps // METRICS, WINDOW // 60 + 1)
    random = np.random.default_rng(axes.seed)
    values = np.concatenate([_season(random, each, 60) for _ in range(METRICS)])
    stamps = np.tile(1_600_000_000 + 60 * np.arange(each, dtype=np.int64), METRICS)
    names = [f"m{at}" for at in range(METRICS)]
    matrix = MetricMatrix.from_columns(pa.array(names), each * np.arange(METRICS + 1), stamps, values)
    direct = _direct(_matrix(values[:each], 60), 60, time.process_time) * len(values)
    with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
        history, output = Path(folder, "history.parquet"), Path(folder, "output")
        codes = np.repeat(np.arange(METRICS, dtype=np.int32), each)
        column = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(names))
        pq.write_table(pa.table({"metric": column, "timestamp": stamps, "value": values}), history)
        command = process(
            [sys.executable, "-m", "ridgeline", "backtest", str(history), "--output", str(output), "--threads", "1"]
        )

        def backtest() -> None:
            shutil.rmtree(output, ignore_errors=True)
            command()

        works: dict[str, tuple[Callable[[], object], Callable[[], float]]] = {
            "every 60 s": (partial(replay_rows, matrix, ReplayPlan()), time.process_time),
            "every 60 s, `ridgeline backtest`, start to manifest": (backtest, spent_by_children),
        }
        for work, (task, clock) in works.items():
            timing = repeat(task, runs=axes.runs, clock=clock)
            yield Row(
                "replay", f"season, {METRICS} metrics, {work}; CPU", timing, 0, len(values),
                0,  None, ("score at every step", direct), {"threads": 1, "steps": len(values)},
            )  # fmt: skip


def _matrix(values: Values, step: int) -> MetricMatrix:
    stamps = 1_600_000_000 + step * np.arange(len(values), dtype=np.int64)
    return MetricMatrix.from_columns(pa.array(["m"]), np.array([0, len(values)]), stamps, values)


def _season(random: np.random.Generator, steps: int, step: int) -> Values:
    return 100 + 20 * np.sin(np.arange(steps) * step * 2 * np.pi / WINDOW) + random.normal(0, 3, steps)


def _integers(random: np.random.Generator, steps: int, _step: int) -> Values:
    return random.poisson(4.0, steps).astype(float)


def _walk(random: np.random.Generator, steps: int, _step: int) -> Values:
    return random.normal(0, 1, steps).cumsum()


def _spiky(random: np.random.Generator, steps: int, step: int) -> Values:
    values = _season(random, steps, step)
    values[random.random(steps) < 0.001] += 1e6
    return values


def _shifts(random: np.random.Generator, steps: int, step: int) -> Values:
    """Stationary noise whose level shifts every ten hours, so that ADF is reached on a few steps."""
    each = 36_000 // step
    levels = np.repeat(random.normal(0, 3, steps // each + 1), each)[:steps]
    return levels + random.normal(0, 1, steps)


Shapes = dict[str, Callable[[np.random.Generator, int, int], Values]]
_MINUTES: Final[Shapes] = {"season": _season, "integers": _integers, "spikes of 1e6": _spiky, "random walk": _walk}
_TEN_SECONDS: Final[Shapes] = {"season": _season, "level shifts": _shifts, "random walk": _walk}
