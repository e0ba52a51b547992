"""What a part keeps for the policy replay: a hidden file beside its journal, gone once the manifest is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.backtest.expected import expected_at
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.policy.steps import MetricSteps
from ridgeline.engine.prepare.asks import Asking
from ridgeline.engine.replay.steps import Steps
from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED

FOLDER: Final = ".parts"


def trail_file(output: Path, number: int) -> Path:
    """The file of a part's trail."""
    return output / FOLDER / f"trail-{number:05d}.arrow"


def judged_steps(matrix: MetricMatrix, steps: Steps, job: Job, overrides: Overrides) -> Iterator[MetricSteps]:
    """The steps of each metric that has any, as delivery sees them."""
    scorer = _scorer(job, overrides) if job.paging.asks_size else None
    names = matrix.metrics.to_pylist()
    places = overrides.assign(names)
    usual = job.plan.profile.stale_period
    periods = [usual if one.stale_period is None else one.stale_period for one in overrides.policies]
    walks = [one.rule in NEEDS_WALKS for one in overrides.policies]
    of_row = [0] * len(names) if places is None else places.tolist()
    stops = np.cumsum(steps.counts)
    starts = stops - steps.counts
    each = zip(names, of_row, starts.tolist(), stops.tolist(), strict=True)
    for row, (name, policy, start, stop) in enumerate(each):
        if start < stop:
            here = slice(start, stop)
            yield MetricSteps(
                name,
                steps.timestamps[here],
                steps.values[here],
                steps.anomalous[here],
                steps.outcomes[here] == ANALYSED,
                steps.votes[here].view(np.int8),
                None if scorer is None else _expected(matrix, row, steps, here, scorer, walks=walks[policy]),
                stale_after=periods[policy],
            )


def _scorer(job: Job, overrides: Overrides) -> Scorer:
    """What scores windows as the replay does."""
    plan = ScorePlan(job.plan.profile, full_duration=job.plan.window, policies=overrides.policies, user=job.plan.user)
    return Scorer(plan, overrides, 1, Asking(job.plan.preparation))


def _expected(
    matrix: MetricMatrix, row: int, steps: Steps, here: slice, scorer: Scorer, *, walks: bool
) -> NDArray[np.float64]:
    """The expected range of each anomalous step of one metric, that of its rule's walks or of its window."""
    anomalous = steps.anomalous[here]
    found = np.full((len(anomalous), 2), np.nan)
    if walks and steps.ruled is not None:
        found[anomalous] = steps.ruled.expected[:, here].T[anomalous]
    else:
        found[anomalous] = expected_at(matrix, row, steps.timestamps[here][anomalous], scorer)
    return found
