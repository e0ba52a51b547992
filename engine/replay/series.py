"""Every step of many series, judged by the algorithms: kernels do the work (`kernels.replay`), span by span."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.asks import Asks
from ridgeline.engine.replay.pages import Pages
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.spans import Series, Span, Wanted, room_for, spans_of
from ridgeline.engine.replay.steps import Steps
from ridgeline.engine.replay.users import add_user_scores
from ridgeline.engine.replay.variants import Points, variants_of
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.gate import is_open
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.reach import windows_at
from ridgeline.engine.score.resolution import scaled, units_of
from ridgeline.engine.score.tables import Tables, weight_sums
from ridgeline.engine.score.threads import each
from ridgeline.io.ordered import distinct
from ridgeline.kernels.native import loader
from ridgeline.kernels.replay.layout import COLUMNS
from ridgeline.kernels.score.layout import CRITICAL_ROW, MASK
from ridgeline.kernels.shared.switches import MIN_POINTS

_tables: Final = Tables()


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What became of n steps.

    steps      of the metrics, in order, then of time
    series     those that steps were judged by, and `policies`, how each of these was judged
    order      int64[n]: place of each step where they lie series by series; None: just so
    """

    steps: Steps
    series: Sequence[Series]
    policies: Policies
    order: NDArray[np.int64] | None = None

    @property
    def of_step(self) -> NDArray[np.int32]:
        """The place of the series by which each step was judged: int32[n]."""
        counts = [int(np.count_nonzero(one.wanted)) for one in self.series]
        owner = np.repeat(np.arange(len(self.series), dtype=np.int32), counts)
        return owner if self.order is None else owner[self.order]

    def together(self, owners: NDArray[np.int64], metrics: int) -> Replayed:
        """Return the steps of series that belong together as one metric's, in order of time.

        owners int64[series], ascending: the metric of each; metrics: how many there are, some perhaps without steps.
        """
        owner = np.repeat(owners, self.steps.counts)
        order = np.lexsort((self.steps.timestamps, owner))
        counts = np.bincount(owner, minlength=metrics)
        return replace(self, steps=self.steps.in_order(order, counts), order=order)


def replay_series(
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
    plan: ReplayPlan,
    policy: Policy | None = None,
    *,
    threads: int = 1,
) -> Steps:
    """Replay one cleaned series: timestamps int64[n], ascending epoch seconds; values float64[n], finite."""
    points = [(np.ascontiguousarray(timestamps, np.int64), np.ascontiguousarray(values, np.float64))]
    return replay_points(points, plan, (policy or Policy(),), None, None, None, threads).steps


