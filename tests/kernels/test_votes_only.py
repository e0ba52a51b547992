"""Votes without scores: the paths that stop as soon as a vote is sure, against the readable twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import strategies
from twins.agreement import OURS, agree, expected_score, matrix_of

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names

EVERY = algorithm_names()
# One policy for each algorithm alone: a consensus of one, so that early exit comes at the first False.
ALONE = tuple(Policy(1, (name,), stale_period=2**62) for name in EVERY)


def any_length(profile):
    return replace(PROFILES[profile], min_points=1, boring_points=0)


def votes(row, profile, full_duration=86400):
    """By way of asking, the vote of each algorithm: early exit, all votes, all scores."""
    options = {"profile": any_length(profile), "as_of": "last", "full_duration": full_duration}
    one = score_matrix(matrix_of(*[row] * len(EVERY)), ScorePlan(policies=ALONE, **options), np.arange(len(EVERY)))
    early = {name: verdict[name] for name, verdict in zip(EVERY, one.to_pylist(), strict=True)}
    policies = (Policy(stale_period=2**62),)
    ways = {"early exit": early}
    for way, more in (("all votes", {"all_votes": True}), ("scores", {"scores": True})):
        ways[way] = score_matrix(matrix_of(row), ScorePlan(policies=policies, **more, **options)).to_pylist()[0]
    return ways


@examples(60)
@given(
    row=st.one_of(strategies.series(max_size=40), strategies.series(max_size=250)),
    profile=st.sampled_from(list(PROFILES)),
    full_duration=st.sampled_from([3600, 7200, 86400]),
)
def test_every_way_of_asking_gives_the_twins_vote(row, profile, full_duration):
    ways = votes(row, profile, full_duration)
    for name in OURS:
        expected = expected_score(name, *row, profile, full_duration)
        for way, verdict in ways.items():
            failed = np.isnan(expected)
            found = None if verdict[name] is None else 2.0 if verdict[name] else 0.0
            # Where the twin is within rounding of 1, or of a straight line, either vote is right.
            assert (found is None) == failed, (way, name)
            if not failed and abs(expected - 1) > 1e-9 and agree(name, expected, expected > 1, expected):
                assert verdict[name] == ways["scores"][name], (way, name)
                if not (name == "least_squares" and max(expected, ways["scores"][f"{name}_score"]) < 0.9):
                    assert verdict[name] == (expected > 1), (way, name, expected)
    assert {name: ways["early exit"][name] for name in EVERY} == {name: ways["scores"][name] for name in EVERY}
    assert {name: ways["all votes"][name] for name in EVERY} == {name: ways["scores"][name] for name in EVERY}


def short_rows(rng, count):
    """Short series on which a middle is easily missed: even and odd, ties, two levels, a spike in the newest point."""
    for _ in range(count):
        n = int(rng.integers(1, 24))
        x = rng.integers(-3, 4, n) * 1.0 if rng.random() < 0.6 else rng.normal(size=n)
        if rng.random() < 0.5:
            x[-1] = rng.integers(-25, 26)
        yield strategies.START + 60 * np.arange(n), x


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [6.0, 2.0, 1.0])
def test_median_absolute_deviation_of_short_series_votes_as_numpy_does(seed, threshold):
    rows = list(short_rows(np.random.default_rng(seed), 1500))
    policy = Policy(1, ("median_absolute_deviation",), (("median_absolute_deviation", threshold),), stale_period=2**62)
    options = {"profile": any_length("native"), "as_of": "last", "policies": (policy,)}
    expected = []
    for _, x in rows:
        deviations = np.abs(x - np.median(x))
        mad = np.median(deviations)
        expected.append(bool(mad > 0 and deviations[-1] / mad > threshold))
    assert sum(expected) > 100
    for more in ({}, {"all_votes": True}, {"scores": True}):
        found = score_matrix(matrix_of(*rows), ScorePlan(**more, **options))["median_absolute_deviation"].to_pylist()
        wrong = [k for k, (vote, want) in enumerate(zip(found, expected, strict=True)) if vote != want]
        assert not wrong, (more, rows[wrong[0]][1], expected[wrong[0]])
