"""Matrices in, verdicts out: outcomes in their order, early exit, gates, and results that no scheduling changes."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import strategies

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score import tables as engine_tables
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.engine.score.tables import TABLE, Tables, exponential_weights, grubbs_critical
from ridgeline.engine.score.verdicts import named, verdict_schema
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.reasons import MALFORMED, NO_KEY
from ridgeline.kernels.native import loader

START = strategies.START


def fleet(rows, **columns):
    offsets = np.concatenate([[0], np.cumsum([len(x) for _, x in rows])]).astype(np.int64)
    t = np.concatenate([t for t, _ in rows] or [np.empty(0)]).astype(np.int64)
    x = np.concatenate([x for _, x in rows] or [np.empty(0)])
    return MetricMatrix.from_columns(pa.array([f"m{i}" for i in range(len(rows))]), offsets, t, x, **columns)


def minutes(x, end=START):
    return end - 60 * np.arange(len(x) - 1, -1, -1), np.asarray(x, dtype=np.float64)


def many(count=60, seed=3):
    """A fleet of every kind and length, spikes in some."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(count):
        n = int(rng.integers(90, 400))
        x = strategies.make_values(rng, strategies.KINDS[i % len(strategies.KINDS)], n)
        x[-1] += rng.choice([0.0, 0.0, 50.0, -1e9])
        x[-3:] += rng.choice([0.0, 30.0])
        rows.append((strategies.make_times(rng, ["minutes", "seconds", "uneven"][i % 3], n), x))
    return fleet(rows)


def score(matrix, policy_of_row=None, *, threads=1, **options):
    return score_matrix(matrix, ScorePlan(**{"as_of": "last", **options}), policy_of_row, threads=threads)


def test_the_schema_is_the_published_one():
    for scores in (False, True):
        batch = score(fleet([minutes(np.arange(150.0))]), scores=scores)
        assert batch.schema == verdict_schema(algorithm_names(), scores=scores)
        batch.validate(full=True)
    assert score(fleet([])).num_rows == 0


def test_outcomes_in_their_order():
    noise = np.random.default_rng(0).normal(size=150)
    flat = np.concatenate([noise, np.zeros(100)])
    flat[200] = -0.0
    rows = [minutes(noise), minutes(flat), minutes(noise[:99]), minutes(noise, START - 501), minutes([]), minutes([])]
    reasons = np.array([0, 0, 0, 0, NO_KEY, MALFORMED], np.uint8)
    matrix = fleet([*rows[:4], *rows[4:]], reasons=reasons)
    verdicts = score(matrix, as_of=START).to_pylist()
    assert [row["outcome"] for row in verdicts] == ["analysed", "boring", "too_short", "stale", "missing", "rejected"]
    assert [row["reason"] for row in verdicts] == [None, None, None, None, "no_key", "malformed"]
    for row in verdicts[1:]:
        assert row["anomalous"] is row["votes"] is row["grubbs"] is None
        assert row["failed"] == []
    assert (verdicts[2]["datapoint"], verdicts[2]["timestamp"]) == (noise[98], START)
    assert verdicts[4]["timestamp"] is None
    early = score(matrix, as_of=START - 60 * 300).to_pylist()
    assert early[0]["outcome"] == "empty"
    assert early[0]["timestamp"] is None
    # Short comes before stale, stale before boring.
    late = score(matrix, as_of=START + 501).to_pylist()
    assert [row["outcome"] for row in late[:4]] == ["stale", "stale", "too_short", "stale"]


@pytest.mark.parametrize(
    ("codes", "names"), [([], []), ([], ["a"]), ([], [None]), ([0, 0, 1, 1, 0], [None, "é"]), ([1, 1, 0], ["", "b"])]
)
def test_codes_are_written_out_as_names(codes, names):
    found = named(np.array(codes, np.int64), names)
    found.validate(full=True)
    assert found.to_pylist() == [names[code] for code in codes]


def test_stale_periods_come_from_the_policy_or_the_profile():
    matrix = fleet([minutes(np.random.default_rng(0).normal(size=150))] * 2)
    policies = (Policy(), Policy(stale_period=60))
    verdicts = score(matrix, np.array([0, 1]), as_of=START + 100, policies=policies)
    assert verdicts.column("outcome").to_pylist() == ["analysed", "stale"]
    batch = score(matrix, as_of=START + 80000, profile=PROFILES["earthgecko_batch"])
    assert batch.column("outcome").to_pylist() == ["analysed"] * 2


