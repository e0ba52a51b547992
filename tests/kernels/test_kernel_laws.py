"""Every algorithm against its readable twin, and the laws that scores obey whatever the data."""

import math
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
from ridgeline.engine.score.graded import GRADED
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.kernels.shared.compress import BELOW, compress, compress_plain
from ridgeline.kernels.shared.median import median
from ridgeline.kernels.shared.summary import ratio

NEVER_STALE = (Policy(stale_period=2**62),)


def scores_of(row, profile="native"):
    """Votes and scores of one series by column name, whatever its length."""
    plan = ScorePlan(
        profile=replace(PROFILES[profile], min_points=1, boring_points=0),
        as_of="last",
        policies=NEVER_STALE,
        scores=True,
    )
    return score_matrix(matrix_of(row), plan).to_pylist()[0]


@examples(60)
@given(row=strategies.series(), profile=st.sampled_from(list(PROFILES)))
def test_scores_are_the_readable_twins(row, profile):
    found = scores_of(row, profile)
    for name in OURS:
        expected = expected_score(name, *row, profile, 86400)
        assert agree(name, found[f"{name}_score"], found[name], expected), (name, found[f"{name}_score"], expected)


@given(row=strategies.series(min_size=2), power=st.integers(-30, 30))
def test_native_does_not_depend_on_the_unit(row, power):
    t, x = row
    assert only_scores(scores_of((t, x * 2.0**power))) == only_scores(scores_of(row))


@given(row=strategies.series(min_size=2), seconds=st.integers(-(10**7), 10**7))
def test_native_does_not_depend_on_the_date(row, seconds):
    t, x = row
    assert only_scores(scores_of((t + seconds, x))) == only_scores(scores_of(row))


@given(st.lists(st.integers(-1000, 1000), min_size=30, max_size=200), st.sampled_from([1, -7, 4096, 10**6, 2**40]))
def test_native_does_not_depend_on_the_level(values, level):
    x = np.array(values, dtype=np.float64)
    t = strategies.START + 60 * np.arange(len(x))
    here, there = only_scores(scores_of((t, x))), only_scores(scores_of((t, x + level)))
    for name in here:
        # Bin edges are rounded at the level of the values, and noise is judged by it.
        if name.startswith(("histogram_bins", "least_squares", *GRADED)):
            continue
        assert there[name] == pytest.approx(here[name], rel=1e-6), name


@given(row=strategies.series(min_size=2))
def test_native_sees_drops_as_it_sees_rises(row):
    t, x = row
    here, there = only_scores(scores_of((t, x))), only_scores(scores_of((t, -x)))
    for name in here:
        if not name.startswith(("histogram_bins", "ks_test", *GRADED)):
            assert there[name] == pytest.approx(here[name], rel=1e-9, abs=1e-9 if "least" not in name else 0.9), name


@pytest.mark.parametrize(
    ("deviation", "limit", "score"),
    [
        (2.0, 4.0, 0.5), (1.0, 0.0, math.inf), (0.0, 0.0, 0.0), (1.0, math.nan, 0.0), (math.nan, 1.0, 0.0),
        (math.inf, math.inf, 0.0), (math.inf, 1.0, math.inf), (1.0, math.inf, 0.0), (-1.0, 1.0, 0.0),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_scores_nothing(deviation, limit, score):
    assert ratio(deviation, limit) == score


def only_scores(row):
    return {key: value for key, value in row.items() if key.endswith("_score")}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("value", [1e308, 1e-308, 5e-324, 0.0, -1e154, 1e15])
def test_extreme_values_end_in_a_verdict(profile, value):
    rng = np.random.default_rng(1)
    t = strategies.START + 60 * np.arange(200)
    with np.errstate(over="ignore"):
        spread = value * rng.normal(size=200)
    for x in (np.full(200, value), np.where(rng.random(200) < 0.5, value, 0.0), spread):
        row = scores_of((t, np.nan_to_num(x, posinf=1e308, neginf=-1e308)), profile)
        failed = {"histogram_bins"} if profile in {"earthgecko_batch", "etsy"} else set()
        assert set(row["failed"]) <= failed
        assert all(row[name] is not None for name in algorithm_names() if name not in failed)


@given(row=strategies.series(), low=st.floats(-10, 10), width=st.floats(0, 10))
def test_compressing_by_lanes_copies_what_the_plain_form_copies(row, low, width):
    _, x = row
    fast, plain = np.zeros(len(x) + 8), np.zeros(len(x) + 8)
    below, kept = compress(x, low, low + width, fast)
    total = compress_plain(x, 0, low, low + width, plain)
    assert (below, kept) == (total // BELOW, total % BELOW)
    assert fast[:kept].tobytes() == plain[:kept].tobytes()


@examples(60)
@given(row=strategies.series(max_size=1500))
def test_the_median_is_exact(row):
    _, x = row
    before = x.copy()
    assert median(x, np.zeros(8 * len(x) + 4096)) == np.median(x)
    assert x.tobytes() == before.tobytes()


def test_the_median_of_adversaries_is_exact():
    scratch = np.zeros(40_000)
    for n in (33, 100, 999, 1440):
        ramp = np.arange(n, dtype=np.float64)
        killer = np.concatenate([ramp[::2], ramp[1::2][::-1]])
        for x in (ramp, ramp[::-1].copy(), killer, ramp % 2, np.exp(ramp / 10), 1e300 * (ramp % 3 - 1), ramp * 5e-324):
            assert median(x, scratch) == np.median(x)
