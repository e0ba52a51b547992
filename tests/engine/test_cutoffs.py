"""`cutoffs`: an algorithm votes where its score is above its own, the same wherever votes are cast."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import strategies
from twins.agreement import OURS, expected_score, matrix_of

import ridgeline
from ridgeline.engine.replay.judging import divided
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import replay_series
from ridgeline.engine.rules.overrides import Override, Overrides
from ridgeline.engine.rules.policy import Policy, cutoffs_of
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names

START = 1_700_000_000
LIMITS = st.sampled_from([1e-9, 0.05, 0.4, 0.9, 0.999, 1.001, 1.3, 2.0, 8.0, 1e300]) | st.floats(0.1, 5.0)
CUTOFFS = st.dictionaries(st.sampled_from(algorithm_names()), LIMITS, max_size=9)


def policy_of(cutoffs, **others):
    return Policy(cutoffs=cutoffs_of(cutoffs.items()), **others)


def scored(matrix, *policies, profile="native", scores=False, of_row=None):
    plan = ScorePlan(PROFILES[profile], as_of="last", policies=policies, scores=scores)
    return score_matrix(matrix, plan, of_row).to_pylist()


@examples(25)
@pytest.mark.parametrize("profile", sorted(PROFILES))
@given(series=strategies.series(min_size=100, max_size=200), cutoffs=CUTOFFS, threshold=LIMITS | st.just(1.0))
def test_a_vote_is_a_score_above_its_cutoff(profile, series, cutoffs, threshold):
    matrix = matrix_of(series)
    (plain,) = scored(matrix, Policy(), profile=profile, scores=True)
    policy = policy_of(cutoffs, rule_threshold=threshold)
    (told,) = scored(matrix, policy, profile=profile, scores=True)
    (votes,) = scored(matrix, policy, profile=profile)
    assert all(votes[name] in {told[name], None} for name in algorithm_names())
    assert votes["anomalous"] == told["anomalous"]
    if plain["outcome"] != "analysed":
        return
    for name in algorithm_names():
        score = plain[f"{name}_score"]
        limit = min(max(cutoffs.get(name, 1.0) * threshold, sys.float_info.min), sys.float_info.max)
        if score is None:
            assert told[name] is told[f"{name}_score"] is None
            continue
        assert told[name] == (score > limit)
        assert told[f"{name}_score"] == score / limit
        if name in OURS and name != "least_squares":
            expected = expected_score(name, *series, profile, 86400)
            assert told[name] == (expected > limit) or abs(expected - limit) <= 1e-6 * max(limit, 1.0)
    ranked = sorted((told[f"{name}_score"] or 0.0 for name in algorithm_names()), reverse=True)
    assert told["consensus_score"] == ranked[5]
    assert (told["consensus_score"] > 1) == (told["votes"] >= 6)


def fleet(rows, seed=3):
    rng = np.random.default_rng(seed)
    t = START + 60 * np.arange(300)
    return matrix_of(*((t, rng.normal(size=300) + 9 * (np.arange(300) > 297) * (k % 3)) for k in range(rows)))


def test_policies_with_and_without_them_share_a_matrix():
    matrix, of_row = fleet(40), np.arange(40, dtype=np.int32) % 3
    policies = (Policy(), policy_of({"grubbs": 1.5, "histogram_bins": 0.5}), policy_of({"ks_test": 0.2}))
    together = scored(matrix, *policies, of_row=of_row)
    for place, policy in enumerate(policies):
        alone = scored(matrix, policy)
        assert [row for k, row in enumerate(together) if k % 3 == place] == alone[place::3]
    assert scored(matrix, policy_of({"grubbs": 1.0})) == scored(matrix, Policy())


def test_a_cutoff_of_an_algorithm_that_is_switched_off_changes_nothing():
    some = tuple(name for name in algorithm_names() if name != "grubbs")
    plain, cut = Policy(algorithms=some), policy_of({"grubbs": 9.0}, algorithms=some)
    assert not cut.cut
    assert scored(fleet(6), cut) == scored(fleet(6), plain)


def test_the_threshold_of_a_consensus_is_one_of_its_score():
    matrix = fleet(60)
    plain = scored(matrix, Policy(), scores=True)
    for threshold in (0.25, 0.8, 1.2, 3.0):
        told = scored(matrix, Policy(rule_threshold=threshold), scores=True)
        assert [row["consensus_score"] for row in told] == [row["consensus_score"] / threshold for row in plain]
        assert [row["anomalous"] for row in told] == [row["consensus_score"] > threshold for row in plain]
    assert not Policy(rule="pages", rule_threshold=3.0).cut, "another rule's threshold is none of the algorithms'"


@pytest.mark.parametrize("threshold", [5e-324, 1e-40, 0.3, 1.0, 7.0, 1e300])
def test_a_rules_score_over_any_threshold_keeps_its_side_of_one(threshold):
    scores = np.array([0.0, 1e-30, 0.3, np.nextafter(np.float32(0.3), 1), 1.0, 7.0, 1e6], np.float32)
    with np.errstate(all="raise", under="ignore"):
        found = divided(scores, threshold)
    assert found.dtype == np.float32
    assert (found > 1).tolist() == (scores.astype(np.float64) > threshold).tolist()


@ridgeline.algorithm(summary="The newest value.")
def newest(t, x, as_of, scratch):
    return x[-1]


def test_users_algorithms_have_them_too():
    t, x = START + 60 * np.arange(150), np.arange(150.0) % 7
    policies = [policy_of({"newest": c}, consensus=1, algorithms=("newest",)) for c in (1.0, 1.9, 2.0, 2.1, 5e-324)]
    matrix = matrix_of(*[(t, x)] * 5)
    plan = ScorePlan(as_of="last", policies=tuple(policies), scores=True, user=(newest,))
    rows = score_matrix(matrix, plan, np.arange(5, dtype=np.int32)).to_pylist()
    assert [row["newest"] for row in rows] == [True, True, False, False, True]
    assert [row["newest_score"] for row in rows] == [2.0, 2.0 / 1.9, 1.0, 2.0 / 2.1, 2.0 / sys.float_info.min]
    for policy, row in zip(policies, rows, strict=True):
        steps = replay_series(t, x, ReplayPlan(user=(newest,)), policy)
        assert steps.anomalous[-1] == row["anomalous"]
        with np.errstate(over="ignore"):
            assert steps.scores[-1, -1] == np.float32(row["newest_score"])


def test_overrides_give_each_metric_its_own():
    entries = [Override(".*", cutoffs=(("grubbs", 2.0), ("ks_test", 0.5))), Override("m1", cutoffs=(("grubbs", 1.0),))]
    overrides = Overrides(Policy(cutoffs=(("histogram_bins", 3.0),)), entries)
    assert overrides.policy("m1").cutoffs == (("histogram_bins", 3.0), ("ks_test", 0.5))
    assert overrides.policy("m2").cutoffs == (("grubbs", 2.0), ("histogram_bins", 3.0), ("ks_test", 0.5))
