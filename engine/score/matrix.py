"""Matrix in, verdicts out: blocks of rows through the score kernel, on a pool of threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import LABELS, Changed, Prepared
from ridgeline.engine.rules.judgement import CHANNELS, EXPECTED_HIGH, EXPECTED_LOW, PAGES, RULE_SCORE
from ridgeline.engine.score import verdicts
from ridgeline.engine.score.blocks import block_size, scratch
from ridgeline.engine.score.gate import held_back, is_open
from ridgeline.engine.score.graded import GRADED, graded
from ridgeline.engine.score.plan import Policies, ScorePlan, resolve_as_of
from ridgeline.engine.score.reach import cut_short, stretched
from ridgeline.engine.score.resolution import apart
from ridgeline.engine.score.rows import Judgeable
from ridgeline.engine.score.tables import Tables
from ridgeline.engine.score.threads import each
from ridgeline.engine.walks.said import NEVER, Said
from ridgeline.io.arrow.buffers import arrow, bitmap, over, truth_arrays
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.ordered import distinct
from ridgeline.io.reasons import USABLE
from ridgeline.kernels.native import loader
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    ALL_VOTES,
    ANALYSED,
    CHANGE,
    COUNT,
    DATAPOINT,
    EARLY_EXIT,
    FACTS,
    FAILED,
    LEVEL,
    NEGATIVE,
    NO_CRITICAL,
    NULL,
    POINTS,
    RESOLUTION,
    SCORES,
    TIMESTAMP,
    TOO_SHORT,
    TRUE,
)
from ridgeline.kernels.shared.switches import MIN_POINTS

Ints = NDArray[np.int64]


@dataclass(slots=True)
class Results:
    """What the kernel writes, row by row; columns as in `kernels.score.layout`."""

    outcomes: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    scores: NDArray[np.float64]
    points: NDArray[np.float64]
    facts: NDArray[np.int64]

    @classmethod
    def for_rows(cls, rows: int, *, scores: bool) -> Results:
        """Return room for so many rows."""
        return cls(
            np.empty(rows, np.uint8),
            np.empty((rows, ALGORITHMS), np.uint8),
            np.empty((rows if scores else 0, ALGORITHMS)),
            np.empty((rows, POINTS)),
            np.empty((rows, FACTS), np.int64),
        )

    def only(self, rows: NDArray[np.int64]) -> Results:
        """Some rows alone."""
        scores = self.scores[rows] if len(self.scores) else self.scores
        return Results(self.outcomes[rows], self.votes[rows], scores, self.points[rows], self.facts[rows])

    def put(self, rows: NDArray[np.int64], others: Results) -> None:
        """Put others in the place of these rows."""
        self.outcomes[rows], self.votes[rows] = others.outcomes, others.votes
        self.points[rows], self.facts[rows] = others.points, others.facts
        if len(self.scores):
            self.scores[rows] = others.scores


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What became of n rows, before it is written as Arrow.

    outcomes uint8[n], position in `verdicts.OUTCOMES`; reasons uint8[n], in `verdicts.REASONS`; votes uint8[algorithms, n],
    codes; count int8[n]: how many are True; anomalous bool[n]; results: as the kernel and users wrote them; grades
    float64[2, n]: as `score.graded` has them, where scores are asked for; said: what the walks said, where they judge.
    """

    outcomes: NDArray[np.uint8]
    reasons: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    count: NDArray[np.int8]
    anomalous: NDArray[np.bool_]
    results: Results
    grades: NDArray[np.float64] | None = None
    said: Said | None = None

    def vote(self, algorithm: int, row: int) -> bool | None:
        """One vote, by the place of its algorithm; None where it failed, was not needed, or is switched off."""
        code = self.votes[algorithm, row]
        return None if code >= NULL else bool(code == TRUE)


_tables: Final = Tables()
_REASONS: Final = (None, *verdicts.REASONS[1:])


def score_matrix(
    matrix: MetricMatrix, plan: ScorePlan, policy_of_row: NDArray[Any] | None = None, *, threads: int = 1
) -> pa.RecordBatch:
    """Score every row; one verdict row per matrix row, in order.

    policy_of_row int[n]: position in `plan.policies`; None: the first for all. Results are identical for any number
    of threads and any `plan.block_rows`.
    """
    return verdict_rows(Prepared(matrix), plan, judge_rows(matrix, plan, policy_of_row, threads=threads))