def test_as_of_is_the_option_then_the_column_then_the_default():
    rows = [minutes(np.random.default_rng(0).normal(size=150), START - 100_000)] * 2
    matrix = fleet(rows, as_of=np.array([START - 100_000, NO_AS_OF]))
    assert score(matrix, as_of=START).column("outcome").to_pylist() == ["stale", "stale"]
    assert score(matrix, as_of=None, default_as_of=START).column("outcome").to_pylist() == ["analysed", "stale"]
    assert score(matrix, as_of=None).column("outcome").to_pylist() == ["analysed", "analysed"], "newest of the matrix"
    assert score(matrix).column("outcome").to_pylist() == ["analysed"] * 2


def test_points_after_as_of_are_dropped_where_the_profile_says_so():
    x = np.random.default_rng(0).normal(size=300)
    whole = fleet([minutes(x)])
    cut = fleet([minutes(x[:200], START - 6000)])
    assert score(whole, as_of=START - 6000, scores=True) == score(cut, as_of=START - 6000, scores=True)
    kept = score(whole, as_of=START - 6000, profile=PROFILES["earthgecko"])
    assert kept.column("timestamp").to_pylist() == [START]


def test_negatives_and_resolution_are_those_of_the_considered_points_whatever_the_outcome():
    rng = np.random.default_rng(0)
    x = rng.normal(50, 1, size=300)
    below, before, after = x.copy(), x.copy(), x.copy()
    below[250], before[9], after[299] = -0.5, -1.0, -1.0
    t = minutes(x)[0]
    gaps = t - 30 * (np.arange(300)[::-1] // 3)  # of steps of 60, 60 and 90, most are 60
    rows = [
        (t, x),
        (t, below),
        (t, before),
        (t, after),
        (gaps, x),
        (t[-5:], below[-5:]),
        (t[-1:], -x[-1:]),
        minutes([]),
    ]
    found = score(fleet(rows), as_of=START - 60, full_duration=12000, resolution=True).to_pylist()
    assert [row["negatives"] for row in found] == [False, True, False, False, False, False, None, None]
    assert [row["resolution"] for row in found] == [60, 60, 60, 60, 60, 60, None, None]
    assert {row["prepared"] for row in found} == {None}
    assert {row["resolution"] for row in score(fleet(rows)).to_pylist()} == {None}, "unless it is asked for"
    found = score(fleet(rows), full_duration=12000).to_pylist()
    assert [row["negatives"] for row in found] == [False, True, False, True, False, False, True, None]
    kept = score(fleet(rows), full_duration=12000, profile=PROFILES["earthgecko"]).to_pylist()
    assert kept[2]["negatives"] is True, "this profile considers all that is given"


@examples(50)
@given(
    steps=st.lists(st.sampled_from([0, 1, 1, 7, 60, 60, 60, 61, 4000, 10**6]), max_size=60),
    profile=st.sampled_from(["native", "earthgecko"]),
)
def test_the_resolution_is_the_median_step_between_distinct_timestamps(steps, profile):
    t = START + np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    row = score(
        fleet([(t, np.arange(len(t)) - 0.0)]), profile=PROFILES[profile], full_duration=2**40, resolution=True
    ).to_pylist()[0]
    wide = np.diff(np.unique(t))
    assert row["resolution"] == (int(np.median(wide)) if len(wide) else None)


def test_native_considers_full_duration_only():
    x = np.random.default_rng(0).normal(size=400)
    assert score(fleet([minutes(x)]), full_duration=12000, scores=True) == score(
        fleet([minutes(x[-200:])]), full_duration=12000, scores=True
    )


def test_of_equal_timestamps_the_last_wins():
    rng = np.random.default_rng(0)
    t, x = minutes(rng.normal(size=200))
    twice = np.sort(np.concatenate([t, t[::3], t[::3]]))
    doubled = np.full(len(twice), 1e9)
    doubled[np.searchsorted(twice, t, side="right") - 1] = x
    assert score(fleet([(twice, doubled)]), scores=True) == score(fleet([(t, x)]), scores=True)
    kept = PROFILES["earthgecko"]
    assert score(fleet([(twice, doubled)]), scores=True, profile=kept) != score(fleet([(t, x)]), scores=True)


@pytest.mark.parametrize("profile", PROFILES)
def test_no_scheduling_changes_a_bit(profile):
    matrix = many()
    whole = score(matrix, scores=True, profile=PROFILES[profile])
    for options in ({"threads": 3, "block_rows": 7}, {"block_rows": 1}, {"threads": 2, "block_rows": 1000}):
        assert score(matrix, scores=True, profile=PROFILES[profile], **options).equals(whole)
    parts = [score(matrix.slice(i, i + 11), scores=True, profile=PROFILES[profile]) for i in range(0, len(matrix), 11)]
    assert pa.Table.from_batches(parts).combine_chunks().equals(pa.Table.from_batches([whole]))


@pytest.mark.parametrize("profile", PROFILES)
def test_votes_are_the_same_with_scores_without_and_with_early_exit(profile):
    matrix = many(90)
    for consensus in (1, 4, 6, 9):
        options = {"profile": PROFILES[profile], "policies": (Policy(consensus=consensus),)}
        scored = score(matrix, scores=True, **options).to_pylist()
        votes = score(matrix, all_votes=True, **options).to_pylist()
        early = score(matrix, **options).to_pylist()
        for full, plain, quick in zip(scored, votes, early, strict=True):
            assert {key: full[key] for key in plain} == plain
            assert quick["anomalous"] == plain["anomalous"]
            given_up = [name for name in algorithm_names() if quick[name] is None and plain[name] is not None]
            assert all(quick[name] == plain[name] for name in algorithm_names() if name not in given_up)
            if quick["outcome"] == "analysed":
                assert quick["votes"] == sum(quick[name] is True for name in algorithm_names()) <= plain["votes"]
            if given_up:
                cannot = sum(quick[name] is False or name in quick["failed"] for name in algorithm_names())
                assert cannot > len(algorithm_names()) - consensus
            for name in algorithm_names():
                if full[name] is not None:
                    assert full[name] == (full[f"{name}_score"] > 1)
                else:
                    assert full[f"{name}_score"] is None


@examples(15)
@given(poison=strategies.series(max_size=150), factor=st.sampled_from([1.0, 1e300, 1e-320]), place=st.integers(0, 20))
def test_a_poisoned_row_leaves_the_others_alone(poison, factor, place):
    clean = many(20)
    t, x = poison
    rows = [(clean.timestamps[a:b], clean.values[a:b]) for a, b in zip(clean.offsets, clean.offsets[1:], strict=False)]
    with np.errstate(over="ignore"):
        rows.insert(place, (t, np.nan_to_num(x * factor)))
    both = score(fleet(rows), scores=True).to_pylist()
    del both[place]
    alone = score(clean, scores=True).to_pylist()
    assert [{**row, "metric": None} for row in both] == [{**row, "metric": None} for row in alone]


def test_policies_choose_algorithms_thresholds_and_consensus():
    rng = np.random.default_rng(0)
    spiked = rng.normal(size=300)
    spiked[-1] = 60.0
    matrix = fleet([minutes(spiked)] * 4)
    policies = (
        Policy(consensus=1, algorithms=("median_absolute_deviation",)),
        Policy(
            consensus=1, algorithms=("median_absolute_deviation",), thresholds=(("median_absolute_deviation", 1e6),)
        ),
        Policy(consensus=9),
        Policy(consensus=2, thresholds=(("grubbs", 1e-300), ("stddev_from_average", 1e9))),
    )
    rows = score(matrix, np.arange(4), policies=policies, all_votes=True).to_pylist()
    assert [row["anomalous"] for row in rows] == [True, False, False, True]
    assert [name for name in algorithm_names() if rows[0][name] is not None] == ["median_absolute_deviation"]
    assert rows[2]["grubbs"]
    assert not rows[3]["grubbs"]
    assert rows[3]["votes"] == sum(rows[3][name] for name in algorithm_names())
    with pytest.raises(InputError, match="a consensus of 2 cannot be reached by 1 algorithm: lower it"):
        score(matrix, policies=(Policy(consensus=2, algorithms=("grubbs",)),))


@pytest.mark.parametrize(
    ("options", "anomalous", "reason"),
    [
        ({"direction": "up"}, [True, False], [None, "direction"]),
        ({"direction": "down"}, [False, True], ["direction", None]),
        ({"min_change": 1e6}, [False, False], ["min_change"] * 2),
        ({"min_change": 10.0, "min_change_relative": 0.1}, [True, True], [None, None]),
        ({"min_change_relative": 3.0}, [False, False], ["min_change"] * 2),
        ({"direction": "up", "min_change": 1e6}, [False, False], ["min_change", "direction"]),
    ],
)
def test_direction_and_change_gate_the_verdict_never_a_vote(options, anomalous, reason):
    rng = np.random.default_rng(0)
    up, down = 100 + rng.normal(size=300), 100 + rng.normal(size=300)
    up[-3:] += 60
    down[-3:] -= 60
    matrix = fleet([minutes(up), minutes(down)])
    free = score(matrix, all_votes=True).to_pylist()
    assert [row["anomalous"] for row in free] == [True, True]
    rows = score(matrix, all_votes=True, policies=(replace(Policy(), **options),)).to_pylist()
    assert [row["anomalous"] for row in rows] == anomalous
    assert [row["reason"] for row in rows] == reason
    assert [row["votes"] for row in rows] == [row["votes"] for row in free]


def test_tables_are_the_formulas():
    from scipy.stats import t as student

    n = np.array([2, 3, 100, 1440, 100_000])
    c = student.isf(0.05 / (2 * n[1:]), n[1:] - 2)
    expected = (n[1:] - 1) / np.sqrt(n[1:]) * np.sqrt(c**2 / (n[1:] - 2 + c**2))
    found = grubbs_critical(n)
    assert found[0] == np.inf
    np.testing.assert_allclose(found[1:], expected, rtol=1e-10)
    weights = exponential_weights(40_000)
    assert weights[-1] == 1.0
    assert weights[-3] == pytest.approx((50 / 51) ** 2)
    assert not ((weights > 0) & (weights < 1e-290)).any()
    tables = Tables()
    first = tables.critical((0.05, 0.01), np.array([100, 1440]))
    assert first.shape[0] == 2
    assert first[0, 1440] == pytest.approx(expected[2])
    assert first[1, 100] > first[0, 100]
    assert len(tables.weights(10)) >= 10


def test_only_the_usual_significance_is_kept_for_other_processes(monkeypatch):
    """A table of another significance under the same name would poison every later run."""
    saved, loaded = [], []
    monkeypatch.setattr(loader, "save_table", lambda name, table: saved.append((name, table.copy())))
    monkeypatch.setattr(loader, "load_table", loaded.append)
    Tables().critical((0.01, 0.2), np.array([100, 1440]))
    assert saved == []
    assert loaded == []
    Tables().critical((0.01, 0.05, 0.2), np.array([100, 1440]))
    assert loaded == [TABLE]
    assert [name for name, _ in saved] == [TABLE]
    table = saved[0][1]
    np.testing.assert_array_equal(table[[100, 1440]], grubbs_critical(np.array([100, 1440]), 0.05))
    assert np.isnan(table[101])


def test_what_was_kept_by_another_formula_is_not_found():
    digest = hashlib.sha256(Path(engine_tables.__file__).read_bytes()).hexdigest()
    assert f"grubbs-{digest[:16]}" == TABLE


def test_what_another_process_kept_is_used_and_only_for_its_significance(monkeypatch):
    kept = np.full(200, np.nan)
    kept[100] = 42.0
    monkeypatch.setattr(loader, "save_table", lambda name, table: True)
    monkeypatch.setattr(loader, "load_table", lambda name: kept)
    found = Tables().critical((0.05, 0.01), np.array([100, 150]))
    assert found[0, 100] == 42.0
    assert found[1, 100] == grubbs_critical(np.array([100]), 0.01)[0]
    assert found[0, 150] == grubbs_critical(np.array([150]))[0]
    assert np.isnan(kept[150]), "the kept table is not written to"