def replay_points(
    points: Sequence[Points],
    plan: ReplayPlan,
    policies: tuple[Policy, ...],
    policy_of_row: NDArray[np.int32] | None,
    starts: NDArray[np.int64] | None,
    asks: Asks | None,
    threads: int,
    pages: Pages | None = None,
) -> Replayed:
    """Replay series of points by policies[policy_of_row] each, asked of preparation as `asks` say; else as `replay_rows`."""
    score_plan = ScorePlan(plan.profile, full_duration=plan.window, policies=policies, user=plan.user)
    encoded = Policies.encode(score_plan, policy_of_row, len(points))
    series, owners, switches = [], [], plan.profile.encode()
    for row, (t, x) in enumerate(points):
        start, ask = None if starts is None else int(starts[row]), 0 if asks is None else int(asks[row])
        found = list(_series(t, x, plan, encoded, switches, row, start, ask))
        series += found
        owners += [row] * len(found)
    encoded = encoded.only(np.array(owners, np.int64))  # from here on a row is a series
    entry = loader.entry("replay")
    wanted = [Wanted.of(one) for one in series]
    counts = np.array([steps.count for steps in wanted], np.int64)
    places = np.concatenate([[0], np.cumsum(counts)]).tolist()
    spans = [
        span
        for one, some, place in zip(series, wanted, places, strict=False)
        if some.count
        for span in spans_of(entry, one, some, place, threads)
    ]
    gated = [not is_open(policy) for policy in policies]
    steps = Steps.empty(counts, places[-1], pages or Pages(), users=len(plan.user), gated=any(gated))
    fullest = max((span.fullest for span in spans), default=1)
    shortest = min((int(one.switches[MIN_POINTS]) for one in series), default=1)
    weights = _tables.weights(fullest)
    totals, scale = weight_sums(len(weights))
    critical = _tables.critical(encoded.alphas, np.arange(min(shortest, fullest), fullest + 1))

    def run(span: Span) -> None:
        room, one = room_for(span.fullest), span.series
        numbers = encoded.numbers[one.policy].tolist()
        change = steps.change if gated[one.policy] else steps.change[:0]
        entry(
            one.t, one.x, one.wanted, one.switches, encoded.thresholds[one.policy], encoded.cutoffs[one.policy],
            critical[numbers[CRITICAL_ROW]],
            weights, totals, scale, room.floats, room.integers, room.sx, room.chunk, room.places, room.scratch,
            steps.outcomes, steps.votes, steps.scores[:COLUMNS], change, steps.level, span.begin, span.end, span.place,
            numbers[MASK], int(encoded.consensus[one.policy]) - len(plan.user), one.seconds,
        )  # fmt: skip

    each(run, spans, threads)
    if series:
        steps.timestamps = _joined([some.of_points(one.t) for one, some in zip(series, wanted, strict=True)])
        steps.values = _joined([some.of_points(one.x) for one, some in zip(series, wanted, strict=True)])
    add_user_scores(series, steps, plan, encoded, threads)
    steps.judge(policies, encoded)
    replayed = Replayed(steps, series, encoded)
    if owners == list(range(len(points))):
        return replayed
    return replayed.together(np.array(owners, np.int64), len(points))


def _joined(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The pieces one after another; a single one as it is."""
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def _series(
    t: NDArray[np.int64],
    x: NDArray[np.float64],
    plan: ReplayPlan,
    policies: Policies,
    switches: NDArray[np.int64],
    row: int,
    start: int | None,
    ask: int,
) -> Iterator[Series]:
    """One row as replayed; of equal timestamps the last point alone is kept where the profile says so.

    Without anything asked for it is one series; else those by which some steps are judged.
    """
    if plan.profile.last_wins:
        differs = t[1:] != t[:-1]
        if not differs.all():
            last = np.append(differs, True)
            t, x = t[last], x[last]
    policy = int(policies.of_row[row])
    aware = bool(policies.aware[policy])
    windows = windows_at(t, int(policies.full_duration[policy]), int(policies.reach[policy]))
    lengths = distinct(windows).tolist() or [int(policies.full_duration[policy])]
    for window in lengths:
        for one_t, one_x, wanted in variants_of((t, x), ask, plan, window, start):
            whole = Series(one_t, one_x, wanted, policy, window, switches)
            if len(lengths) > 1:
                _keep(whole, windows[np.searchsorted(t, one_t, "right") - 1] == window)
            yield from _by_unit(whole) if aware else (whole,)


def _keep(series: Series, chosen: NDArray[np.bool_]) -> None:
    """Write only the chosen ones of the steps."""
    series.wanted[~chosen] = 0


def _by_unit(whole: Series) -> Iterator[Series]:
    """The same series once for each unit that its windows have, for the steps whose windows have it."""
    at = np.flatnonzero(whole.wanted)
    units = units_of(whole.t, np.searchsorted(whole.t, whole.t[at] - whole.seconds, "right"), at)
    for unit in distinct(units).tolist():
        wanted = np.zeros_like(whole.wanted)
        wanted[at[units == unit]] = 1
        yield replace(whole, wanted=wanted, switches=scaled(whole.switches, unit, whole.seconds))
