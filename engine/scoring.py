"""Matrix in, verdicts out: blocks of rows through the score kernel, on a pool of threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine import verdicts
from ridgeline.engine.policy import Policy
from ridgeline.engine.profiles import PROFILES, Profile
from ridgeline.engine.tables import Tables
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.reasons import USABLE
from ridgeline.kernels import _native

BLOCK_ROWS: Final = 1024
# Modes of `kernels.score.row`, and how much scratch it takes.
EARLY_EXIT, ALL_VOTES, SCORES = 0, 1, 2
SCRATCH_PER_POINT, SCRATCH_FIXED = 9, 8192
NO_CRITICAL: Final = 5


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How to score. The rest is the matrix.

    as_of          epoch seconds for every row; "last": each row's own newest point; None: the matrix's column, and
                   where that is null `default_as_of`, or else the matrix's newest timestamp
    all_votes      no early exit; `scores` implies it
    block_rows     rows per kernel call; results do not depend on it
    """

    profile: Profile = PROFILES["native"]
    full_duration: int = 86400
    as_of: int | Literal["last"] | None = None
    default_as_of: int | None = None
    policies: tuple[Policy, ...] = (Policy(),)
    all_votes: bool = False
    scores: bool = False
    block_rows: int = BLOCK_ROWS


@cache
def algorithm_names() -> tuple[str, ...]:
    """Names of the nine, in the order of verdict columns."""
    return tuple(_native.facts())


@dataclass(slots=True)
class Results:
    """What the kernel writes, row by row."""

    outcomes: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]  # newest value, tail mean less mean, mean
    stamps: NDArray[np.int64]  # newest timestamp, number of points

    @classmethod
    def for_rows(cls, rows: int, *, scores: bool) -> Results:
        """Return room for so many rows."""
        return cls(
            np.empty(rows, np.uint8),
            np.empty((rows, len(algorithm_names())), np.uint8),
            np.empty((rows if scores else 0, len(algorithm_names()))),
            np.empty((rows, 3)),
            np.empty((rows, 2), np.int64),
        )


@dataclass(frozen=True, slots=True)
class Policies:
    """The plan's policies as kernels read them."""

    of_row: NDArray[np.int32]
    numbers: NDArray[np.int64]  # slack, mask, stale period, row of the critical table
    thresholds: NDArray[np.float64]
    consensus: NDArray[np.int64]
    alphas: tuple[float, ...]

    @classmethod
    def encode(cls, plan: ScorePlan, of_row: NDArray[Any] | None, rows: int) -> Policies:
        """Encode the plan's policies; InputError where a consensus cannot be reached."""
        facts = _native.facts()
        numbers, thresholds, consensus = [], [], []
        alphas: list[float] = []
        for policy in plan.policies:
            chosen = policy.algorithms or tuple(facts)
            if policy.consensus > len(chosen):
                raise InputError(
                    f"a consensus of {policy.consensus} cannot be reached by {len(chosen)} algorithms: lower it to at most "
                    f"{len(chosen)}, or switch on more algorithms"
                )
            limits = {name: float(fact["threshold"]) for name, fact in facts.items()} | dict(policy.thresholds)
            alpha = limits["grubbs"]
            if alpha not in alphas:
                alphas.append(alpha)
            mask = sum(1 << place for place, name in enumerate(facts) if name in chosen)
            stale = plan.profile.stale_period if policy.stale_period is None else policy.stale_period
            numbers.append((len(chosen) - policy.consensus, mask, stale, alphas.index(alpha)))
            thresholds.append([limits[name] for name in facts])
            consensus.append(policy.consensus)
        index = np.zeros(rows, np.int32) if of_row is None else np.ascontiguousarray(of_row, np.int32)
        return cls(
            index, np.array(numbers, np.int64), np.array(thresholds), np.array(consensus, np.int64), tuple(alphas)
        )


_tables: Final = Tables()


def score_matrix(
    matrix: MetricMatrix, plan: ScorePlan, policy_of_row: NDArray[Any] | None = None, *, threads: int = 1
) -> pa.RecordBatch:
    """Score every row; one verdict row per matrix row, in order.

    policy_of_row int[n]: position in `plan.policies`; None: the first for all. Results are identical for any number
    of threads and any `plan.block_rows`.
    """
    policies = Policies.encode(plan, policy_of_row, len(matrix))
    results = _run_kernel(matrix, plan, policies, threads)
    return _verdicts(matrix, plan, policies, results)


