"""Replay: every step of a long history, as `score` would have judged it at that moment.

A step is one distinct timestamp of a metric; its series is the points in (t - window, t], judged as of t. Kernels do
the work (`kernels.replay`); this module cuts long series into spans for threads and gives the steps as Arrow columns.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import UNPREPARED, Preparation, prepare
from ridgeline.engine.replay.steps import Steps, table_of
from ridgeline.engine.replay.users import add_user_scores
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES, Profile
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.gate import is_open
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.tables import Tables
from ridgeline.kernels.native import loader
from ridgeline.kernels.replay.layout import (
    BLOCK,
    BLOCK_FLOATS,
    BLOCK_INTEGERS,
    CHUNK_INTEGERS,
    CHUNK_PLACES,
    COLUMNS,
    RADIX,
    WIDTH,
    chunk_room,
    scratch_room,
)
from ridgeline.kernels.score.layout import CRITICAL_ROW, MASK
from ridgeline.kernels.shared.weights import DECAY

if TYPE_CHECKING:
    from ridgeline.engine.rules.overrides import Overrides
    from ridgeline.io.matrix import MetricMatrix

# A span for one thread: long against the window that it has to take up again, short against a long series.
SPAN_BLOCKS, SPAN_WINDOWS = 32, 8
SHORT: Final = 2048  # points of a series that is not worth asking how full its windows get


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How to replay. The rest is the matrix and its overrides.

    window   seconds of history at each step; FULL_DURATION for first_hour_average
    start    epoch seconds of the first step written; earlier points warm the window
    end      epoch seconds before which the last step written lies
    every    seconds: of each bucket aligned to its multiples only the last step is written
    user     users' algorithms, after the nine in that order: each is given every window, so they cost far more
    preparation  what is done to series first
    """

    profile: Profile = PROFILES["native"]
    window: int = 86400
    start: int | None = None
    end: int | None = None
    every: int | None = None
    user: tuple[UserAlgorithm, ...] = ()
    preparation: Preparation = UNPREPARED

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError(f"the window must be longer than 0 seconds, not {self.window}")
        if self.every is not None and self.every <= 0:
            raise ValueError(f"steps are thinned to one in more than 0 seconds, not {self.every}")

    def describe(self) -> dict[str, Any]:
        """What decides the steps, as JSON."""
        return {
            "profile": self.profile.name,
            "window": self.window,
            "start": self.start,
            "end": self.end,
            "every": self.every,
            "user": [one.name for one in self.user],
            "preparation": self.preparation.describe(),
        }


def replay_matrix(
    matrix: MetricMatrix, plan: ReplayPlan, overrides: Overrides | None = None, *, threads: int = 1
) -> pa.Table:
    """Replay every metric of a cleaned matrix; one row per step, metrics in order, then time.

    Columns: metric, timestamp, value, outcome, anomalous, votes, NAME_score float32 for each algorithm, ks_test_d,
    ks_test_adf (`replay_columns.step_schema`). Bytes do not depend on `threads`. Memory: the steps of the matrix.
    """
    matrix = prepare(matrix, plan.preparation).matrix
    policy_of_row = None
    policies: tuple[Policy, ...] = (Policy(),)
    if overrides is not None:
        policy_of_row = overrides.assign(matrix.metrics.to_pylist())
        policies = overrides.policies
    bounds = matrix.offsets
    series = [
        (matrix.timestamps[bounds[row] : bounds[row + 1]], matrix.values[bounds[row] : bounds[row + 1]])
        for row in range(len(matrix))
    ]
    encoded = Policies.encode(ScorePlan(plan.profile, policies=policies, user=plan.user), policy_of_row, len(series))
    names = tuple(one.name for one in plan.user)
    return table_of(matrix.metrics, _replay(series, plan, policies, encoded, threads), names)


def replay_series(
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
    plan: ReplayPlan,
    policy: Policy | None = None,
    *,
    threads: int = 1,
) -> Steps:
    """Replay one cleaned series: timestamps int64[n], ascending epoch seconds; values float64[n], finite."""
    policies = (policy or Policy(),)
    encoded = Policies.encode(ScorePlan(plan.profile, policies=policies, user=plan.user), None, 1)
    series = [(np.ascontiguousarray(timestamps, np.int64), np.ascontiguousarray(values, np.float64))]
    return _replay(series, plan, policies, encoded, threads)


@dataclass(frozen=True, slots=True)
class _Job:
    """One span of one series: points begin..end-1, written from output position `place` on."""

    t: NDArray[np.int64]
    x: NDArray[np.float64]
    wanted: NDArray[np.uint8]
    begin: int
    end: int
    place: int
    fullest: int
    policy: int


class _Room:
    """Scratch arrays of one thread, grown as fuller windows come."""

    def __init__(self) -> None:
        self.fullest = -1
        self.floats = np.empty((BLOCK_FLOATS, WIDTH))
        self.integers = np.empty((BLOCK_INTEGERS, WIDTH), np.int64)

    def fit(self, fullest: int) -> None:
        """Make room for windows of `fullest` points."""
        if fullest <= self.fullest:
            return
        self.fullest = fullest
        ranks = chunk_room(fullest)
        self.sx = np.empty(ranks + 2)
        self.chunk = np.empty((CHUNK_INTEGERS, max(ranks + 2, RADIX)), np.int64)
        self.places = np.empty((CHUNK_PLACES, ranks + 2), np.int32)
        self.scratch = np.empty(scratch_room(fullest))


