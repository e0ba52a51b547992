"""`resolution_aware`: hourly and daily series are judged in their own steps, alike in every evaluator."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import resolution as twin

import ridgeline
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.resolution import UNITS, scaled, units_of
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.shared import switches

START = 1_700_000_000
HOUR, DAY = 3600, 86400
AWARE = [{"match": ".*", "resolution_aware": True}]


def matrix_of(*rows):
    offsets = np.concatenate([[0], np.cumsum([len(t) for t, _ in rows])]).astype(np.int64)
    names = pa.array([f"m{k}" for k in range(len(rows))])
    return MetricMatrix.from_columns(names, offsets, *(np.concatenate([row[k] for row in rows]) for k in (0, 1)))


@st.composite
def timelines(draw):
    """Steps that change from minutes to days and back, jitter, gaps, equal timestamps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    pieces = draw(st.lists(st.sampled_from([0, 10, 60, 300, 700, 3600, 7000, 86400, 604800]), min_size=1, max_size=4))
    steps = np.concatenate([np.full(draw(st.integers(1, 90)), step) for step in pieces])
    jitter = np.where(rng.random(len(steps)) < draw(st.sampled_from([0.0, 0.3])), rng.integers(0, 2000, len(steps)), 0)
    return START + np.cumsum(steps + jitter)


@examples(25)
@given(t=timelines(), window=st.sampled_from([HOUR, DAY, 7 * DAY, 60 * DAY]))
def test_the_unit_of_every_window_is_that_of_its_median_step(t, window):
    last = np.arange(len(t))
    first = np.searchsorted(t, t - window, "right")
    found = units_of(t, first, last).tolist()
    assert found == [twin.unit_of(t[a : b + 1].tolist()) for a, b in zip(first, last, strict=True)]


def test_units_are_the_steps_that_people_use():
    assert UNITS.tolist() == twin.UNITS
    t = START + np.arange(3)
    assert units_of(t[:1], np.array([0]), np.array([0])).tolist() == [60], "one point has no step"
    assert units_of(np.array([START] * 5), np.array([0]), np.array([4])).tolist() == [60]


@pytest.mark.parametrize(
    ("unit", "window", "expected"),
    [
        (60, DAY, (3600, 600, 3600, 100)),
        (600, DAY, (6 * HOUR, 5 * HOUR, 15 * HOUR, 72)),
        (HOUR, DAY, (6 * HOUR, 30 * HOUR, 90 * HOUR, 20)),
        (HOUR, 30 * DAY, (60 * HOUR, 30 * HOUR, 90 * HOUR, 100)),
        (DAY, 90 * DAY, (1_944_000, 30 * DAY, 90 * DAY, 45)),
        (DAY, 365 * DAY, (60 * DAY, 30 * DAY, 90 * DAY, 100)),
    ],
)
def test_what_is_scaled_and_how_far(unit, window, expected):
    for profile in PROFILES.values():
        found = scaled(profile.encode(), unit, window)
        places = (switches.HOUR, switches.PROBE, switches.REFERENCE, switches.MIN_POINTS)
        assert tuple(found[list(places)].tolist()) == expected
        assert found[switches.BORING_POINTS] == expected[-1]
        others = np.delete(np.arange(switches.SWITCHES), [*places, switches.BORING_POINTS, switches.DAILY])
        assert (found[others] == profile.encode()[others]).all()


@pytest.mark.parametrize(("step", "window"), [(HOUR, 14 * DAY), (DAY, 200 * DAY), (600, DAY), (60, DAY)])
def test_scores_are_those_of_the_slow_twin(step, window):
    rng = np.random.default_rng(step)
    rows = []
    for k in range(16):
        n = int(rng.integers(20, 150)) if k % 4 == 0 else window // step + 5
        x = rng.normal(100, 5, n)
        x[-int(rng.integers(1, 30)) :] += [0, 4, 30][k % 3]
        rows.append((START + step * np.arange(n), x))
    table = ridgeline.score(
        matrix_of(*rows), as_of="last", scores=True, full_duration=window, overrides=AWARE
    ).to_pylist()
    fired = 0
    for (t, x), verdict in zip(rows, table, strict=True):
        if len(t) < twin.shortest(step, window):
            assert verdict["outcome"] == "too_short"
            continue
        assert verdict["outcome"] == "analysed"
        assert verdict["first_hour_average_score"] == pytest.approx(twin.first_hour_average(t, x, window), rel=1e-9)
        assert verdict["ks_test_score"] == pytest.approx(twin.ks_test(t, x), rel=1e-9)
        fired += verdict["ks_test"] + verdict["first_hour_average"]
    assert fired > 3