def judge_rows(
    matrix: Judgeable,
    plan: ScorePlan,
    policy_of_row: NDArray[Any] | None = None,
    *,
    changed: Changed | None = None,
    said: Said | None = None,
    threads: int = 1,
) -> Judged:
    """Judge every row, as `score_matrix` does, in numpy arrays: for few rows, Arrow would cost more than the judging.

    `changed`: rows that are judged by another series than their own. `said`: what the walks say of them, where they judge.
    """
    as_of = resolve_as_of(matrix, plan)
    policies = stretched(Policies.encode(plan, policy_of_row, len(matrix)), matrix, as_of)
    if changed is None:
        results = _results(matrix, as_of, plan, policies, threads)
    else:
        results = _results(matrix, as_of, plan, policies.without(changed.rows), threads)
        own = resolve_as_of(changed.matrix, plan)
        results.put(changed.rows, _results(changed.matrix, own, plan, policies.only(changed.rows), threads))
    outcomes = verdicts.row_outcomes(results.outcomes, matrix.reasons)
    by_algorithm = np.ascontiguousarray(results.votes.T)  # numpy is quick along rows
    count = (by_algorithm == TRUE).sum(axis=0, dtype=np.int8)
    anomalous = (outcomes == ANALYSED) & (count >= policies.consensus[policies.of_row])
    if said is not None:
        outcomes = said.outcomes(outcomes)
        anomalous = np.where(said.walked, (outcomes == ANALYSED) & said.anomalous, anomalous)
    reasons = _gate(anomalous, matrix.reasons, plan, policies, results)
    if policies.own_windows is not None:
        newest = results.facts[:, TIMESTAMP]
        reasons[(outcomes == TOO_SHORT) & cut_short(policies, matrix, newest)] = verdicts.SHORT_HISTORY
    grades = _grades(results, policies, plan) if plan.scores else None
    return Judged(outcomes, reasons, by_algorithm, count, anomalous, results, grades, said)


def _grades(results: Results, policies: Policies, plan: ScorePlan) -> NDArray[np.float64]:
    """The graded scores of every row, float64[2, n]; those of rows that were not analysed mean nothing."""
    scores = np.where(results.votes == FAILED, np.nan, results.scores).T
    found = np.zeros((len(GRADED), scores.shape[1]))
    for place, policy in enumerate(plan.policies):
        rows = np.flatnonzero(policies.of_row == place)
        found[:, rows] = graded(scores[policies.in_force[place]][:, rows], policy.consensus)
    return found


def _results(matrix: Judgeable, as_of: Ints, plan: ScorePlan, policies: Policies, threads: int) -> Results:
    """What the kernel and users' algorithms make of every row."""
    results = _run_entry(matrix, as_of, plan, policies, threads)
    if plan.user:
        from ridgeline.engine.score.users import user_votes

        votes, scores = user_votes(matrix, plan, policies, results.outcomes, threads)
        results.votes = np.concatenate([results.votes, votes], axis=1)
        if plan.scores:
            results.scores = np.concatenate([results.scores, scores], axis=1)
    return results


def _run_entry(matrix: Judgeable, as_of: Ints, plan: ScorePlan, policies: Policies, threads: int) -> Results:
    """What the kernel makes of every row; those that go by their own resolution, group by group."""
    switches = plan.profile.encode()
    if not policies.aware.any():
        return _run_kernel(matrix, as_of, plan, policies, switches, threads)
    groups = list(apart(matrix, as_of, policies, switches))
    others = policies.without(np.concatenate([rows for rows, _ in groups])) if groups else policies
    results = _run_kernel(matrix, as_of, plan, others, switches, threads)
    every = np.arange(len(matrix))
    for rows, own in groups:
        some = policies.without(np.delete(every, rows))
        results.put(rows, _run_kernel(matrix, as_of, plan, some, own, threads).only(rows))
    return results


def switches_of(one: Judgeable, plan: ScorePlan) -> NDArray[np.int64]:
    """The switches by which a single row is judged, under the plan's first policy."""
    policies, switches = Policies.encode(plan, None, 1), plan.profile.encode()
    if not policies.aware.any():
        return switches
    return next((own for _, own in apart(one, resolve_as_of(one, plan), policies, switches)), switches)