_tables: Final = Tables()
_rooms: Final = threading.local()


def _replay(
    series: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]],
    plan: ReplayPlan,
    policies: tuple[Policy, ...],
    encoded: Policies,
    threads: int,
) -> Steps:
    entry = loader.entry("replay")
    switches = plan.profile.encode(plan.window)
    jobs: list[_Job] = []
    replayed: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    kept: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
    counts = np.zeros(len(series), np.int64)
    place = 0
    for row, (stamps, values) in enumerate(series):
        t, x = _folded(stamps, values) if plan.profile.last_wins else (stamps, values)
        replayed.append((t, x))
        wanted = wanted_steps(t, plan)
        at = np.flatnonzero(wanted)
        counts[row] = len(at)
        kept.append((t[at], x[at]))
        if len(at):
            fullest = len(t) if len(t) <= SHORT else _fullest(entry, t, x, wanted, switches, int(at[-1]) + 1)
            jobs += _spans(t, x, wanted, at, place, fullest, int(encoded.of_row[row]), threads)
        place += len(at)
    gated = [not is_open(policy) for policy in policies]
    steps = Steps.empty(counts, place, users=len(plan.user), gated=any(gated))
    fullest = max((job.fullest for job in jobs), default=1)
    weights = _tables.weights(fullest)
    totals, scale = _weight_sums(len(weights))
    critical = _tables.critical(encoded.alphas, np.arange(min(plan.profile.min_points, fullest), fullest + 1))

    def run(job: _Job) -> None:
        room = _room(job.fullest)
        numbers = encoded.numbers[job.policy].tolist()
        change = steps.change if gated[job.policy] else steps.change[:0]
        entry(
            job.t, job.x, job.wanted, switches, encoded.thresholds[job.policy], critical[numbers[CRITICAL_ROW]], weights, totals, scale,
            room.floats, room.integers, room.sx, room.chunk, room.places, room.scratch,
            steps.outcomes, steps.votes, steps.scores[:COLUMNS], change, steps.level,
            job.begin, job.end, job.place, numbers[MASK], int(encoded.consensus[job.policy]) - len(plan.user),
        )  # fmt: skip

    if threads > 1 and len(jobs) > 1:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(run, jobs):
                pass
    else:
        for job in jobs:
            run(job)
    steps.timestamps = np.concatenate([t for t, _ in kept]) if kept else np.empty(0, np.int64)
    steps.values = np.concatenate([x for _, x in kept]) if kept else np.empty(0)
    add_user_scores(replayed, steps, plan.user, encoded, switches, threads)
    steps.judge(policies, encoded)
    return steps


def wanted_steps(t: NDArray[np.int64], plan: ReplayPlan) -> NDArray[np.uint8]:
    """Return uint8[n]: 1 at the points whose steps are written, the last of each timestamp (or bucket) in bounds."""
    n = len(t)
    wanted = np.zeros(n, np.uint8)
    begin = 0 if plan.start is None else int(np.searchsorted(t, plan.start))
    end = n if plan.end is None else int(np.searchsorted(t, plan.end))
    if end > begin:
        stamps = t[begin:end] if plan.every is None else t[begin:end] // plan.every
        wanted[begin : end - 1] = stamps[1:] != stamps[:-1]
        wanted[end - 1] = 1
    return wanted


def _folded(t: NDArray[np.int64], x: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keep the last point of each timestamp."""
    last = np.append(t[1:] != t[:-1], True)[: len(t)]
    return (t, x) if last.all() else (t[last], x[last])


def _fullest(entry: Any, t: Any, x: Any, wanted: Any, switches: Any, end: int) -> int:
    none, floats, integers = np.empty(0), np.empty((0, 0)), np.empty((0, 0), np.int64)
    return int(
        entry(
            t, x, wanted, switches, none, none, none, none, none, floats, integers, none, integers,
            np.empty((0, 0), np.int32), none, wanted[:0], wanted[:0], np.empty((0, 0), np.float32), none, none,
            0, end, -1, 0, 0,
        )
    )  # fmt: skip


def _spans(
    t: Any, x: Any, wanted: Any, at: NDArray[np.int64], place: int, fullest: int, policy: int, threads: int
) -> Iterator[_Job]:
    """Cut a series at multiples of BLOCK, if there are threads for its pieces."""
    begin, end = int(at[0]) // BLOCK * BLOCK, int(at[-1]) + 1
    length = end - begin
    if threads > 1:
        length = max(SPAN_BLOCKS, SPAN_WINDOWS * (fullest // BLOCK + 1)) * BLOCK
    for start in range(begin, end, length):
        before = int(np.searchsorted(at, start))
        yield _Job(t, x, wanted, start, min(start + length, end), place + before, fullest, policy)


def _room(fullest: int) -> _Room:
    room: _Room | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = _Room()
    room.fit(fullest)
    return room


def _weight_sums(longest: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return by number of points, float64[longest + 1] each: the weights' sum, and what turns squares into variance."""
    decayed = DECAY ** np.arange(longest + 1, dtype=np.float64)
    totals = (1.0 - decayed) / (1.0 - DECAY)
    squares = (1.0 - decayed * decayed) / (1.0 - DECAY * DECAY)
    scale = np.zeros(longest + 1)
    scale[2:] = 1.0 / (totals[2:] * (1.0 - squares[2:] / totals[2:] ** 2))
    return totals, scale