@examples(15)
@given(
    t=timelines(),
    seed=st.integers(0, 99),
    profile=st.sampled_from(sorted(PROFILES)),
    window=st.sampled_from([DAY, 20 * DAY]),
)
def test_replay_says_at_every_step_what_score_says(t, seed, profile, window):
    x = np.round(np.random.default_rng(seed).normal(size=len(t)), 1)
    steps = ridgeline.replay(matrix_of((t, x)), profile=profile, window=window, overrides=AWARE).to_pylist()
    assert [step["timestamp"] for step in steps] == np.unique(t).tolist()
    picks = steps[:: max(len(steps) // 12, 1)]
    cut = [
        slice(np.searchsorted(t, p["timestamp"] - window, "right"), np.searchsorted(t, p["timestamp"], "right"))
        for p in picks
    ]
    scored = ridgeline.score(
        matrix_of(*((t[here], x[here]) for here in cut)), profile=profile, as_of="last", scores=True,
        full_duration=window, overrides=AWARE,
    ).to_pylist()  # fmt: skip
    for step, verdict in zip(picks, scored, strict=True):
        assert (step["outcome"], step["votes"], step["anomalous"]) == (
            verdict["outcome"], verdict["votes"], verdict["anomalous"],
        )  # fmt: skip
        for name in ("first_hour_average", "ks_test"):
            assert (step[f"{name}_score"] is None) == (verdict[f"{name}_score"] is None)


def test_hourly_series_of_a_day_can_be_judged_and_are_too_short_otherwise():
    t = START + HOUR * np.arange(60)
    x = np.sin(np.arange(60.0)) + np.random.default_rng(1).normal(0, 0.2, 60)
    x[-2:] = 40
    matrix = matrix_of((t, x))
    for wide in ("24h", "2d"):
        assert ridgeline.score(matrix, full_duration=wide)["outcome"].to_pylist() == ["too_short"]
    (verdict,) = ridgeline.score(matrix, full_duration="2d", overrides=AWARE).to_pylist()
    assert (verdict["outcome"], verdict["anomalous"], verdict["votes"]) == ("analysed", True, 6)


def test_what_has_a_point_a_minute_is_judged_as_ever():
    rng = np.random.default_rng(3)
    rows = [(START + step * np.arange(1500), rng.normal(size=1500)) for step in (10, 30, 60, 61)]
    plain = ridgeline.score(matrix_of(*rows), as_of="last", scores=True)
    assert plain.equals(ridgeline.score(matrix_of(*rows), as_of="last", scores=True, overrides=AWARE))


def test_rows_of_one_matrix_go_by_their_own_resolution_and_policy():
    rng = np.random.default_rng(5)
    rows = [(START + step * np.arange(200), rng.normal(size=200)) for step in (60, HOUR, DAY, HOUR)]
    given_ = [
        {"match": "m1", "resolution_aware": True, "full_duration": "5d"},
        {"match": "m2", "resolution_aware": True, "full_duration": "180d", "thresholds": {"grubbs": 0.2}},
    ]
    together = ridgeline.score(matrix_of(*rows), as_of="last", scores=True, overrides=given_).to_pylist()
    assert [row["outcome"] for row in together] == ["analysed", "analysed", "analysed", "too_short"]
    for at, name in enumerate(("m0", "m1", "m2", "m3")):
        t, x = rows[at]
        one = MetricMatrix.from_columns(pa.array([name]), np.array([0, 200]), t, x)
        assert ridgeline.score(one, as_of="last", scores=True, overrides=given_).to_pylist() == [together[at]]


def test_the_switch_is_off_unless_asked_for_and_an_override_may_put_it_out(tmp_path):
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.score.scorer import Scorer

    path = tmp_path / "c.toml"
    path.write_text(
        '[source]\nkind = "parquet"\npath = "x"\n[analysis]\nresolution_aware = true\n'
        '[[override]]\nmatch = "fast."\nresolution_aware = false\n'
    )
    config = load_config(path)
    scorer = Scorer.of(config.analysis, config.overrides)
    assert scorer.overrides.policy("slow.a").resolution_aware
    assert not scorer.overrides.policy("fast.a").resolution_aware
    path.write_text('[source]\nkind = "parquet"\npath = "x"\n')
    assert not load_config(path).analysis.resolution_aware


def test_skylines_functions_say_how_many_points_were_needed():
    from ridgeline.engine.rules.analysis import Analysis
    from ridgeline.engine.score.ensemble import Ensemble

    ensemble = Ensemble.of(Analysis(full_duration=7 * DAY, resolution_aware=True), (), "native")
    t = START + HOUR * np.arange(50)
    verdict = ensemble.judge(
        list(zip(t.tolist(), np.sin(t).tolist(), strict=True)), "m", ensemble.policy("m"), int(t[-1])
    )
    assert (verdict.outcome, verdict.points, verdict.min_points) == ("too_short", 50, 84)
