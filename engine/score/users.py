"""The second pass: users' algorithms over the rows that the nine have scored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.user_algorithms import UserAlgorithm, compiled
from ridgeline.engine.score.plan import Policies, ScorePlan, resolve_as_of
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED, FAILED, FALSE, NULL, TRUE, user_room


def user_votes(
    matrix: MetricMatrix, plan: ScorePlan, policies: Policies, outcomes: NDArray[np.uint8], threads: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return vote codes uint8[n, users] and scores float64[n, users] of the plan's user algorithms."""
    rows = len(matrix)
    longest = int(np.diff(matrix.offsets).max(initial=1))
    as_of, switches = resolve_as_of(matrix, plan), plan.profile.encode(plan.full_duration)
    # numba types read-only arrays apart: one compilation serves both if all are made read-only.
    inputs = [_frozen(array) for array in (matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates)]
    columns = []
    for place, one in enumerate(plan.user):
        block = compiled(one).block
        scores = np.full(rows, np.nan)

        def run(start: int, block: Any = block, scores: NDArray[np.float64] = scores, one: UserAlgorithm = one) -> None:
            block(
                *inputs, as_of, switches, outcomes, scores, np.empty(user_room(longest)),
                np.empty(longest, np.int64), one.min_points, start, min(start + plan.block_rows, rows),
            )  # fmt: skip

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, range(0, rows, plan.block_rows)))
        columns.append(scores / policies.user[policies.of_row, place])
    scores = np.stack(columns, axis=1)
    analysed = (outcomes == ANALYSED)[:, None]
    in_force = analysed & ~np.isnan(policies.user[policies.of_row])
    judged = np.where(np.isnan(scores), FAILED, np.where(scores > 1, TRUE, FALSE))
    return np.where(in_force, judged, NULL).astype(np.uint8), scores


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
