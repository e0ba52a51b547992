"""Replay says at every step what `score` says of that window, sees no future, and does not depend on how it is cut."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import replay as oracle_replay
from twins import strategies

from ridgeline.engine.replay import spans
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import replay_series
from ridgeline.engine.replay.steps import step_schema
from ridgeline.engine.rules.overrides import Override, Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score import verdicts
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED

START = 1_700_000_000
NEAR = 1e-6


def matrix_of(windows):
    """A matrix whose rows are (t, x)."""
    offsets = np.concatenate([[0], np.cumsum([len(t) for t, _ in windows])])
    names = pa.array([f"m{k}" for k in range(len(windows))])
    return MetricMatrix.from_columns(
        names, offsets, np.concatenate([t for t, _ in windows]), np.concatenate([x for _, x in windows])
    )


def window_at(t, x, when, seconds):
    here = slice(np.searchsorted(t, when - seconds, "right"), np.searchsorted(t, when, "right"))
    return t[here], x[here]


def assert_equals_score(t, x, profile="native", window=86400, policy=None, steps=None, picks=None):
    """Outcome, votes and scores of the picked steps equal `score` of their windows; returns how many were compared."""
    policy = policy or Policy()
    plan = ReplayPlan(PROFILES[profile], window)
    steps = replay_series(t, x, plan, policy) if steps is None else steps
    picks = np.arange(len(steps.timestamps)) if picks is None else picks
    windows = [window_at(t, x, when, window) for when in steps.timestamps[picks]]
    scored = score_matrix(
        matrix_of(windows),
        ScorePlan(PROFILES[profile], full_duration=window, as_of="last", scores=True, policies=(policy,)),
    )
    assert [verdicts.OUTCOMES[k] for k in steps.outcomes[picks]] == scored["outcome"].to_pylist()
    analysed = steps.outcomes[picks] == ANALYSED
    assert steps.votes[picks][analysed].tolist() == [v for v in scored["votes"].to_pylist() if v is not None]
    assert steps.anomalous[picks].tolist() == [bool(v) for v in scored["anomalous"].to_pylist()]
    for place, name in enumerate(algorithm_names()):
        want = scored[f"{name}_score"].to_numpy(zero_copy_only=False)[analysed]
        got = steps.scores[place, picks][analysed].astype(np.float64)
        votes = scored[name].to_numpy(zero_copy_only=False)[analysed]
        assert (np.isnan(got) == np.isnan(want)).all(), name
        assert [bool(v) for v in got > 1] == [bool(v) for v in votes], name
        with np.errstate(invalid="ignore"):
            close = (got == want) | (np.abs(got - want) <= NEAR * np.maximum(np.abs(want), 1e-2)) | np.isnan(want)
        assert close.all(), (name, got[~close][:3], want[~close][:3])
    return len(picks)


def telling(steps, rng, most=60):
    """Positions of steps worth comparing: scores nearest to 1, True votes, and some at random."""
    analysed = np.flatnonzero(steps.outcomes == ANALYSED)
    picks = [rng.integers(0, len(steps.outcomes), most)]
    if len(analysed):
        near = np.nan_to_num(np.abs(steps.scores[:9, analysed] - 1), nan=9.0).min(axis=0)
        picks += [analysed[np.argsort(near)[:most]], rng.permutation(analysed[steps.votes[analysed] > 0])[:most]]
    return np.unique(np.concatenate(picks))


def hard(n, rng):
    """Series on which moving sums, ranks or bins have gone wrong before."""
    i, noise = np.arange(n), rng.normal(size=n)
    return {
        "season": 10 * np.sin(i / 1440 * 6.28) + noise,
        "walk": np.cumsum(noise),
        "integers": np.round(noise * 3),
        "offset": 1e15 + np.round(noise * 20),
        "spikes": noise + 1e12 * (rng.random(n) < 0.001),
        "spikes_1e9": noise + 1e9 * (rng.random(n) < 0.0005),
        "steps": np.where(i % 3000 < 1500, 0, 1e9) + noise,
        "square": np.where(i // 700 % 2, 1.0, 5.0),
        "alternating": i % 2 * 100 + noise * 0.1,
        "constant": np.full(n, 0.1),
        "flat_stretches": np.where(i // 2000 % 2, 0.1, noise),
        "nearly_flat": np.where(i // 1700 % 2, 0.1, 0.1 + (rng.random(n) < 0.003)),
        "ramp": i * 1.0,
        "steep_ramp": 1e6 * i + 1e6 * noise,
        "smooth_ramp": i * 0.1 + noise * 1e-6,
        "geometric": 1.005**i,
        "lognormal": np.exp(3 * noise),
        "sparse": (rng.random(n) < 0.01) * rng.integers(1, 5, n) * 1.0,
        "tiny": noise * 1e-200,
        "huge": noise * 1e200,
        "two_levels_drifting": np.where(rng.random(n) < i / n, 10.0, 0) + noise * 0.01,
        "heavy": rng.standard_t(1.5, n),
    }


def times(kind, n, rng):
    minutes = START + 60 * np.arange(n)
    return {
        "minutes": minutes,
        "ten_seconds": START + 10 * np.arange(n),
        "gaps": START + np.cumsum(np.where(rng.random(n) < 0.003, rng.integers(600, 90000, n), 60)),
        "jitter": np.sort(minutes + rng.integers(-20, 20, n)),
        "duplicates": minutes - minutes % 180,
    }[kind]


WINDOWS = {"minutes": 86400, "ten_seconds": 14400, "gaps": 86400, "jitter": 20000, "duplicates": 86400}


@examples(25)
@pytest.mark.parametrize("profile", sorted(PROFILES))
@given(series=strategies.series(min_size=2, max_size=420), window=st.sampled_from([1800, 7200, 20000]))
def test_every_step_equals_score(profile, series, window):
    t, x = series
    assert_equals_score(t, x, profile, window)


LIMITS = st.sampled_from([1e-9, 0.1, 0.6, 0.99, 1.01, 1.5, 4.0, 1e300]) | st.floats(0.1, 5.0)
CUTOFFS = st.dictionaries(st.sampled_from(algorithm_names()), LIMITS).map(lambda found: tuple(sorted(found.items())))


@examples(25)
@pytest.mark.parametrize("profile", sorted(PROFILES))
@given(series=strategies.series(min_size=2, max_size=420), cutoffs=CUTOFFS, threshold=LIMITS)
def test_every_step_equals_score_under_cutoffs(profile, series, cutoffs, threshold):
    t, x = series
    assert_equals_score(t, x, profile, 7200, Policy(consensus=3, cutoffs=cutoffs, rule_threshold=threshold))


@pytest.mark.parametrize("cutoff", [0.02, 0.7, 3.0])
def test_long_hard_series_equal_score_under_cutoffs(cutoff):
    rng = np.random.default_rng(17)
    n, compared = 3000, 0
    t = times("minutes", n, rng)
    policy = Policy(cutoffs=tuple((name, cutoff) for name in algorithm_names()))
    for x in hard(n, rng).values():
        steps = replay_series(t, x, ReplayPlan(), policy)
        compared += assert_equals_score(t, x, policy=policy, steps=steps, picks=telling(steps, rng, 15))
    assert compared > 400


def kinds_and_profiles():
    """Each kind of series with one profile or another in the ordinary suite, all with all in the long one."""
    for at, kind in enumerate(sorted(WINDOWS)):
        for of, profile in enumerate(sorted(PROFILES)):
            often = [pytest.mark.long] * ((at - of) % len(PROFILES) > 1)
            yield pytest.param(profile, kind, 8, marks=often)
            yield pytest.param(profile, kind, 50, marks=pytest.mark.long)


@pytest.mark.parametrize(("profile", "kind", "picks"), list(kinds_and_profiles()))
def test_long_hard_series_equal_score(profile, kind, picks):
    rng = np.random.default_rng(sorted(WINDOWS).index(kind))
    n, compared = 5000, 0
    t = times(kind, n, rng)
    for x in hard(n, rng).values():
        steps = replay_series(t, x, ReplayPlan(PROFILES[profile], WINDOWS[kind]))
        compared += assert_equals_score(t, x, profile, WINDOWS[kind], steps=steps, picks=telling(steps, rng, picks))
    assert compared > 30 * picks


@pytest.mark.parametrize("picks", [4, pytest.param(40, marks=pytest.mark.long)])
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_an_independent_evaluator_votes_the_same(profile, picks):
    rng = np.random.default_rng(5)
    compared = votes = 0
    n = 4000
    for kind, names in (
        (
            "minutes",
            ("season", "walk", "integers", "steps", "heavy", "lognormal", "sparse", "flat_stretches", "square"),
        ),
        ("ten_seconds", ("season", "walk", "integers", "steps", "heavy", "square")),
        ("gaps", ("season", "integers", "spikes_1e9")),
    ):
        t, window = times(kind, n, rng), WINDOWS[kind]
        every = hard(n, rng)
        for name in names:
            x = every[name]
            steps = replay_series(t, x, ReplayPlan(PROFILES[profile], window))
            for k in telling(steps, rng, picks):
                if steps.outcomes[k] != ANALYSED:
                    continue
                wt, wx = window_at(t, x, steps.timestamps[k], window)
                for place, algorithm in enumerate(algorithm_names()):
                    want = oracle_replay.ALGORITHMS[algorithm](wt, wx, window, profile)
                    if want is None or abs(want - 1) < 1e-9:
                        continue  # rounding decides
                    got = float(steps.scores[place, k])
                    assert (got > 1) == (want > 1), (name, kind, algorithm, int(k), got, want)
                    if np.isfinite(want):
                        assert got == pytest.approx(want, rel=1e-5, abs=1e-5), (name, kind, algorithm, int(k))
                    compared += 1
                    votes += want > 1
    assert compared > 250 * picks
    assert votes > 25 * picks


@pytest.mark.parametrize("name", ["mix", "edge", "nab", "10s", "30s"])
def test_the_last_step_of_every_parity_series_equals_score(shared, name):
    table = pq.read_table(shared / "parity" / f"{name}.parquet", columns=["metric", "timestamp", "value"])
    matrix = MetricMatrix.from_table(table)
    steps = replay_matrix(matrix, ReplayPlan())
    scored = score_matrix(matrix, ScorePlan(as_of="last", scores=True))
    metrics = np.asarray(steps["metric"].to_pylist())
    last = {metric: k for k, metric in enumerate(metrics)}  # the last of each wins
    rows = [(row, last[m]) for row, m in enumerate(scored["metric"].to_pylist()) if m in last]
    assert len(rows) > 70
    places = np.array([k for _, k in rows])
    for column in ("outcome", "anomalous", "votes"):
        assert steps[column].take(places).to_pylist() == scored[column].take([r for r, _ in rows]).to_pylist()
    for algorithm in algorithm_names():
        got = steps[f"{algorithm}_score"].take(places).to_pylist()
        want = scored[algorithm].take([r for r, _ in rows]).to_pylist()
        assert [None if v is None else v > 1 for v in got] == want, algorithm


def test_sampled_steps_of_the_nab_corpus_equal_score(shared):
    rng = np.random.default_rng(9)
    matrix = MetricMatrix.from_table(
        pq.read_table(shared / "data" / "nab.parquet", columns=["metric", "timestamp", "value"])
    )
    compared = 0
    for row in range(0, len(matrix), 4):
        here = slice(matrix.offsets[row], matrix.offsets[row + 1])
        t, x = matrix.timestamps[here], matrix.values[here]
        steps = replay_series(t, x, ReplayPlan())
        compared += assert_equals_score(t, x, steps=steps, picks=telling(steps, rng, 30))
    assert compared > 500


@examples(25)
@given(series=strategies.series(min_size=150, max_size=400), cut=st.floats(0.3, 0.95), seed=st.integers(0, 99))
def test_no_step_sees_the_future(series, cut, seed):
    t, x = series
    rng = np.random.default_rng(seed)
    at = int(len(t) * cut)
    when = t[at]
    later_t, later_x = t.copy(), x.copy()
    future = later_t > when
    later_t[future] += rng.integers(0, 3000)
    later_x[future] = rng.choice([0.0, 1e12, -7.5]) + rng.normal(size=int(future.sum()))
    plan = ReplayPlan(window=7200)
    before, after = replay_series(t, x, plan), replay_series(later_t, later_x, plan)
    known = int(np.searchsorted(before.timestamps, when, "right"))
    assert before.scores[:, :known].tobytes() == after.scores[:, :known].tobytes()
    assert before.votes[:known].tobytes() == after.votes[:known].tobytes()
    shorter = replay_series(t[: at + 1], x[: at + 1], plan)
    known = len(shorter.timestamps)
    assert before.scores[:, :known].tobytes() == shorter.scores.tobytes()


def test_no_step_of_a_long_series_sees_the_future():
    rng = np.random.default_rng(3)
    n = 30000
    t = times("minutes", n, rng)
    for name, x in hard(n, rng).items():
        changed = x.copy()
        changed[20000:] = rng.normal(size=n - 20000) * 1e6
        before, after = replay_series(t, x, ReplayPlan()), replay_series(t, changed, ReplayPlan())
        assert before.scores[:, :20000].tobytes() == after.scores[:, :20000].tobytes(), name


@pytest.mark.parametrize("n", [6000, pytest.param(40000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["minutes", "gaps", "ten_seconds"])
def test_bytes_do_not_depend_on_spans_or_threads(kind, n, monkeypatch):
    rng = np.random.default_rng(4)
    t = times(kind, n, rng)
    for name, x in hard(n, rng).items():
        plan = ReplayPlan(window=WINDOWS[kind])
        whole = replay_series(t, x, plan)
        for blocks in (1, 6):
            monkeypatch.setattr(spans, "SPAN_BLOCKS", blocks)
            monkeypatch.setattr(spans, "SPAN_WINDOWS", 0)
            split = replay_series(t, x, plan, threads=3)
            assert whole.scores.tobytes() == split.scores.tobytes(), (name, blocks)
            assert whole.votes.tobytes() == split.votes.tobytes()


def test_bytes_of_long_windows_do_not_depend_on_spans_or_on_the_first_step(monkeypatch):
    rng = np.random.default_rng(5)
    n = 18_000
    t, x = times("minutes", n, rng), rng.normal(size=n)
    x[[3000, 9500, 16_000]] = 1e6
    plan = ReplayPlan(window=7 * 86400)
    whole = replay_series(t, x, plan)
    monkeypatch.setattr(spans, "SPAN_BLOCKS", 1)
    monkeypatch.setattr(spans, "SPAN_WINDOWS", 0)
    split = replay_series(t, x, plan, threads=3)
    assert whole.scores.tobytes() == split.scores.tobytes()
    last = replay_series(t, x, replace(plan, start=int(t[-1000])))
    assert np.ascontiguousarray(whole.scores[:, -1000:]).tobytes() == last.scores.tobytes()


def test_thinning_and_bounds_only_choose_what_is_written():
    rng = np.random.default_rng(6)
    t, x = times("jitter", 6000, rng), rng.normal(size=6000)
    whole = replay_series(t, x, ReplayPlan())
    start, end = int(t[2000]), int(t[5000])
    some = replay_series(t, x, ReplayPlan(start=start, end=end, every=300))
    inside = (whole.timestamps >= start) & (whole.timestamps < end)
    buckets = whole.timestamps // 300
    last = np.append(buckets[1:] != buckets[:-1], True)
    last[np.flatnonzero(inside)[-1]] = True
    assert some.timestamps.tolist() == whole.timestamps[inside & last].tolist()
    kept = np.isin(whole.timestamps, some.timestamps)
    assert np.array_equal(whole.votes[kept], some.votes)
    assert np.allclose(whole.scores[:, kept], some.scores, rtol=1e-6, atol=1e-9, equal_nan=True)
    assert len(replay_series(t, x, ReplayPlan(start=end, end=start)).timestamps) == 0


def test_policies_apply_per_metric():
    rng = np.random.default_rng(7)
    t = times("minutes", 2500, rng)
    x = rng.normal(size=2500)
    x[1500:1503] = 60.0
    x[2000:2003] = -60.0
    matrix = matrix_of([(t, x)] * 3)
    overrides = Overrides(
        Policy(consensus=5, algorithms=algorithm_names()),
        (
            Override("m1", consensus=1, algorithms=("grubbs",), thresholds=(("grubbs", 0.5),)),
            Override("m2", direction="up", min_change=10.0),
        ),
    )
    steps = replay_matrix(matrix, ReplayPlan(), overrides, threads=2)
    assert steps.schema == step_schema()
    by_metric = [steps.slice(2500 * k, 2500) for k in range(3)]
    assert [set(part["metric"].to_pylist()) for part in by_metric] == [{"m0"}, {"m1"}, {"m2"}]
    grubbs_only = by_metric[1]
    assert grubbs_only["ks_test_score"].null_count == 2500
    assert by_metric[0]["grubbs_score"].null_count == 99
    hits = [set(np.flatnonzero(part["anomalous"].fill_null(False).to_numpy())) for part in by_metric]
    assert {1500, 2000} & hits[0]
    assert all(k < 1900 for k in hits[2])
    assert hits[2] <= hits[0]
    policy = overrides.policy("m2")
    assert_equals_score(t, x, policy=policy, picks=np.arange(1400, 2100, 3))
    assert_equals_score(t, x, policy=overrides.policy("m1"), picks=np.arange(1400, 2100, 3))


def test_ks_columns_tell_the_distance_and_the_statistic():
    rng = np.random.default_rng(8)
    t = times("ten_seconds", 4000, rng)
    x = rng.normal(size=4000)
    x[2500:2600] += 5
    steps = replay_series(t, x, ReplayPlan(window=7200))
    d, statistic = steps.scores[9], steps.scores[10]
    analysed = steps.outcomes == ANALYSED
    counts = np.searchsorted(t, t - 600), np.searchsorted(t, t - 3600)
    enough = analysed & (np.arange(4000) + 1 - counts[0] >= 20) & (counts[0] - counts[1] >= 20)
    assert (np.isnan(d) == ~enough).all()
    with np.errstate(invalid="ignore"):
        assert (np.isnan(statistic) == ~(d > 0.5)).all()
    assert (d > 0.5).any()
    same = (d <= 0.5) & enough
    assert np.allclose(steps.scores[4][same], 2 * d[same])


@pytest.mark.parametrize(
    "x",
    [
        # Values whose rolling variance pandas or polars got wrong: a large value that leaves the window, values many
        # magnitudes apart, a constant stretch after noise, a mean far from zero.
        [1e20] + [1.0, 2.0, 3.0, 4.0] * 60,
        [7.0] * 130 + [5.0] * 130,
        [1e8 + k % 3 * 1e-3 for k in range(300)],
        [0.1] * 120 + [1e16, -1e16] + [0.1] * 200,
        [3.0e-3, 1.0e9, 2.0e-3] * 40 + [1e-3 * (k % 7) for k in range(300)],
        [-1e4 + (k % 5) for k in range(150)] + [1e12] + [(k % 5) * 1e-6 for k in range(250)],
    ],
)
def test_rolling_drift_of_other_libraries(x):
    x = np.array(x)
    t = START + 60 * np.arange(len(x))
    for profile in ("native", "earthgecko"):
        assert_equals_score(t, x, profile, window=60 * 110)


def test_a_year_does_not_drift():
    rng = np.random.default_rng(10)
    n = 200_000
    t = START + 60 * np.arange(n)
    x = 1e9 + np.sin(np.arange(n) / 700) + rng.normal(size=n) * 1e-3
    steps = replay_series(t, x, ReplayPlan())
    assert_equals_score(t, x, steps=steps, picks=np.arange(n - 40, n))


@pytest.mark.parametrize("n", [0, 1, 2, 99, 100, 101])
def test_short_series(n):
    t = START + 60 * np.arange(n)
    x = np.arange(n) % 7 * 1.0
    steps = replay_series(t, x, ReplayPlan())
    names = [verdicts.OUTCOMES[k] for k in steps.outcomes]
    assert names == ["too_short"] * min(n, 99) + ["analysed"] * max(n - 99, 0)
    table = replay_matrix(matrix_of([(t, x), (t, x)]), ReplayPlan())
    assert table.num_rows == 2 * n
    assert table.schema == step_schema()
    assert table["votes"].null_count == 2 * min(n, 99)


def test_window_must_be_positive():
    with pytest.raises(ValueError, match="window"):
        ReplayPlan(window=0)


def above_mean(t, x, as_of, scratch):
    if x[-1] < -1.5:
        return np.nan
    return x[-1] - x.mean() + 0.0 * (as_of - t[-1])


def test_users_algorithms_follow_the_nine():
    rng = np.random.default_rng(12)
    t = times("duplicates", 1200, rng)
    x = rng.normal(size=1200)
    user = (UserAlgorithm("above_mean", "Above the mean.", 2, above_mean),)
    policy = Policy(consensus=1, algorithms=(*algorithm_names(), "above_mean"), thresholds=(("above_mean", 1.2),))
    matrix = matrix_of([(t, x), (t, -x)])
    steps = replay_matrix(matrix, ReplayPlan(window=30000, user=user), Overrides(policy))
    assert steps.schema.names[15:18] == ["above_mean_score", "ks_test_d", "ks_test_adf"]
    windows = [window_at(t, x, when, 30000) for when in np.unique(t)]
    plan = ScorePlan(full_duration=30000, as_of="last", scores=True, policies=(policy,), user=user)
    scored = score_matrix(matrix_of(windows), plan)
    first = steps.slice(0, len(windows))
    assert first["votes"].to_pylist() == scored["votes"].to_pylist()
    assert first["anomalous"].to_pylist() == scored["anomalous"].to_pylist()
    got, want = first["above_mean_score"].to_pylist(), scored["above_mean_score"].to_pylist()
    assert [None if v is None else pytest.approx(v, rel=1e-6) for v in want] == got
    assert sum(v is None for v in got) > 120
    assert steps.equals(replay_matrix(matrix, ReplayPlan(window=30000, user=user), Overrides(policy), threads=3))


def hair(t, x, as_of, scratch):
    return 1.0 + x[-1] * 1e-12


def crowd(t, x, as_of, scratch):
    return x.size / 64.0 + 0.0 * (t[-1] - as_of)


def test_a_users_score_keeps_its_side_of_one_as_float32():
    t = START + 60 * np.arange(150)
    x = np.where(np.arange(150) % 3 == 0, 1.0, np.where(np.arange(150) % 3 == 1, -1.0, 0.0))
    user = (UserAlgorithm("hair", "A hair's breadth off one.", 1, hair),)
    policy = Policy(consensus=1, algorithms=("hair",))
    steps = replay_matrix(matrix_of([(t, x)]), ReplayPlan(user=user), Overrides(policy)).slice(99)
    stored = steps["hair_score"].to_numpy()
    assert (stored > 1).tolist() == (x[99:] > 0).tolist() == steps["anomalous"].to_pylist()
    assert stored.max() == np.nextafter(np.float32(1), np.float32(2))
    assert steps["votes"].to_pylist() == (x[99:] > 0).astype(int).tolist()
    limit = Policy(consensus=1, algorithms=("hair",), thresholds=(("hair", 4.0),))
    quarter = replay_matrix(matrix_of([(t, x)]), ReplayPlan(user=user), Overrides(limit)).slice(99)
    assert quarter["hair_score"].to_numpy() == pytest.approx(0.25)


@pytest.mark.parametrize("kind", ["minutes", "gaps", "duplicates"])
@pytest.mark.parametrize("profile", ["native", "earthgecko_batch"])
def test_a_users_algorithm_is_given_exactly_the_window(kind, profile):
    rng = np.random.default_rng(13)
    t = times(kind, 1500, rng)
    user = (UserAlgorithm("crowd", "How many points there are.", 1, crowd),)
    policy = Policy(consensus=1, algorithms=("crowd",))
    steps = replay_matrix(
        matrix_of([(t, rng.normal(size=1500))]), ReplayPlan(PROFILES[profile], 60 * 110, user=user), Overrides(policy)
    )
    stamps = np.unique(t) if profile == "native" else t
    when = steps["timestamp"].to_numpy()
    points = np.searchsorted(stamps, when, "right") - np.searchsorted(stamps, when - 60 * 110, "right")
    found = steps["crowd_score"].to_numpy(zero_copy_only=False)
    analysed = ~np.isnan(found)
    assert analysed.tolist() == [outcome == "analysed" for outcome in steps["outcome"].to_pylist()]
    assert found[analysed].tolist() == (points[analysed] / 64).astype(np.float32).tolist()
    assert analysed.sum() > 100 or kind == "duplicates"