def resolve_as_of(matrix: MetricMatrix, plan: ScorePlan) -> NDArray[np.int64]:
    """Return int64[n]: when each row is judged; NO_AS_OF stands for its own newest point."""
    if plan.as_of == "last":
        return np.full(len(matrix), NO_AS_OF)
    if plan.as_of is not None:
        return np.full(len(matrix), plan.as_of, np.int64)
    default = plan.default_as_of if plan.default_as_of is not None else matrix.newest
    if default is None:
        return matrix.as_of
    return np.where(matrix.as_of == NO_AS_OF, default, matrix.as_of)


def _run_kernel(matrix: MetricMatrix, plan: ScorePlan, policies: Policies, threads: int) -> Results:
    rows = len(matrix)
    results = Results.for_rows(rows, scores=plan.scores)
    lengths = np.diff(matrix.offsets)
    longest = int(lengths.max(initial=1))
    counts = np.unique(lengths)
    mode = SCORES if plan.scores else ALL_VOTES if plan.all_votes else EARLY_EXIT
    as_of, switches = resolve_as_of(matrix, plan), plan.profile.encode(plan.full_duration)
    weights = _tables.weights(longest)
    entry = _native.entry("score")

    def block(start: int, critical: NDArray[np.float64]) -> int:
        return entry(
            matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates, as_of,
            policies.of_row, policies.numbers, policies.thresholds, switches, critical, weights,
            results.outcomes, results.votes, results.scores, results.points, results.stamps,
            np.empty(SCRATCH_PER_POINT * longest + SCRATCH_FIXED), np.empty(longest, np.int64),
            start, min(start + plan.block_rows, rows), mode,
        )  # fmt: skip

    starts = list(range(0, rows, plan.block_rows))
    with ThreadPoolExecutor(threads) as pool:
        every = pool.map if threads > 1 else map
        while starts:
            critical = _tables.critical(policies.alphas, counts[counts >= plan.profile.min_points])
            lacking = every(lambda start, known=critical: block(start, known), starts)
            starts = [start for start, status in zip(starts, lacking, strict=True) if status]
            # Some rows turned out shorter than they are long: within the window, or without duplicates.
            counts = np.unique(results.stamps[results.outcomes == NO_CRITICAL, 1])
    return results


def _verdicts(matrix: MetricMatrix, plan: ScorePlan, policies: Policies, results: Results) -> pa.RecordBatch:
    names = algorithm_names()
    outcomes = verdicts.row_outcomes(results.outcomes, matrix.reasons)
    analysed = outcomes == verdicts.ANALYSED
    count = (results.votes == verdicts.TRUE).sum(axis=1, dtype=np.int8)
    anomalous = analysed & (count >= policies.consensus[policies.of_row])
    reasons = _gate(anomalous, matrix.reasons, plan, policies, results)
    some = results.stamps[:, 1] > 0
    columns: dict[str, Any] = {
        "metric": matrix.metrics,
        "outcome": verdicts.named(outcomes, verdicts.OUTCOMES),
        "reason": verdicts.named(reasons, (None, *verdicts.REASONS[1:])),
        "anomalous": verdicts.boolean_array(anomalous, analysed),
        "datapoint": pa.array(results.points[:, 0], mask=~some),
        "timestamp": pa.array(results.stamps[:, 0], mask=~some),
        "votes": pa.array(count, mask=~analysed),
        "failed": verdicts.failed_names(results.votes, names),
    }
    for place, name in enumerate(names):
        vote = results.votes[:, place]
        columns[name] = verdicts.boolean_array(vote == verdicts.TRUE, vote < verdicts.NULL)
        if plan.scores:
            columns[f"{name}_score"] = pa.array(results.scores[:, place], mask=vote >= verdicts.NULL)
    return verdicts.verdict_batch(columns, names, scores=plan.scores)


def _gate(
    anomalous: NDArray[np.bool_], row_reasons: NDArray[np.uint8], plan: ScorePlan, policies: Policies, results: Results
) -> NDArray[np.uint8]:
    """Take back `anomalous` where the change goes the wrong way or is too small; return each row's reason."""
    reasons = np.where(row_reasons == USABLE, 0, row_reasons).astype(np.uint8)
    for place, policy in enumerate(plan.policies):
        if policy.direction == "both" and policy.min_change == 0 and policy.min_change_relative == 0:
            continue
        rows = np.flatnonzero(anomalous & (policies.of_row == place))
        change, mean = results.points[rows, 1], results.points[rows, 2]
        wrong = {"both": np.zeros(len(rows), bool), "up": change < 0, "down": change > 0}[policy.direction]
        least = np.maximum(policy.min_change, policy.min_change_relative * np.abs(mean))
        small = ~wrong & (np.abs(change) < least)
        reasons[rows[wrong]] = verdicts.DIRECTION
        reasons[rows[small]] = verdicts.MIN_CHANGE
        anomalous[rows[wrong | small]] = False
    return reasons
