"""Replayed steps as numpy arrays and as Arrow columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.replay.pages import Pages
from ridgeline.engine.replay.ruled import Ruled, fields_of
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score import verdicts
from ridgeline.engine.score.gate import held_back, is_open
from ridgeline.engine.score.graded import GRADED, grade
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.kernels.replay.layout import COLUMNS, DISTANCE, STATISTIC
from ridgeline.kernels.score.layout import ALGORITHMS, ANALYSED

if TYPE_CHECKING:
    from ridgeline.engine.score.plan import Policies

CHUNK_ROWS: Final = 1 << 20  # rows per chunk of a table, fewer where names are so long
CHUNK_BYTES: Final = (1 << 31) - 1  # that this many would overflow Arrow's strings
LONG: Final = 1 << 13  # analysed steps in a row that are worth a chunk of their own
KS_COLUMNS: Final = ("ks_test_d", "ks_test_adf")


def step_schema(user: Sequence[str] = (), rules: Sequence[str] = (), *, encoded: bool = False) -> pa.Schema:
    """Return the schema of replayed steps, with the named users' algorithms after the nine, and what rules with walks say.

    `anomalous`, `votes` and scores are null where not analysed; texts are dictionary-encoded where `encoded`.
    """
    names = (*algorithm_names(), *user)
    metric, outcome = pa.string(), pa.string()
    if encoded:
        metric, outcome = pa.dictionary(pa.int32(), metric), pa.dictionary(pa.int8(), outcome)
    return pa.schema(
        [
            pa.field("metric", metric),
            pa.field("timestamp", pa.int64()),
            pa.field("value", pa.float64()),
            pa.field("outcome", outcome),
            pa.field("anomalous", pa.bool_()),
            pa.field("votes", pa.int8()),
            *(pa.field(f"{name}_score", pa.float32()) for name in names),
            *(pa.field(name, pa.float32()) for name in (*KS_COLUMNS, *GRADED)),
            *fields_of(rules),
        ]
    )


@dataclass(slots=True)
class Steps:
    """Steps of several series, one after another.

    counts      int64[series]: steps of each
    timestamps  int64[n], values float64[n]: the newest point of each step
    outcomes    uint8[n]: places in `verdicts.OUTCOMES`
    votes       uint8[n]: True votes
    scores      float32[11 + users, n]: the nine in verdict order, ks_test's D, its ADF statistic, then users'
                algorithms; NaN where there is none
    grades      float32[2, n]: `consensus_score` and `mean_score` (`engine.score.graded`), where analysed
    anomalous   bool[n]; reasons uint8[n]: places in `verdicts.REASONS`, why enough votes make no anomaly
    change, level  float64[n or 0]: tail mean less mean, and mean, where a policy asks and consensus was reached
    ruled       what rules with walks made of them, where any is stored
    """

    counts: NDArray[np.int64]
    outcomes: NDArray[np.uint8]
    votes: NDArray[np.uint8]
    scores: NDArray[np.float32]
    grades: NDArray[np.float32]
    change: NDArray[np.float64]
    level: NDArray[np.float64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    anomalous: NDArray[np.bool_]
    reasons: NDArray[np.uint8]
    ruled: Ruled | None = None

    @classmethod
    def empty(cls, counts: NDArray[np.int64], steps: int, pages: Pages, *, users: int, gated: bool) -> Steps:
        """Return room for so many steps."""
        votes = pages.empty("votes", (steps,), np.uint8)
        votes[:] = 0
        return cls(
            counts,
            pages.empty("outcomes", (steps,), np.uint8),
            votes,
            pages.empty("scores", (COLUMNS + users, steps), np.float32),
            pages.empty("grades", (len(GRADED), steps), np.float32),
            np.zeros(steps if gated else 0),
            np.zeros(steps if gated else 0),
            np.empty(0, np.int64),
            np.empty(0),
            np.empty(0, bool),
            np.empty(0, np.uint8),
        )

    @property
    def algorithms(self) -> list[int]:
        """The rows of `scores` that are algorithms', in the order of their names: the nine, then users'."""
        return [*range(ALGORITHMS), *range(COLUMNS, len(self.scores))]

    def judge(self, policies: Sequence[Policy], encoded: Policies) -> None:
        """Decide `anomalous`: enough votes, in the wanted direction, by the wanted amount; and say why not."""
        self.anomalous = np.zeros(len(self.outcomes), bool)
        self.reasons = np.zeros(len(self.outcomes), np.uint8)
        stops = np.cumsum(self.counts)
        for place, policy in enumerate(policies):
            rows, voters = np.flatnonzero(encoded.of_row == place), np.flatnonzero(encoded.in_force[place])
            if len(rows) == len(self.counts):
                self._judge_slice(slice(0, len(self.outcomes)), policy, voters)
                continue
            for row in rows:
                self._judge_slice(slice(int(stops[row] - self.counts[row]), int(stops[row])), policy, voters)

    def _judge_slice(self, here: slice, policy: Policy, voters: NDArray[np.int64]) -> None:
        grade(self.grades, self.scores, np.array(self.algorithms)[voters], policy.consensus, here)
        enough = (self.outcomes[here] == ANALYSED) & (self.votes[here] >= policy.consensus)
        if not is_open(policy):
            wrong, small = held_back(policy, self.change[here], self.level[here])
            self.reasons[here][enough & wrong] = verdicts.DIRECTION
            self.reasons[here][enough & small] = verdicts.MIN_CHANGE
            enough &= ~(wrong | small)
        self.anomalous[here] = enough

    def in_order(self, order: NDArray[np.int64], counts: NDArray[np.int64]) -> Steps:
        """Return the steps in another order, int64[n], `counts` of them of each metric."""
        gated = order if len(self.change) else slice(0)
        return Steps(
            counts,
            self.outcomes[order],
            self.votes[order],
            np.take(self.scores, order, axis=1),
            np.take(self.grades, order, axis=1),
            self.change[gated],
            self.level[gated],
            self.timestamps[order],
            self.values[order],
            self.anomalous[order],
            self.reasons[order],
        )


def table_of(
    metrics: pa.StringArray, steps: Steps, user: Sequence[str] = (), rules: Sequence[str] = (), *, encoded: bool = False
) -> pa.Table:
    """Return the steps of each metric, in order, as a table of `step_schema`; texts dictionary-encoded where `encoded`."""
    columns = step_schema(user, rules, encoded=encoded)
    return pa.Table.from_batches(list(_batches(metrics, steps, columns, encoded=encoded)), schema=columns)


def _batches(metrics: pa.StringArray, steps: Steps, schema: pa.Schema, *, encoded: bool) -> Iterator[pa.RecordBatch]:
    # Names without a step are in no dictionary: bytes must not depend on how metrics were cut into matrices.
    names = [name for name, count in zip(metrics.to_pylist(), steps.counts.tolist(), strict=True) if count]
    codes = np.repeat(np.arange(len(names), dtype=np.int32), steps.counts[steps.counts > 0])
    text = partial(_encoded, strings(names), strings(verdicts.OUTCOMES)) if encoded else partial(_plain, names)
    rows = CHUNK_ROWS if encoded else min(CHUNK_ROWS, CHUNK_BYTES // max(map(_size, names), default=1))
    every = steps.outcomes == ANALYSED
    for here in _pieces(every, rows):
        analysed = every[here]
        valid = None if analysed.all() else pa.py_buffer(np.packbits(analysed, bitorder="little"))
        metric, outcome = text(codes[here], steps.outcomes[here])
        columns: list[Any] = [
            metric,
            arrow(steps.timestamps[here]),
            arrow(steps.values[here]),
            outcome,
            verdicts.boolean_array(steps.anomalous[here], analysed),
            pa.Array.from_buffers(pa.int8(), len(analysed), [valid, pa.py_buffer(steps.votes[here].view(np.int8))]),
        ]
        places = [*steps.algorithms, DISTANCE, STATISTIC]
        columns += [_nullable(steps.scores[place, here], analysed, valid) for place in places]
        columns += [
            pa.Array.from_buffers(pa.float32(), len(analysed), [valid, pa.py_buffer(lane[here])])
            for lane in steps.grades
        ]
        if steps.ruled is not None:
            columns += steps.ruled.columns(here)
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _pieces(analysed: NDArray[np.bool_], rows: int) -> Iterator[slice]:
    """Cut steps into pieces of at most so many rows; long runs of analysed ones, which need no bitmap, stand apart."""
    edges = np.flatnonzero(np.diff(analysed, prepend=False, append=False)).reshape(-1, 2)
    bounds = edges[edges[:, 1] - edges[:, 0] >= LONG].ravel().tolist()
    for first, end in pairwise(dict.fromkeys([0, *bounds, len(analysed)])):
        for start in range(first, end, rows):
            yield slice(start, min(start + rows, end))


def _encoded(
    names: pa.StringArray, words: pa.StringArray, metrics: NDArray[np.int32], outcomes: NDArray[np.uint8]
) -> tuple[pa.Array, pa.Array]:
    """Metrics and outcomes by their codes, with dictionaries."""
    codes = arrow(metrics), arrow(outcomes.view(np.int8))
    return pa.DictionaryArray.from_arrays(codes[0], names), pa.DictionaryArray.from_arrays(codes[1], words)


def _plain(names: Sequence[str], metrics: NDArray[np.int32], outcomes: NDArray[np.uint8]) -> tuple[pa.Array, pa.Array]:
    """Metrics and outcomes written out, run by run."""
    return verdicts.named(metrics, names), verdicts.named(outcomes, verdicts.OUTCOMES)


def _size(name: str) -> int:
    """Bytes of a name, one at least."""
    return len(name.encode()) or 1


def _nullable(scores: NDArray[np.float32], analysed: NDArray[np.bool_], valid: pa.Buffer | None) -> pa.Array:
    """Return scores without copying them, null where NaN; `valid` is the bitmap of `analysed` (None: all are), mostly it."""
    present = ~np.isnan(scores)
    if not np.array_equal(present, analysed):
        valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(pa.float32(), len(scores), [valid, pa.py_buffer(scores)])
