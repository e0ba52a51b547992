"""Windows of a row's own: in `score`, in `replay` and for users' algorithms, each row as if it were alone with its own."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import ks as oracle_ks
from twins import strategies
from twins.agreement import OURS, agree, expected_score, matrix_of

from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan

WINDOWS = st.sampled_from([1, 60, 3600, 3601, 7200, 7260, 12000, 86400, 10**6])
ANY_LENGTH = {"min_points": 1, "boring_points": 0}


def span(t, x, as_of, scratch):
    return (t[-1] - t[0]) / 3600.0


SPAN = UserAlgorithm("span", "Hours between the oldest and the newest point.", 1, span)


@examples(30)
@given(
    rows=st.lists(strategies.series(max_size=200), min_size=2, max_size=4),
    windows=st.lists(WINDOWS, min_size=4, max_size=4),
    profile=st.sampled_from(list(PROFILES)),
)
def test_votes_and_scores_are_the_twins_of_each_rows_window(rows, windows, profile):
    policies = tuple(Policy(stale_period=2**62, full_duration=seconds) for seconds in windows)
    plan = ScorePlan(profile=replace(PROFILES[profile], **ANY_LENGTH), as_of="last", policies=policies, scores=True)
    found = score_matrix(matrix_of(*rows), plan, np.arange(len(rows))).to_pylist()
    for (t, x), seconds, row in zip(rows, windows, found, strict=False):
        for name in OURS:
            expected = expected_score(name, t, x, profile, seconds)
            assert agree(name, row[f"{name}_score"], row[name], expected), (name, row[f"{name}_score"], expected)
        if profile == "earthgecko":
            assert row["ks_test"] in (oracle_ks.ks_test(t, x, int(t[-1]), daily=False), False)


@examples(20)
@given(
    rows=st.lists(strategies.series(min_size=60, max_size=250), min_size=2, max_size=3),
    windows=st.lists(WINDOWS, min_size=3, max_size=3),
    profile=st.sampled_from(list(PROFILES)),
    scores=st.booleans(),
)
def test_a_window_of_ones_own_is_the_plans_for_that_row_alone(rows, windows, profile, scores):
    policies = tuple(Policy(full_duration=seconds) for seconds in windows)
    options = {"profile": PROFILES[profile], "as_of": "last", "scores": scores}
    found = score_matrix(matrix_of(*rows), ScorePlan(policies=policies, **options), np.arange(len(rows)))
    alone = [
        score_matrix(matrix_of(row), ScorePlan(full_duration=seconds, **options)).to_pylist()[0] | {"metric": f"m{at}"}
        for at, (row, seconds) in enumerate(zip(rows, windows, strict=False))
    ]
    assert found.to_pylist() == alone


class Windows(Overrides):
    """Rows by their place: the k-th has the k-th policy."""

    def __init__(self, policies):
        super().__init__(policies[0])
        self._policies = list(policies)

    def assign(self, names):
        return np.arange(len(list(names)), dtype=np.int32)


@examples(20)
@given(
    rows=st.lists(strategies.series(min_size=100, max_size=250), min_size=3, max_size=3),
    windows=st.lists(WINDOWS, min_size=3, max_size=3),
    profile=st.sampled_from(list(PROFILES)),
)
def test_a_replay_with_a_window_of_ones_own_is_the_plans_for_that_row_alone(rows, windows, profile):
    policies = tuple(Policy(full_duration=seconds) for seconds in windows)
    found = replay_matrix(matrix_of(*rows), ReplayPlan(PROFILES[profile]), Windows(policies), threads=2)
    alone = pa.concat_tables(
        replay_matrix(matrix_of(row), ReplayPlan(PROFILES[profile], window=seconds))
        for row, seconds in zip(rows, windows, strict=True)
    )
    assert found.drop_columns("metric").equals(alone.drop_columns("metric"))


@examples(20)
@given(
    rows=st.lists(strategies.series(min_size=100, max_size=250), min_size=3, max_size=3),
    shares=st.lists(st.floats(0, 1.1), min_size=3, max_size=3),
    plan_start=st.sampled_from([None, strategies.START + 6000]),
)
def test_steps_before_a_start_of_ones_own_are_only_warmed(rows, shares, plan_start):
    matrix = matrix_of(*rows)
    starts = np.array([int(t[0] + share * (t[-1] - t[0])) for (t, _), share in zip(rows, shares, strict=True)])
    plan = ReplayPlan(window=20000, start=plan_start)
    found = replay_matrix(matrix, plan, starts=starts)
    whole = replay_matrix(matrix, plan)
    first = dict(zip(("m0", "m1", "m2"), starts.tolist(), strict=True))
    kept = [
        stamp >= first[name]
        for name, stamp in zip(*whole.select(["metric", "timestamp"]).to_pydict().values(), strict=True)
    ]
    assert found.equals(whole.filter(pa.array(kept, pa.bool_())))


def test_a_start_deep_in_a_long_history_changes_no_score():
    rng = np.random.default_rng(1)
    t = strategies.START + 60 * np.arange(9000)
    matrix = matrix_of((t, rng.normal(size=9000)), (t, rng.integers(0, 9, 9000) * 1.0))
    whole = replay_matrix(matrix, ReplayPlan())
    found = replay_matrix(matrix, ReplayPlan(), starts=t[[7000, 2500]], threads=2)
    assert found.num_rows == 2000 + 6500
    assert found.equals(pa.concat_tables([whole.slice(7000, 2000), whole.slice(9000 + 2500)]))


@pytest.mark.parametrize("profile", ["native", "earthgecko"])
def test_users_algorithms_see_the_rows_own_window(profile):
    t = strategies.START + 60 * np.arange(300)
    rows = [(t, np.arange(300.0))] * 3
    windows = (60, 3600, 7200)
    policies = tuple(
        Policy(1, ("span",), stale_period=10**9, thresholds=(("span", 0.5),), full_duration=w) for w in windows
    )
    plan = ScorePlan(
        profile=replace(PROFILES[profile], **ANY_LENGTH), as_of="last", policies=policies, scores=True, user=(SPAN,)
    )
    found = score_matrix(matrix_of(*rows), plan, np.arange(3))
    expected = [0.0, 59 / 60, 119 / 60] if profile == "native" else [299 / 60] * 3
    assert found["span_score"].to_pylist() == pytest.approx([2 * hours for hours in expected])
    steps = replay_matrix(
        matrix_of(*rows), ReplayPlan(replace(PROFILES[profile], **ANY_LENGTH), user=(SPAN,)), Windows(policies)
    )
    last = steps.take([299, 599, 899])["span_score"].to_pylist()
    assert last == pytest.approx([0.0, 2 * 59 / 60, 2 * 119 / 60]), (
        "a replay's series is its window, whatever the profile"
    )
