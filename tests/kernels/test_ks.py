"""ks_test against scipy, statsmodels, exact arithmetic and Skyline's own answers."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import ks as oracle_ks
from twins.samples_ks import KINDS, REALISTIC, samples

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.adf.exact import exact_statistic
from ridgeline.kernels.adf.exponential import exp_small
from ridgeline.kernels.adf.lanes import LANES, _interpreted, lagged_products
from ridgeline.kernels.adf.layout import CRITICAL, MIN_POINTS, SCRATCH_FIXED
from ridgeline.kernels.adf.statistic import adf_statistic
from ridgeline.kernels.ks_test import KOLMOGOROV, ks_score
from ridgeline.kernels.shared import switches
from ridgeline.kernels.shared.ks import KS_SCRATCH_FIXED, ks_distance
from ridgeline.kernels.shared.scaling import power_of_two
from ridgeline.kernels.shared.sort import RUN, sort_into

RAW, STANDARDISED = 0, 1


def adf(x, standardise=RAW):
    return adf_statistic(x, standardise, np.empty(2 * x.size + SCRATCH_FIXED))


def distance(a, b):
    return ks_distance(a, b, np.empty(2 * (a.size + b.size) + KS_SCRATCH_FIXED))


def score(t, x, anchor=None, *, daily=0, standardise=RAW, threshold=0.5):
    detail = np.empty(2)
    scratch = np.full(2 * t.size + SCRATCH_FIXED, math.nan)
    anchor = int(t[-1]) if anchor is None else anchor
    given = np.zeros(switches.SWITCHES, np.int64)
    given[[switches.DAILY, switches.STANDARDISE]] = daily, standardise
    given[[switches.PROBE, switches.REFERENCE]] = 600, 3600
    return ks_score(t, x, anchor, given, threshold, scratch, detail), *detail


# The constant bound and the implied p-value.


def test_statistic_below_the_bound_is_p_below_five_percent():
    from statsmodels.tsa.adfvalues import mackinnonp

    def significant(s):
        return mackinnonp(s, regression="c", N=1) < 0.05

    assert not significant(CRITICAL)
    assert significant(CRITICAL * (1 + 1e-15))
    for s in np.concatenate([np.arange(-25, 5, 0.05), CRITICAL + np.arange(-1e-6, 1e-6, 1e-7)]):
        assert significant(s) == (s < CRITICAL), s
    assert significant(-math.inf)
    assert not significant(math.inf)


def test_distance_above_one_half_implies_p_below_five_percent_from_20_points():
    """Exact p for all sizes up to where a bound takes over (Dvoretzky-Kiefer-Wolfowitz with Massart's constant).

    If D > 1/2, one of the two samples strays more than a, or the other more than 1/2 - a, from their common
    distribution, whatever a: p <= 2 exp(-2 m a^2) + 2 exp(-2 n (1/2 - a)^2).
    """
    from scipy.stats import ks_2samp

    def bound(m, n):
        return min(
            2 * math.exp(-2 * m * a * a) + 2 * math.exp(-2 * n * (0.5 - a) ** 2) for a in np.arange(0.05, 0.5, 0.01)
        )

    beyond = 83
    # The bound falls with either size, so these two cover everything outside the square.
    assert bound(20, beyond) < 0.05
    assert bound(36, 36) < 0.05
    worst = 0.0
    for m, n in product(range(20, 36), range(20, beyond)):
        if n < m or bound(m, n) < 0.05:
            continue
        gap, i, j = min(
            (i * n - j * m, i, j) for i in range(m + 1) for j in range(n + 1) if 2 * (i * n - j * m) > m * n
        )
        a = np.r_[np.zeros(i), np.full(m - i, 2.0)]
        b = np.r_[np.zeros(j), np.full(n - j, 2.0)]
        assert distance(a, b) == gap
        result = ks_2samp(a, b, method="exact")
        worst = max(worst, result.pvalue)
        assert gap * gap > KOLMOGOROV * (m + n) * m * n
    assert 0.008 < worst < 0.0083


# The KS distance and the sort below it.


@given(st.lists(st.floats(-5, 5) | st.integers(-3, 3), min_size=1, max_size=300))
def test_sort_sorts(values):
    x = np.array(values, dtype=float)
    out = np.empty(x.size)
    sort_into(x, out, np.empty(max(x.size, RUN)))
    assert np.array_equal(out, np.sort(x))


@pytest.mark.parametrize("n", [1, RUN - 1, RUN, RUN + 1, 2 * RUN, 1000])
def test_sort_at_its_seams(n):
    rng = np.random.default_rng(n)
    for x in (rng.normal(size=n), np.zeros(n), np.arange(n)[::-1] * 1.0, rng.integers(0, 3, n) * 1.0):
        out = np.empty(n)
        sort_into(x, out, np.empty(max(n, RUN)))
        assert np.array_equal(out, np.sort(x))


def test_distance_is_scipys_exactly():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(1)
    for i in range(400):
        n, m = int(rng.integers(1, 90)), int(rng.integers(1, 400))
        if i % 2:
            a, b = rng.integers(0, 9, n) * 1.0, rng.integers(0, int(rng.integers(1, 12)), m) * 1.0
        else:
            a, b = rng.normal(size=n), rng.normal(size=m) + rng.random() * 3
        expected = round(ks_2samp(a, b, method="asymp").statistic * n * m)
        assert distance(a, b) == distance(b, a) == expected


def test_distance_of_large_samples():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(2)
    a, b = rng.normal(size=3000), np.round(rng.normal(size=601), 1)
    assert distance(a, b) == round(ks_2samp(a, b, method="asymp").statistic * 3000 * 601)


# The ADF statistic against statsmodels.


@pytest.mark.parametrize(("seed", "rounds"), [(20, 5), pytest.param(25, 400, marks=pytest.mark.long)])
def test_votes_on_every_kind_of_sample_are_those_of_statsmodels(seed, rounds):
    """Where they differ, statsmodels itself is of two minds a few last digits away, or exact arithmetic sides with us."""
    seen, noise = Counter(), Counter()
    for kind, x in samples(seed, rounds):
        seen[kind] += 1
        ours = adf(x) < CRITICAL
        if ours == oracle_ks.adf_vote(x):
            continue
        noise[kind] += 1
        if not oracle_ks.adf_is_noise(x):
            exact = oracle_ks.adf_exact(x)
            assert exact is not None, (kind, x.size)
            assert (exact < CRITICAL) == ours, (kind, x.size)
    assert len(seen) >= 50
    assert not set(noise) & set(REALISTIC)
    assert noise.total() < 0.04 * seen.total(), noise


def test_votes_and_statistics_on_realistic_samples_are_those_of_statsmodels():
    for kind, x in samples(seed=21, rounds=10, kinds=REALISTIC):
        statistic, p = oracle_ks.adf(x)
        assert (adf(x) < CRITICAL) == (p < 0.05), (kind, x.size)
        assert (adf(x, STANDARDISED) < CRITICAL) == (p < 0.05), (kind, x.size)
        if not (math.isnan(statistic) or abs(statistic) > 1e6):
            assert adf(x) == pytest.approx(statistic, rel=1e-6, abs=1e-9), (kind, x.size)


def test_standardised_statistic_is_the_exact_one():
    """Offsets at which statsmodels, on raw columns, loses the constant included."""
    kinds = ["noise", "walk", "AR 0.9", "lag 10", "spikes", "heavy tails", "flat after 10", "two levels", "one at ten"]
    kinds += ["period 24", "tiny", "huge", "1e9 +- 1", "1e12 and noise", "1e6 and walk"]
    rng = np.random.default_rng(22)
    for kind in kinds:
        x = np.ascontiguousarray(KINDS[kind](rng, 44))
        exact = oracle_ks.adf_exact(x)
        assert exact is not None, kind
        assert adf(x, STANDARDISED) == pytest.approx(exact, rel=1e-6), kind


def test_raw_units_can_cost_statsmodels_the_answer_and_reference_profiles_follow_it():
    x = 1e9 + np.random.default_rng(3).choice([-1.0, 1.0], 300)
    assert oracle_ks.adf_exact(x) < CRITICAL
    assert not oracle_ks.adf_vote(x)
    assert not adf(x, RAW) < CRITICAL
    assert adf(x, STANDARDISED) < CRITICAL


@given(
    st.sampled_from(REALISTIC),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1e-12, 1e-3, 0.1, 3.0, 1e7, 2.0**40]),
    st.sampled_from([0.0, 1.0, -1e3, 1e6]),
    st.booleans(),
)
def test_standardised_statistic_has_no_unit(kind, seed, scale, shift, flip):
    rng = np.random.default_rng(seed)
    x = np.ascontiguousarray(KINDS[kind](rng, int(rng.integers(24, 200))))
    if not np.ptp(x) > 0:
        return
    expected = adf(x, STANDARDISED)
    moved = scale * ((-x if flip else x) + shift * np.std(x))
    if math.isinf(expected):
        assert adf(moved, STANDARDISED) == expected
    else:
        assert adf(moved, STANDARDISED) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_both_paths_agree_where_both_answer():
    for kind, x in samples(seed=23, rounds=5, kinds=REALISTIC):
        if x.size < MIN_POINTS or not np.ptp(x) > 0:
            continue
        z = (x - x.mean()) / x.std()
        d = np.append(np.diff(z), 0.0)
        exact = exact_statistic(z, d, 1.0, np.empty(SCRATCH_FIXED))
        assert adf(z) == pytest.approx(exact, rel=1e-7, abs=1e-9), kind


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.arange(40.0), 0.0),
        (np.arange(40) * 0.1, 0.0),
        (np.arange(40) % 2 + 0.0, -math.inf),
        (np.resize([3.0, 1.0, 2.0], 60), -math.inf),
        (2.0 ** np.arange(40), math.inf),
        (0.5 ** np.arange(40), -math.inf),
    ],
    ids=["ramp", "ramp of tenths", "alternating", "period 3", "growth", "decay"],
)
@pytest.mark.parametrize("standardise", [RAW, STANDARDISED])
def test_exact_fits_are_judged_by_their_slope(x, expected, standardise):
    assert adf(x, standardise) == expected


def test_no_test_without_enough_points_or_spread():
    rng = np.random.default_rng(4)
    for standardise in (RAW, STANDARDISED):
        assert math.isnan(adf(rng.normal(size=MIN_POINTS - 1), standardise))
        assert not math.isnan(adf(rng.normal(size=MIN_POINTS), standardise))
        assert math.isnan(adf(np.full(100, 0.1), standardise))
        assert math.isnan(adf(np.zeros(100), standardise))


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-200, 1e-80, 1e80, 1e200, 1e305])
def test_extreme_units_change_no_standardised_vote(scale):
    x = np.round(np.random.default_rng(5).normal(size=100) * 100)
    expected = adf(x, STANDARDISED)
    assert adf(x * scale, STANDARDISED) == pytest.approx(expected, rel=1e-6)


def test_result_does_not_depend_on_what_scratch_held():
    rng = np.random.default_rng(6)
    for kind, x in samples(seed=24, rounds=1):
        for standardise in (RAW, STANDARDISED):
            size = 2 * x.size + SCRATCH_FIXED
            clean = adf_statistic(x, standardise, np.zeros(size))
            dirty = rng.integers(-(2**63), 2**63 - 1, size + 8, dtype=np.int64).view(np.float64)
            after = dirty[size:].copy()
            again = adf_statistic(x, standardise, dirty[:size])
            assert np.float64(clean).tobytes() == np.float64(again).tobytes(), kind
            assert dirty[size:].tobytes() == after.tobytes()


def test_lanes_sum_in_order():
    @exact_kernel
    def compiled(y, d, rows, out):
        """Call the intrinsic."""
        lagged_products(y, d, rows, out)

    rng = np.random.default_rng(7)
    for rows in (0, 1, 2, 7, 300):
        y, d = rng.normal(size=max(rows, 1)), rng.normal(size=rows + LANES - 1)
        ours, plain = np.empty(LANES), np.empty(LANES)
        compiled(y, d, rows, ours)
        _interpreted(y, d, rows, plain)
        assert ours.tobytes() == plain.tobytes()


def test_scaling():
    for size in (5e-324, 1e-300, 0.3, 1.0, 1.9, 2.0, 1e9, 1e308):
        c = power_of_two(size, np.empty(1))
        assert math.frexp(c)[0] == 0.5
        if 1e-300 <= size < 2.0**1022:
            assert 1.0 <= size * c < 2.0
    for y in np.linspace(-4, 4, 101):
        assert exp_small(y) == pytest.approx(math.exp(y), rel=1e-14)


# The whole rule.


@pytest.mark.parametrize("rounds", [150, pytest.param(2000, marks=pytest.mark.long)])
def test_rule_on_random_series_is_the_plain_one(rounds):
    rng = np.random.default_rng(8)
    fired = Counter()
    for i in range(rounds):
        daily = i % 4 == 0
        n = int(rng.integers(2, 500))
        step = 86400 if daily else int(rng.choice([5, 10, 30, 31, 60]))
        t = 1_700_000_000 + step * np.arange(n) + (0 if daily else rng.integers(0, 3, n) * (i % 3))
        t = np.sort(rng.choice(t, n)) if i % 5 == 0 else np.sort(t)  # repeated timestamps and gaps
        x = rng.normal(size=n) if i % 2 else np.cumsum(rng.normal(size=n))
        anchor = int(t[-1]) + int(rng.integers(-700, 300)) * (i % 2)
        recent = t >= anchor - (30 * 86400 if daily else 600)
        x[recent] += rng.choice([0.0, 3.0, 30.0])
        for by_day in (False, True):
            ours, d, statistic = score(t, x, anchor, daily=int(by_day))
            assert (ours > 1) == oracle_ks.ks_test(t, x, anchor, daily=by_day)
            assert (not math.isnan(statistic)) == (
                d > 0.5 and not math.isnan(oracle_ks.adf(_reference(t, x, anchor, by_day))[0])
            )
            fired[ours > 1] += 1
    assert fired[True] > rounds // 10
    assert fired[False] > rounds // 10


def _reference(t, x, anchor, by_day):
    probe, reference = (600, 3600)
    if by_day and 80000 < t[-1] - t[-2] < 90000:
        probe, reference = (30 * 86400, 90 * 86400)
    return x[(t >= anchor - reference) & (t < anchor - probe)]


def _series(n_reference, n_probe, step=10):
    """Reference and probe of these sizes with the anchor at the last point; noise, then noise ten higher."""
    anchor = 1_700_000_000
    t = anchor + np.r_[-600 - step * np.arange(n_reference, 0, -1), -step * np.arange(n_probe - 1, -1, -1)]
    x = np.random.default_rng(9).normal(size=t.size)
    x[n_reference:] += 10.0
    return t, x


def test_twenty_points_a_sample():
    assert score(*_series(300, 20))[0] == 2.0
    assert score(*_series(300, 19))[0] == 0.0
    assert score(*_series(24, 30))[0] == 2.0
    assert score(*_series(19, 30))[0] == 0.0
    assert all(map(math.isnan, score(*_series(19, 30))[1:]))


def test_reference_too_short_for_adf_stays_at_one():
    ours, d, statistic = score(*_series(22, 30))
    assert (ours, d) == (1.0, 1.0)
    assert math.isnan(statistic)


def test_constant_reference_compares_with_nothing():
    t, x = _series(100, 30)
    x[:100] = 0.1
    assert score(t, x)[0] == 0.0


def test_constant_probe_is_compared():
    t, x = _series(100, 30)
    x[100:] = 50.0
    assert score(t, x)[0] == 2.0


def test_score_is_distance_over_threshold_where_adf_agrees():
    t, x = _series(300, 61)
    x[300:] -= 8.0
    ours, d, statistic = score(t, x)
    assert statistic < CRITICAL
    assert ours == 2 * d > 1
    assert score(t, x, threshold=0.3)[0] == d / 0.3
    assert score(t, x, threshold=d)[0] == 1.0
    assert math.isnan(score(t, x, threshold=0.9)[2])


def test_walking_reference_holds_the_score_at_one():
    t, x = _series(300, 61)
    x[:300] = np.cumsum(x[:300])
    x[300:] += 100
    ours, d, statistic = score(t, x)
    assert d > 0.5
    assert not statistic < CRITICAL
    assert ours == 1.0


def test_lower_threshold_still_asks_for_significance():
    """20 against 24 points, D = 0.3: p = 0.22."""
    t, x = _series(24, 20)
    x[:24] = np.r_[np.full(8, -1.0), np.arange(16)][np.random.default_rng(1).permutation(24)]
    x[24:] = np.r_[np.full(13, -1.0), np.arange(7)]
    ours, d, _ = score(t, x, threshold=0.2)
    assert 0.2 < d < 0.41
    assert ours == 1.0


# Skyline's own answers.


@pytest.mark.parametrize("name", ["10s", "30s", "edge"])
@pytest.mark.parametrize(("side", "daily"), [("analyzer", 0), ("batch", 1)])
def test_parity(shared, name, side, daily):
    pl = pytest.importorskip("polars", reason="needs ridgeline[yardsticks], to read with polars")
    points = (
        pl.read_parquet(shared / "parity" / f"{name}.parquet").drop_nulls("value").filter(pl.col("value").is_finite())
    )
    expected = pl.read_parquet(shared / "parity" / f"{name}.expected_{side}.parquet")
    series = {m: rows for (m,), rows in points.with_columns(pl.col("metric").cast(pl.String)).group_by("metric")}
    votes = Counter()
    for metric, vote, fragile in expected.select(pl.col("metric").cast(pl.String), "ks_test", "fragile").iter_rows():
        if vote is None or "ks_test" in fragile:
            continue
        rows = series[metric].sort("timestamp", maintain_order=True)
        t, x = np.array(rows["timestamp"]), np.array(rows["value"])
        anchor = int(rows["as_of"][0]) if side == "analyzer" else int(t[-1])
        assert (score(t, x, anchor, daily=daily)[0] > 1) == vote, metric
        votes[vote] += 1
    assert votes[True] >= 10
    assert votes[False] >= 40
