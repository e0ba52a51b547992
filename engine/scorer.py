"""Settings in, a scorer out: what `ridgeline.score`, `score`, `run` and `backtest` judge a matrix with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

from ridgeline.engine.config.model import Analysis
from ridgeline.engine.overrides import Override, Overrides
from ridgeline.engine.policy import Policy
from ridgeline.engine.profiles import profile_named
from ridgeline.engine.scoring import ScorePlan, algorithm_names, score_matrix
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix

AsOf = int | Literal["last"] | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores matrices under one plan; overrides give each metric its policy."""

    plan: ScorePlan
    overrides: Overrides
    threads: int

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        overrides: Sequence[Override] = (),
        *,
        as_of: AsOf = None,
        default_as_of: int | None = None,
        scores: bool = False,
        threads: int = 0,
    ) -> Scorer:
        """A scorer for checked settings; raises InputError for an unknown profile or an unreachable consensus."""
        plan = ScorePlan(
            profile=profile_named(analysis.profile),
            full_duration=analysis.full_duration,
            as_of=as_of,
            default_as_of=default_as_of,
            all_votes=analysis.all_votes or scores,
            scores=scores,
        )
        return cls(plan, Overrides(base_policy(analysis), overrides), threads or available_threads())

    def score(self, matrix: MetricMatrix) -> pa.RecordBatch:
        """Verdict rows, one per row of `matrix`, in its order."""
        names = matrix.metrics.to_pylist() if self.overrides.overrides else ()
        index = self.overrides.assign(names)
        return score_matrix(matrix, replace(self.plan, policies=self.overrides.policies), index, threads=self.threads)


def base_policy(analysis: Analysis) -> Policy:
    """The policy of a metric that no override matches."""
    chosen = check_algorithms(analysis.algorithms)
    if not 1 <= analysis.consensus <= len(chosen):
        count = f"{len(chosen)} algorithm{'s are' if len(chosen) > 1 else ' is'}"
        raise InputError(
            f"a consensus of {analysis.consensus} is impossible: {count} in force; choose 1 to {len(chosen)}"
        )
    return Policy(consensus=analysis.consensus, algorithms=chosen, stale_period=analysis.stale_period)


def check_algorithms(chosen: Sequence[str]) -> tuple[str, ...]:
    """The chosen algorithms in the order of the columns, all of them if none is chosen; InputError for unknown ones."""
    known = algorithm_names()
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise InputError(f"unknown algorithm {unknown[0]!r}: choose from {', '.join(known)}")
    return tuple(name for name in known if name in chosen) if chosen else known


def available_threads() -> int:
    """As many threads as CPUs this process may use."""
    return len(os.sched_getaffinity(0))