def _run_kernel(
    matrix: Judgeable, as_of: Ints, plan: ScorePlan, policies: Policies, switches: Ints, threads: int
) -> Results:
    rows = len(matrix)
    results = Results.for_rows(rows, scores=plan.scores)
    offsets = matrix.offsets
    lengths = offsets[1:] - offsets[:-1]
    longest = int(lengths.max(initial=1))
    counts = distinct(lengths)
    mode = SCORES if plan.scores else ALL_VOTES if plan.all_votes or plan.user else EARLY_EXIT
    weights = _tables.weights(longest)
    entry = loader.entry("score")
    inputs = (offsets, matrix.timestamps, matrix.values, matrix.duplicates, as_of, policies.windows)
    size = block_size(rows, int(offsets[-1] - offsets[0]), plan.block_rows, threads)

    def block(critical: NDArray[np.float64], start: int) -> int:
        return entry(
            *inputs,
            policies.of_row, policies.numbers, policies.thresholds, policies.cutoffs, switches, critical, weights,
            results.outcomes, results.votes, results.scores, results.points, results.facts,
            *scratch(longest), start, min(start + size, rows), mode, int(plan.resolution),
        )  # fmt: skip

    starts: Sequence[int] = range(0, rows, size)
    while starts:
        critical = _tables.critical(policies.alphas, counts[counts >= switches[MIN_POINTS]])
        lacking = each(partial(block, critical), starts, threads)
        starts = [start for start, status in zip(starts, lacking, strict=True) if status]
        if starts:  # some rows turned out shorter than they are long: within the window, or without duplicates
            counts = distinct(results.facts[results.outcomes == NO_CRITICAL, COUNT])
    return results


def verdict_rows(prepared: Prepared, plan: ScorePlan, judged: Judged) -> pa.RecordBatch:
    """Return what became of each row as Arrow: one verdict row per row, in order."""
    names, results = plan.names, judged.results
    analysed = judged.outcomes == ANALYSED
    some = results.facts[:, COUNT] > 0
    told, resolution = bitmap(some), results.facts[:, RESOLUTION].astype(np.int32)
    columns: dict[str, Any] = {
        "metric": prepared.cleaned.metrics,
        "outcome": verdicts.named(judged.outcomes, verdicts.OUTCOMES),
        "reason": verdicts.named(judged.reasons, _REASONS),
        "anomalous": verdicts.boolean_array(judged.anomalous, analysed),
        "datapoint": over(results.points[:, DATAPOINT], told),
        "timestamp": over(results.facts[:, TIMESTAMP], told),
        "votes": over(judged.count, bitmap(analysed)),
        "failed": verdicts.failed_names(results.votes, names),
        "negatives": over(results.facts[:, NEGATIVE] > 0, told),
        "resolution": over(resolution, bitmap(resolution > 0)),
        "prepared": verdicts.named(prepared.labels(), LABELS),
    }
    known = judged.votes < NULL
    columns |= zip(names, truth_arrays(judged.votes == TRUE, known), strict=True)
    if plan.scores:
        for place, name in enumerate(names):
            columns[f"{name}_score"] = over(results.scores[:, place], bitmap(known[place]))
    if judged.grades is not None:
        columns |= {name: arrow(grade, ~analysed) for name, grade in zip(GRADED, judged.grades, strict=True)}
    if plan.walks:
        columns |= _of_walks(judged, analysed)
    return verdicts.verdict_batch(columns, names, scores=plan.scores, walks=plan.walks)


def _of_walks(judged: Judged, analysed: NDArray[np.bool_]) -> dict[str, pa.Array]:
    """What the walks say of the analysed rows that they judge; of others only the score of their consensus, where it is known."""
    said = Said.nothing(np.full(len(analysed), NEVER)) if judged.said is None else judged.said
    walked = said.walked & analysed
    scores, known = np.where(walked, said.scores, 0.0), walked
    if judged.grades is not None:
        scores, known = np.where(walked, scores, judged.grades[0]), analysed
    low, high = said.bands.T
    spoke = (said.channels > 1.0) & walked[:, None]
    return {
        RULE_SCORE: arrow(scores, ~known),
        "channels": verdicts.chosen_names(spoke, CHANNELS[PAGES]),
        EXPECTED_LOW: arrow(low, ~walked | np.isnan(low)),
        EXPECTED_HIGH: arrow(high, ~walked | np.isnan(high)),
    }


def _gate(
    anomalous: NDArray[np.bool_], row_reasons: NDArray[np.uint8], plan: ScorePlan, policies: Policies, results: Results
) -> NDArray[np.uint8]:
    """Take back `anomalous` where the change goes the wrong way or is too small; return each row's reason."""
    reasons = np.where(row_reasons == USABLE, 0, row_reasons).astype(np.uint8)
    for place, policy in enumerate(plan.policies):
        if is_open(policy):
            continue
        rows = np.flatnonzero(anomalous & (policies.of_row == place) & (results.outcomes == ANALYSED))
        wrong, small = held_back(policy, results.points[rows, CHANGE], results.points[rows, LEVEL])
        reasons[rows[wrong]] = verdicts.DIRECTION
        reasons[rows[small]] = verdicts.MIN_CHANGE
        anomalous[rows[wrong | small]] = False
    return reasons
