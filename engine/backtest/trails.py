"""What a part keeps for the policy replay: a hidden file beside its journal, gone once the manifest is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from ridgeline.engine.backtest.job import Job
from ridgeline.engine.policy.steps import MetricSteps
from ridgeline.engine.replay.steps import Steps
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED

FOLDER: Final = ".parts"


def trail_file(output: Path, number: int) -> Path:
    """The file of a part's trail."""
    return output / FOLDER / f"trail-{number:05d}.arrow"


def judged_steps(matrix: MetricMatrix, steps: Steps, job: Job, overrides: Overrides) -> Iterator[MetricSteps]:
    """The steps of each metric that has any, as delivery sees them."""
    names = matrix.metrics.to_pylist()
    places = overrides.assign(names)
    usual = job.plan.profile.stale_period
    periods = np.array([usual if one.stale_period is None else one.stale_period for one in overrides.policies])
    stale = np.repeat(periods[:1], len(names)) if places is None else periods[places]
    stops = np.cumsum(steps.counts)
    starts = stops - steps.counts
    for name, stale_after, start, stop in zip(names, stale.tolist(), starts.tolist(), stops.tolist(), strict=True):
        if start < stop:
            here = slice(start, stop)
            yield MetricSteps(
                name,
                steps.timestamps[here],
                steps.values[here],
                steps.anomalous[here],
                steps.outcomes[here] == ANALYSED,
                steps.votes[here].view(np.int8),
                stale_after=stale_after,
            )
