"""Replay: every step of a long history, as `score` would have judged it at that moment.

A step is one distinct timestamp of a metric; its series is the points in (t - window, t], judged as of t
(`engine.replay.series`). Rules with walks have the whole history (`engine.replay.ruled`). The steps come out as Arrow
columns.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.asks import Asking
from ridgeline.engine.replay.judging import judge_by_rules
from ridgeline.engine.replay.pages import Pages
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import Replayed, replay_points
from ridgeline.engine.replay.steps import table_of
from ridgeline.engine.rules.policy import Policy

if TYPE_CHECKING:
    import numpy as np

    from ridgeline.engine.rules.overrides import Overrides
    from ridgeline.io.matrix import MetricMatrix


def replay_matrix(
    matrix: MetricMatrix,
    plan: ReplayPlan,
    overrides: Overrides | None = None,
    *,
    starts: NDArray[np.int64] | None = None,
    threads: int = 1,
) -> pa.Table:
    """Replay every metric of a cleaned matrix; one row per step, metrics in order, then time.

    starts int64[n]: epoch seconds of each metric's first step written, where later than the plan's; earlier points
    only warm its window. Columns: metric, timestamp, value, outcome, anomalous, votes, NAME_score float32 for each
    algorithm, ks_test_d, ks_test_adf, and where rules are stored what they made of it (`steps.step_schema`). Bytes do not depend on `threads`. Memory: the steps of the
    matrix.
    """
    replayed = replay_rows(matrix, plan, overrides, starts=starts, threads=threads)
    return table_of(matrix.metrics, replayed.steps, tuple(one.name for one in plan.user), plan.rules)


def replay_rows(
    matrix: MetricMatrix,
    plan: ReplayPlan,
    overrides: Overrides | None = None,
    *,
    starts: NDArray[np.int64] | None = None,
    threads: int = 1,
    pages: Pages | None = None,
) -> Replayed:
    """Replay every metric as `replay_matrix` does, in numpy arrays, with the series that the steps were judged by.

    pages: what the steps are written into, which they have until something else is.
    """
    names = matrix.metrics.to_pylist()
    policy_of_row = None
    policies: tuple[Policy, ...] = (Policy(),)
    if overrides is not None:
        policy_of_row = overrides.assign(names)
        policies = overrides.policies
    bounds, t, x = matrix.offsets.tolist(), matrix.timestamps, matrix.values
    points = [(t[begin:end], x[begin:end]) for begin, end in pairwise(bounds)]
    asks = Asking(plan.preparation).of(names, len(matrix))
    replayed = replay_points(points, plan, policies, policy_of_row, starts, asks, threads, pages)
    if plan.rules:
        steps = replayed.steps
        steps.ruled = judge_by_rules(points, steps, plan, policies, policy_of_row, threads)
    return replayed
