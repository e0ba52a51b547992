"""The one gate of direction and smallest change, at its very limits, and that `score` and `replay` both go through it."""

import numpy as np
import pytest
from twins import strategies
from twins.agreement import matrix_of

from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.gate import held_back, is_open
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names

CHANGE = np.array([-10.0, -0.0, 0.0, 5.0, 10.0, np.nextafter(10.0, 0.0)])
LEVEL = np.full(6, -100.0)


@pytest.mark.parametrize(
    ("policy", "wrong", "small"),
    [
        (Policy(), [], []),
        (Policy(direction="up"), [0], []),
        (Policy(direction="down"), [3, 4, 5], []),
        (Policy(min_change=10.0), [], [1, 2, 3, 5]),
        (Policy(min_change_relative=0.1), [], [1, 2, 3, 5]),
        (Policy(min_change=2.0, min_change_relative=0.05), [], [1, 2]),
        (Policy(min_change=np.nextafter(10.0, 11.0)), [], [0, 1, 2, 3, 4, 5]),
        (Policy(direction="up", min_change=10.0), [0], [1, 2, 3, 5]),
        (Policy(min_change=5e-324), [], [1, 2]),
    ],
)
def test_a_change_of_nothing_goes_no_way_and_the_least_change_is_large_enough(policy, wrong, small):
    back = held_back(policy, CHANGE, LEVEL)
    assert [np.flatnonzero(rows).tolist() for rows in back] == [wrong, small]
    assert is_open(policy) == (policy == Policy())


def series(tail):
    """Zeros and a few fives, then a tail of three: its mean less the series' is exact in sixteenths."""
    x = np.zeros(256)
    x[:253:23] = 5.0
    x[-3:] = tail
    x[0] -= x.sum() - 64.0
    return strategies.START + 60 * np.arange(256), x


@pytest.mark.parametrize(("least", "kept"), [(29.75, True), (np.nextafter(29.75, 30.0), False)])
@pytest.mark.parametrize("relative", [False, True])
def test_score_and_replay_gate_at_the_same_limit(least, kept, relative):
    matrix = matrix_of(series(30.0))  # mean 0.25, tail 30
    limits = {"min_change_relative": least / 0.25} if relative else {"min_change": least}
    policy = Policy(consensus=1, algorithms=algorithm_names(), direction="up", **limits)
    verdict = score_matrix(matrix, ScorePlan(as_of="last", policies=(policy,)))
    assert verdict["votes"][0].as_py() >= 4
    assert verdict["anomalous"].to_pylist() == [kept]
    assert verdict["reason"].to_pylist() == [None if kept else "min_change"]
    step = replay_matrix(matrix, ReplayPlan(), Overrides(policy)).slice(255)
    assert step["anomalous"].to_pylist() == [kept]


def test_no_change_at_all_is_taken_back_by_no_direction():
    """The tail's mean is the series' own to the last bit, and yet it lies far from the first hour's."""
    x = np.zeros(257)
    x[:60] = 5.0
    x[60:119] = -4.0
    x[119] = -0.5
    x[-3:] = 400.25, -399.75, 0.25
    matrix = matrix_of((strategies.START + 60 * np.arange(257), x))
    for direction in ("up", "down", "both"):
        policy = Policy(consensus=1, algorithms=algorithm_names(), direction=direction, full_duration=60 * 257)
        verdict = score_matrix(matrix, ScorePlan(as_of="last", policies=(policy,))).to_pylist()[0]
        assert verdict["first_hour_average"]
        assert verdict["anomalous"], direction
        step = replay_matrix(matrix, ReplayPlan(), Overrides(policy)).slice(256)
        assert step["anomalous"].to_pylist() == [True], direction
