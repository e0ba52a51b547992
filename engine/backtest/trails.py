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
    periods = np.array([usual if one.stale_period is None else one.stale_period for one in overrides.policies])
    stale = np.repeat(periods[:1], len(names)) if places is None else periods[places]
    stops = np.cumsum(steps.counts)
    starts = stops - steps.counts
    each = zip(names, stale.tolist(), starts.tolist(), stops.tolist(), strict=True)
    for row, (name, stale_after, start, stop) in enumerate(each):
        if start < stop:
            here = slice(start, stop)
            yield MetricSteps(
                name,
                steps.timestamps[here],
                steps.values[here],
                steps.anomalous[here],
                steps.outcomes[here] == ANALYSED,
                steps.votes[here].view(np.int8),
                None if scorer is None else _expected(matrix, row, steps, here, scorer),
                stale_after=stale_after,
            )


def _scorer(job: Job, overrides: Overrides) -> Scorer:
    """What scores windows as the replay does."""
    plan = ScorePlan(job.plan.profile, full_duration=job.plan.window, policies=overrides.policies, user=job.plan.user)
    return Scorer(plan, overrides, 1, Asking(job.plan.preparation))


def _expected(matrix: MetricMatrix, row: int, steps: Steps, here: slice, scorer: Scorer) -> NDArray[np.float64]:
    """The expected range of each anomalous step of one metric; of the others nobody asks."""
    anomalous = steps.anomalous[here]
    found = np.full((len(anomalous), 2), np.nan)
    found[anomalous] = expected_at(matrix, row, steps.timestamps[here][anomalous], scorer)
    return found
