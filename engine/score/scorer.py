"""Settings in, a scorer out: what `ridgeline.score`, `score`, `run` and `backtest` judge a matrix with."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.asks import Asking, Asks
from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.prepare.series import Prepared, prepare
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.judgement import with_walks
from ridgeline.engine.rules.overrides import Override, Overrides, rules_of
from ridgeline.engine.rules.policy import Policy, consensus_fault, cutoffs_of
from ridgeline.engine.rules.profiles import profile_named
from ridgeline.engine.rules.user_algorithms import UserAlgorithm, load_user_algorithms
from ridgeline.engine.score.future import leads, points_after
from ridgeline.engine.score.matrix import Judged, judge_rows, verdict_rows
from ridgeline.engine.score.plan import Policies, ScorePlan, algorithm_names, resolve_as_of
from ridgeline.engine.score.reach import stretched
from ridgeline.engine.score.sparse import Sparse, sparse
from ridgeline.engine.score.tally import tally
from ridgeline.engine.walks.said import Said
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import TOO_SHORT

USERS: Final = 50  # rows at once where users' algorithms judge: one that never comes back costs all of them

AsOf = int | Literal["last"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What became of one matrix.

    verdicts   one row per metric, in the matrix' order
    prepared   the series as they were judged
    repairs    points by reason that scoring left out
    leads      int64[rows with points]: seconds from the instant judged as of to the newest point, above 0 in the future
    tally      metrics by what was done to their series (`engine.score.tally`)
    sparse     metrics that no window is long enough for (`engine.score.sparse`)
    judged     the verdicts as kernels wrote them; None where nothing was judged
    """

    verdicts: pa.RecordBatch
    prepared: Prepared
    repairs: Mapping[str, int]
    leads: NDArray[np.int64]
    tally: Mapping[str, int] = field(default_factory=dict)
    sparse: Sparse = field(default_factory=Sparse)
    judged: Judged | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """How each row of a matrix is judged.

    of_row   its policy's position in `policies`, int32[n]; None: the first for all
    asks     what is done to its series first (`Asking.of`)
    """

    policies: tuple[Policy, ...]
    of_row: NDArray[Any] | None
    asks: Asks | None = None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores matrices under one plan; overrides give each metric its policy, `asking` what is done to its series first.

    `confirm` has the last word about the latter, where it depends on more than names. `ruling`: what the walks say of the
    rows of a matrix, where a rule goes by them.
    """

    plan: ScorePlan
    overrides: Overrides
    threads: int
    asking: Asking = field(default_factory=lambda: Asking(UNPREPARED))
    confirm: Callable[[MetricMatrix, Asks], Asks] | None = None
    ruling: Callable[[MetricMatrix, Assigned], Said] | None = None

    @classmethod
    def of(  # noqa: PLR0913 - every option a keyword of its own
        cls,
        analysis: Analysis,
        overrides: Sequence[Override] = (),
        *,
        preparation: Preparation = UNPREPARED,
        as_of: AsOf = None,
        default_as_of: int | None = None,
        scores: bool = False,
        resolution: bool = False,
        threads: int = 0,
        user: Sequence[UserAlgorithm] | None = None,
    ) -> Scorer:
        """A scorer for checked settings; raises InputError for an unknown profile or an unreachable consensus.

        `user`: algorithms after the nine; None: those of the configured modules and of entry points.
        """
        found = load_user_algorithms(analysis.modules, algorithm_names()) if user is None else tuple(user)
        plan = ScorePlan(
            profile=profile_named(analysis.profile),
            full_duration=analysis.full_duration,
            as_of=as_of,
            default_as_of=default_as_of,
            all_votes=analysis.all_votes or scores,
            scores=scores,
            walks=bool(with_walks(rules_of(analysis.rule, overrides))),
            resolution=resolution,
            user=found,
        )
        given = Overrides(base_policy(analysis, plan.names), overrides)
        return cls(plan, given, threads or available_threads(), Asking(preparation))

    @property
    def entries(self) -> tuple[str, ...]:
        """The kernel entries that it calls."""
        return ("score",) if self.asking.idle else ("score", "prepare")

    @property
    def at_once(self) -> int:
        """Rows of a run that are best judged in one call."""
        return USERS if self.plan.user else self.plan.block_rows

    def score(self, matrix: MetricMatrix) -> pa.RecordBatch:
        """Verdict rows, one per row of `matrix`, in its order."""
        return self.judge(matrix).verdicts

    def assign(self, matrix: MetricMatrix) -> Assigned:
        """Say how each row is judged. Policies are learned from one matrix to the next: not for two threads at once."""
        names = matrix.metrics.to_pylist() if self.overrides.overrides or self.asking.by_name else ()
        of_row = self.overrides.assign(names)
        asks = self.asking.of(names, len(matrix))
        if asks is not None and self.confirm is not None:
            asks = self.confirm(matrix, asks)
        return Assigned(self.overrides.policies, of_row, asks)

    def foresee(self, names: Sequence[str]) -> None:
        """Look at names that `assign` will ask about later: at once, which is many times as quick as in chunks."""
        self.overrides.foresee(names)
        self.asking.foresee(names)

    def judge(self, matrix: MetricMatrix, assigned: Assigned | None = None, *, threads: int | None = None) -> Scored:
        """Prepare and score a matrix; `assigned` and `threads` only where they are not to be the scorer's own."""
        given = self.assign(matrix) if assigned is None else assigned
        plan = replace(self.plan, policies=given.policies)
        as_of = resolve_as_of(matrix, plan)
        prepared = Prepared(matrix)
        policies = stretched(Policies.encode(plan, given.of_row, len(matrix)), matrix, as_of)
        if given.asks is not None:
            prepared = prepare(matrix, given.asks, as_of, policies.windows, plan.profile.encode())
        said = None if self.ruling is None else self.ruling(matrix, given)
        judged = judge_rows(
            matrix, plan, given.of_row, changed=prepared.changed, said=said, threads=threads or self.threads
        )
        ahead = leads(matrix, as_of)
        left_out = plan.profile.drop_future and bool((ahead > 0).any())
        return Scored(
            verdict_rows(prepared, plan, judged),
            prepared,
            {"after_as_of": points_after(matrix, as_of)} if left_out else {},
            ahead,
            tally(prepared, judged),
            sparse(matrix, np.flatnonzero(judged.outcomes == TOO_SHORT), policies, as_of, plan.profile),
            judged,
        )


def base_policy(analysis: Analysis, known: Sequence[str] = ()) -> Policy:
    """The policy of a metric that no override matches; `known` algorithms are the nine unless given."""
    chosen = check_algorithms(analysis.algorithms, known or algorithm_names())
    fault = consensus_fault(analysis.consensus, len(chosen))
    if fault is not None:
        raise InputError(fault)
    return Policy(
        consensus=analysis.consensus,
        algorithms=chosen,
        stale_period=analysis.stale_period,
        resolution_aware=analysis.resolution_aware,
        min_window_points=analysis.min_window_points,
        rule=analysis.rule,
        rule_threshold=analysis.rule_threshold,
        cutoffs=cutoffs_of(analysis.cutoffs),
    )


def check_algorithms(chosen: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The chosen algorithms in the order of the columns, all of them if none is chosen; InputError for unknown ones."""
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise InputError(f"unknown algorithm {unknown[0]!r}: choose from {', '.join(known)}")
    return tuple(name for name in known if name in chosen) if chosen else tuple(known)


def available_threads() -> int:
    """As many threads as CPUs this process may use."""
    return len(os.sched_getaffinity(0))
