"""The second pass: users' algorithms over the rows that the nine have scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.compilation import compiled
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.failures import Complaint
from ridgeline.engine.score.plan import Policies, ScorePlan, resolve_as_of
from ridgeline.engine.score.rows import Judgeable
from ridgeline.engine.score.threads import each
from ridgeline.io.text import escape
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    ANALYSED,
    FAILED,
    FALSE,
    NULL,
    TRUE,
    USER_SCRATCH_PER_POINT,
    user_room,
)

BLOCK_ROWS: Final = 1024  # rows per call; results do not depend on it


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Series as users' algorithms are given them, n rows.

    offsets int64[n + 1], timestamps int64[N], values float64[N], duplicates uint8[n]; as_of, full_duration int64[n];
    switches int64[SWITCHES]; outcomes uint8[n]: only rows that are ANALYSED are scored.
    """

    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    duplicates: NDArray[np.uint8]
    as_of: NDArray[np.int64]
    full_duration: NDArray[np.int64]
    switches: NDArray[np.int64]
    outcomes: NDArray[np.uint8]

    def scores(self, one: UserAlgorithm, threads: int) -> tuple[NDArray[np.float64], int]:
        """Return one algorithm's scores float64[n], NaN where not scored or failed, and a row that raised, else -1.

        The algorithm never runs on the caller's thread: whoever waits for one that has no end can be interrupted.
        """
        rows = len(self.offsets) - 1
        longest = int(np.diff(self.offsets).max(initial=1))
        # numba types read-only arrays apart: one compilation serves both if all are made read-only.
        series = [_frozen(array) for array in (self.offsets, self.timestamps, self.values, self.duplicates)]
        scores = np.full(rows, np.nan)
        block = compiled(one).block

        def run(start: int, stop: int) -> int:
            return int(
                block(
                    *series, self.as_of, self.full_duration, self.switches, self.outcomes, scores,
                    np.empty(user_room(longest)), np.empty(longest, np.int64), one.min_points, start, stop,
                )
            )  # fmt: skip

        def safely(start: int) -> int:
            stop = min(start + BLOCK_ROWS, rows)
            try:
                return run(start, stop)
            except Exception:  # noqa: BLE001 - the user's own code, where it leaves compiled code for Python
                return _one_by_one(run, start, stop, scores)

        raised = each(safely, range(0, rows, BLOCK_ROWS), threads, apart=True)
        return scores, next((row for row in raised if row >= 0), -1)

    def complaint(self, one: UserAlgorithm, row: int, where: str = "") -> Complaint:
        """What the algorithm says when it raises on a row: it is called once more, to hear it. `where` ends the sentence."""
        from ridgeline.kernels.score.user import series_of

        t, x, now = series_of(self, row)
        try:
            compiled(one).kernel(_frozen(t), _frozen(x), now, np.empty(USER_SCRATCH_PER_POINT * len(x)))
        except Exception as error:  # noqa: BLE001 - the user's own code
            return Complaint.raised(one.name, error, where)
        return Complaint(f"algorithm {one.name!r} raised an exception, but not when it was called again{where}")


def _one_by_one(run: Callable[[int, int], int], start: int, stop: int, scores: NDArray[np.float64]) -> int:
    """Score rows each by itself, NaN where that raises; return the first that raised, else -1."""
    raised = -1
    for row in range(start, stop):
        try:
            found = run(row, row + 1)
        except Exception:  # noqa: BLE001 - the user's own code
            scores[row], found = np.nan, row
        raised = found if raised < 0 else raised
    return raised


def user_votes(
    matrix: Judgeable, plan: ScorePlan, policies: Policies, outcomes: NDArray[np.uint8], threads: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return vote codes uint8[n, users] and scores float64[n, users] of the plan's user algorithms."""
    rows = Rows(
        matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates,
        resolve_as_of(matrix, plan), policies.windows, plan.profile.encode(), outcomes,
    )  # fmt: skip
    columns, count = [], int(np.count_nonzero(outcomes == ANALYSED))
    for place, one in enumerate(plan.user):
        began = time.perf_counter()
        scores, raised = rows.scores(one, threads)
        plan.spent.setdefault(one.name, []).append((time.perf_counter() - began, count))
        if raised >= 0 and one.name not in plan.complaints:
            plan.complaints[one.name] = rows.complaint(one, raised, f" on {escape(matrix.name(raised))}")
        limits, cutoffs = policies.user[policies.of_row, place], policies.cutoffs[policies.of_row, ALGORITHMS + place]
        with np.errstate(over="ignore"):  # beyond the largest number is above any cutoff
            columns.append(scores / limits / cutoffs)
    scores = np.stack(columns, axis=1)
    analysed = (outcomes == ANALYSED)[:, None]
    in_force = analysed & ~np.isnan(policies.user[policies.of_row])
    judged = np.where(np.isnan(scores), FAILED, np.where(scores > 1, TRUE, FALSE))
    return np.where(in_force, judged, NULL).astype(np.uint8), scores


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view
