"""Whatever is written to series between runs: what their ends settle, a full read would settle alike."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.hostile.fleet import Fleet as HostileFleet
from rigs.hostile.promise import RUNS
from rigs.memory import Fleet, packed, pair
from twins import strategies

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.kernels.memory import layout

NATIVE = PROFILES["native"]
NEVER_STALE = 2**40
SUMMED = (
    "stddev_from_average",
    "grubbs",
    "mean_subtraction_cumulation",
    "ks_test",
    "stddev_from_moving_average",
)


def attack(seed, step, period, minutes, window=86400):
    """Run a hostile fleet; return how many rows were settled without a full read. Fails where one is settled wrongly."""
    hostile = HostileFleet(seed=seed, step=step, period=period, window=window)
    names = list(hostile.metrics)
    minute = hostile.minute()
    plan = ScorePlan(full_duration=window)
    ours = Fleet([minute.values[name] for name in names], plan, size=layout.tail_size(max(2, 2 * period // step)))
    ours.anchor(range(len(names)), minute.now)
    settled = 0
    for run in range(minutes):
        minute = hostile.minute()
        ours.stored = [minute.values[name] for name in names]
        codes = ours.ask(minute.now)
        wrong = [(names[row], minute.changes.get(names[row])) for row in ours.wrong(minute.now)]
        assert [(name, change) for name, change in wrong if not hostile.excused(name)] == []
        settled += int((codes <= layout.QUIET).sum())
        turn = np.arange(len(names)) % RUNS == run % RUNS  # every row is read in full once in so many runs
        ours.anchor(np.flatnonzero((codes >= layout.ABSENT) | turn), minute.now)
    return settled / (minutes * len(names))


@pytest.mark.parametrize(
    ("step", "period", "window"),
    [(10, 60, 14400), (60, 60, 86400), (60, 60, 7200), (300, 300, 86400), (3600, 600, 86400)],
)
def test_a_hostile_fleet_is_settled_as_a_full_read_settles_it(step, period, window):
    assert attack(11, step, period, 12, window) > 0.4


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [10, 60, 300, 3600])
def test_two_hundred_minutes_of_it(seed, step):
    assert attack(seed, step, max(step // 6, 60), 200) > 0.4


def walked(row, known, plan):
    """Anchor the first `known` points of a series and let the others come one by one; return how many rows were settled."""
    t, x = row
    ours = Fleet([packed(t[:known], x[:known])], plan)
    ours.anchor([0], int(t[known - 1]))
    settled = 0
    for i in range(known, len(t)):
        ours.stored[0] += pair(t[i], x[i])
        settled += int(ours.minute(int(t[i]))[0]) <= layout.QUIET
    return settled


limits = st.sampled_from([1.0, 1e-9, 1e-3, 0.1, 0.9, 1.1, 10.0, 1e6])


@st.composite
def policies(draw):
    """A policy of some algorithms, with thresholds of any size."""
    names = draw(st.sets(st.sampled_from(algorithm_names()), min_size=1))
    thresholds = tuple((name, 3.0 * draw(limits)) for name in sorted(names - {"grubbs"}))
    consensus = draw(st.integers(1, len(names)))
    chosen = tuple(name for name in algorithm_names() if name in names)
    return Policy(algorithms=chosen, consensus=consensus, thresholds=thresholds, stale_period=NEVER_STALE)


@examples(15)
@given(
    row=st.one_of(strategies.series(min_size=30, max_size=150), strategies.edge_series(min_size=30, max_size=150)),
    known=st.integers(1, 25),
    policy=policies(),
    window=st.sampled_from([86400, 3600, 600, 10**7]),
)
def test_any_series_under_any_policy(row, known, policy, window):
    profile = replace(NATIVE, min_points=1, boring_points=20)
    walked(row, known, ScorePlan(profile, window, policies=(policy,)))


@examples(10)
@given(row=strategies.series(min_size=40, max_size=120), nudge=st.sampled_from([-1e-9, -1e-13, 0.0, 1e-13, 1e-9]))
def test_a_vote_at_its_very_limit_is_never_taken_for_false(row, nudge):
    t = row[0]
    profile = replace(NATIVE, min_points=1, boring_points=0)
    known = len(t) - 1
    ours = Fleet([packed(*row)])
    plan = ScorePlan(profile, policies=(Policy(stale_period=NEVER_STALE),), as_of=int(t[-1]), scores=True)
    found = score_matrix(ours.judge([0], int(t[-1]))[1].cleaned, plan).to_pylist()[0]
    for name in ("stddev_from_average", "mean_subtraction_cumulation", "stddev_from_moving_average"):
        threshold = 3.0 * found[f"{name}_score"] * (1 + nudge)
        if not 0 < threshold < 1e300:
            continue
        policy = Policy(algorithms=(name,), consensus=1, thresholds=((name, threshold),), stale_period=NEVER_STALE)
        walked(row, known, ScorePlan(profile, policies=(policy,)))


def test_the_algorithms_that_sums_speak_for_are_settled_by_them():
    rng = np.random.default_rng(3)
    t = strategies.START + 60 * np.arange(400)
    for name in SUMMED:
        policy = Policy(algorithms=(name,), consensus=1, stale_period=NEVER_STALE)
        assert walked((t, rng.normal(size=400)), 300, ScorePlan(NATIVE, policies=(policy,))) > 90, name


@pytest.mark.parametrize("name", ["mean_subtraction_cumulation", "stddev_from_average", "stddev_from_moving_average"])
@pytest.mark.parametrize("height", [1e8, 1e10, 1e100, 1e160])
def test_what_an_enormous_value_leaves_behind_in_the_sums_is_not_believed(name, height):
    rng = np.random.default_rng(7)
    t = strategies.START + 60 * np.arange(130)
    policy = Policy(algorithms=(name,), consensus=1, stale_period=NEVER_STALE)
    stored = []
    for _ in range(100):
        x = rng.normal(size=130)
        x[int(rng.integers(0, 3))] = height * rng.normal()
        stored.append(packed(t, x))
    ours = Fleet(stored, ScorePlan(NATIVE, 60 * 130, policies=(policy,)))
    ours.anchor(range(100), int(t[-1]))
    for minute in range(1, 8):
        now = int(t[-1]) + 60 * minute
        ours.stored = [data + pair(now, rng.normal() * 3.0) for data in ours.stored]
        ours.ask(now)
        assert ours.wrong(now) == []


@pytest.mark.parametrize(("step", "n"), [(60, 300), (300, 100), (3600, 24), (3600, 40)])
def test_series_judged_in_their_own_steps_are_settled_in_them(step, n):
    rng = np.random.default_rng(step + n)
    policy = Policy(
        resolution_aware=True, consensus=2, algorithms=("stddev_from_average", "ks_test"), stale_period=NEVER_STALE
    )
    ours = Fleet(
        [packed(strategies.START + step * np.arange(n), rng.normal(size=n)) for _ in range(10)],
        ScorePlan(NATIVE, step * 30 if step == 3600 else 86400, policies=(policy,)),
    )
    newest = strategies.START + step * (n - 1)
    ours.anchor(range(10), newest)
    settled = 0
    for _ in range(12):
        after = step if rng.random() < 0.8 else step * int(rng.integers(2, 30))
        newest += after
        ours.stored = [data + pair(newest, rng.normal() * 2) for data in ours.stored]
        settled += int((ours.minute(newest) == layout.SETTLED).sum())
        assert set(ours.minute(newest + 30).tolist()) <= {layout.QUIET, layout.READ_UNDECIDED, layout.READ_QUEUE}
    assert settled > 50
