"""Users' algorithms at every analysed step of a replay, each window given to their compiled functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.users import Rows
from ridgeline.kernels.replay.layout import ABOVE_ONE
from ridgeline.kernels.score.layout import ALGORITHMS, ANALYSED, EMPTY

if TYPE_CHECKING:
    from ridgeline.engine.replay.plan import ReplayPlan
    from ridgeline.engine.replay.spans import Series
    from ridgeline.engine.replay.steps import Steps
    from ridgeline.engine.score.plan import Policies


def add_user_scores(series: Sequence[Series], steps: Steps, plan: ReplayPlan, policies: Policies, threads: int) -> None:
    """Write the users' rows of `steps.scores` and count their votes; `series` as replayed: duplicates folded or kept."""
    if not plan.user:
        return
    rows = steps.scores[len(steps.scores) - len(plan.user) :]
    rows[:] = np.nan
    stops = np.cumsum(steps.counts)
    for row, one_series in enumerate(series):
        here = np.arange(stops[row] - steps.counts[row], stops[row])
        here = here[steps.outcomes[here] == ANALYSED]
        if not len(here):
            continue
        windows = _windows(one_series, steps.timestamps[here])
        for place, one in enumerate(plan.user):
            limit = policies.user[policies.of_row[row], place]
            if np.isnan(limit):
                continue
            found, raised = windows.scores(one, threads)
            if raised >= 0 and one.name not in plan.complaints:
                plan.complaints[one.name] = windows.complaint(one, raised)
            with np.errstate(over="ignore"):  # beyond the largest number is above any cutoff
                scores = found[0::2] / limit / policies.cutoffs[policies.of_row[row], ALGORITHMS + place]
                narrow = scores.astype(np.float32)
            rows[place, here] = np.where((scores > 1) & ~(narrow > 1), ABOVE_ONE, narrow)
            steps.votes[here] += scores > 1


def _windows(series: Series, when: NDArray[np.int64]) -> Rows:
    """The windows that end at the given times, every other row: they overlap, and the rows between step back."""
    count = len(when)
    offsets = np.empty(2 * count, np.int64)
    offsets[0::2] = np.searchsorted(series.t, when - series.seconds, "right")
    offsets[1::2] = np.searchsorted(series.t, when, "right")
    rows = 2 * count - 1
    outcomes = np.full(rows, EMPTY, np.uint8)
    outcomes[0::2] = ANALYSED
    return Rows(
        offsets, series.t, series.x, np.zeros(rows, np.uint8),
        np.repeat(when, 2)[:rows], np.full(rows, series.seconds), series.switches, outcomes,
    )  # fmt: skip
