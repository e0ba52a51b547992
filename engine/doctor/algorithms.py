"""Every configured algorithm on a noisy sample: one that gives no vote there gives none anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, red
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.text import escape

POINTS: Final = 1440
END: Final = 1_700_000_000


def look_at_algorithms(config: Config) -> Iterator[Check]:
    """One check for all, or one for each that failed."""
    analysis = replace(config.analysis, full_duration=86400, stale_period=None)
    scorer = Scorer.of(analysis, as_of=END, scores=True, threads=1)
    noise = 100 + np.random.default_rng(7).normal(size=POINTS)
    stamps = np.arange(END - 60 * (POINTS - 1), END + 1, 60)
    matrix = MetricMatrix.from_columns(strings(["sample"]), np.array([0, POINTS]), stamps, noise)
    verdict = scorer.score(matrix).to_pylist()[0]
    chosen = scorer.overrides.policies[0].algorithms
    failed = [name for name in chosen if verdict[name] is None]
    for name in failed:
        why = scorer.plan.complaints.get(name)
        yield red(
            "algorithms",
            f"{escape(name)} gives no vote on a noisy sample{f': {why.sentence}' if why else ''}",
            "mend it, or leave it out of [analysis] algorithms",
        )
    if not failed:
        yield green("algorithms", f"all {len(chosen)} judge a noisy sample; {config.analysis.consensus} must agree")
