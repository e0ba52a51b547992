"""Graded scores: the k-th largest and the mean, in `score --scores` and in every step of a replay."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples

import ridgeline
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override, Overrides
from ridgeline.engine.score.graded import algorithms_among, graded
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.scorer import base_policy
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.grades.layout import BLOCK

START = 1_700_000_000


def slowly(scores, consensus):
    """The k-th largest and the mean of min(score, 3), of one row at a time; what failed counts as 0."""
    rows = [[0.0 if np.isnan(score) else float(score) for score in row] for row in np.array(scores).T]
    return [sorted(row)[-consensus] for row in rows], [sum(min(score, 3.0) for score in row) / len(row) for row in rows]


@examples(30)
@given(
    algorithms=st.integers(1, 12), rows=st.sampled_from([0, 1, 7, BLOCK, BLOCK + 3]), seed=st.integers(0, 999),
    dtype=st.sampled_from([np.float32, np.float64]), data=st.data(),
)  # fmt: skip
def test_they_are_the_twins(algorithms, rows, seed, dtype, data):
    rng = np.random.default_rng(seed)
    consensus = data.draw(st.integers(1, algorithms))
    scores = rng.exponential(1, (algorithms, rows)).astype(dtype)
    scores[rng.random(scores.shape) < 0.1] = np.nan
    scores[rng.random(scores.shape) < 0.05] = np.inf
    before = scores.copy()
    kth, mean = graded(scores, consensus)
    assert kth.dtype == mean.dtype == dtype
    assert np.array_equal(scores, before, equal_nan=True)
    want = slowly(scores, consensus)
    assert kth.tolist() == want[0]
    assert mean.tolist() == pytest.approx(want[1], rel=1e-5)


def fleet():
    rng = np.random.default_rng(8)
    rows = [rng.normal(100, 5, 400) for _ in range(6)]
    for at, row in enumerate(rows):
        row[397:] += 12 * at
    stamps = START + 60 * np.arange(400)
    offsets = np.arange(7) * 400
    names = pa.array([f"m{at}" for at in range(6)])
    return MetricMatrix.from_columns(names, offsets, np.tile(stamps, 6), np.concatenate(rows))


OVERRIDES = (Override("m1", consensus=2), Override("m2", consensus=2, algorithms=("grubbs", "least_squares")))


def test_a_consensus_is_reached_exactly_where_the_score_is_above_1():
    given_ = [
        {"match": "m1", "consensus": 2},
        {"match": "m2", "consensus": 2, "algorithms": ["grubbs", "least_squares"]},
    ]
    found = ridgeline.score(fleet(), as_of="last", scores=True, overrides=given_).to_pylist()
    assert [row["consensus_score"] > 1 for row in found] == [row["anomalous"] for row in found]
    assert 0 < sum(row["anomalous"] for row in found) < 6
    for row, consensus in zip(found, (6, 2, 2, 6, 6, 6), strict=True):
        known = [[row[f"{name}_score"]] for name in algorithm_names() if row[f"{name}_score"] is not None]
        (kth,), (mean,) = slowly(known, consensus)
        assert row["consensus_score"] == kth
        assert row["mean_score"] == pytest.approx(mean)
    plain = ridgeline.score(fleet(), as_of="last")
    assert not {"consensus_score", "mean_score"} & set(plain.column_names if hasattr(plain, "column_names") else ())
    short = ridgeline.score(fleet(), as_of=START + 60, scores=True).to_pylist()
    assert {(row["outcome"], row["consensus_score"], row["mean_score"]) for row in short} == {("too_short", None, None)}


def test_every_step_of_a_replay_has_them():
    analysis = Analysis()
    steps = replay_matrix(fleet(), ReplayPlan(), Overrides(base_policy(analysis, algorithm_names()), OVERRIDES))
    rows = steps.to_pylist()
    analysed = [row for row in rows if row["outcome"] == "analysed"]
    assert len(analysed) == 6 * 301
    assert all((row["consensus_score"] > 1) == row["anomalous"] for row in analysed)
    assert any(row["anomalous"] for row in analysed)
    assert all(row["consensus_score"] is row["mean_score"] is None for row in rows if row["outcome"] != "analysed")
    for row in analysed[::37]:
        known = [[row[f"{name}_score"]] for name in algorithm_names() if row[f"{name}_score"] is not None]
        consensus = 2 if row["metric"] in {"m1", "m2"} else 6
        (kth,), (mean,) = slowly(known, consensus)
        assert row["consensus_score"] == kth
        assert row["mean_score"] == pytest.approx(mean, rel=1e-6)


def test_they_are_no_algorithms():
    rules = ["rule_score", "pages_score", "ridgeline_score", "channels", "expected_low", "expected_high"]
    columns = ["metric", "a_score", "consensus_score", "ks_test_d", "b_score", "mean_score", *rules]
    assert algorithms_among(columns) == ["a", "b"]
