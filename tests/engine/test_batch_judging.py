"""Batch judges every new point as `score` would have, as of that point, however the points are cut into passes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import strategies

from ridgeline.engine.batch.judging import NEVER, Judging, judge
from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.score.verdicts import OUTCOMES, REASONS
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import FAILED, TRUE

START = 1_700_000_000
VOTES = {False: 0, True: 1}
OVERRIDES = (
    Override("loud", consensus=1, algorithms=("grubbs", "histogram_bins"), thresholds=(("grubbs", 0.5),)),
    Override("up", consensus=2, direction="up", min_change=0.5),
    Override("brief", consensus=3, full_duration=5400, stale_period=60),
    Override("slow", consensus=2, full_duration=90 * 86400, resolution_aware=True),
)
NAMES = ("plain", "loud", "up", "brief", "slow")


def matrix_of(rows, names=NAMES):
    offsets = np.concatenate([[0], np.cumsum([len(t) for t, _ in rows])]).astype(np.int64)
    t, x = (np.concatenate([np.asarray(row[k]) for row in rows]) for k in (0, 1))
    return MetricMatrix.from_columns(pa.array(list(names[: len(rows)])), offsets, t, x.astype(np.float64))


def told(judged, metrics):
    """Points as rows that can be compared."""
    columns = zip(
        judged.row.tolist(), judged.timestamp.tolist(), judged.value.tolist(), judged.outcome.tolist(),
        judged.reason.tolist(), judged.anomalous.tolist(), judged.votes.T.tolist(), strict=True,
    )  # fmt: skip
    return {
        (metrics[row], stamp): (value, OUTCOMES[outcome], REASONS[reason] if reason else None, anomalous, votes)
        for row, stamp, value, outcome, reason, anomalous, votes in columns
    }


def as_score_says(matrix, row, stamp, analysis, overrides, preparation, user=()):
    """The verdict of one row's points up to `stamp`, as of then, told like a judged point."""
    begin, end = matrix.offsets[row], matrix.offsets[row + 1]
    t, x = matrix.timestamps[begin:end], matrix.values[begin:end]
    scorer = Scorer.of(analysis, overrides, preparation=preparation, as_of=stamp, user=user, threads=1)
    name = matrix.name(row)
    window = scorer.overrides.policy(name).full_duration or analysis.full_duration
    here = t <= stamp
    if not scorer.plan.profile.windowed:
        here &= t > stamp - window
    verdict = scorer.score(matrix_of([(t[here], x[here])], [name])).to_pylist()[0]
    votes = [
        FAILED if one in verdict["failed"] else 2 if verdict[one] is None else VOTES[verdict[one]]
        for one in scorer.plan.names
    ]
    values = verdict["datapoint"], verdict["outcome"], verdict["reason"], bool(verdict["anomalous"]), votes
    return verdict["timestamp"], values


def assert_as_score(matrix, after, analysis, overrides=OVERRIDES, preparation=UNPREPARED, user=(), most=40):
    judging = Judging.of(analysis, overrides, preparation=preparation, user=user, threads=1)
    found = told(judge(matrix, after, judging), matrix.metrics.to_pylist())
    wanted = 0
    for row in range(len(matrix)):
        stamps = np.unique(matrix.timestamps[matrix.offsets[row] : matrix.offsets[row + 1]])
        stamps = stamps[stamps > after[row]]
        assert {stamp for name, stamp in found if name == matrix.name(row)} <= set(stamps.tolist())
        for stamp in stamps[np.unique(np.linspace(0, len(stamps) - 1, most).astype(int))] if len(stamps) else ():
            newest, verdict = as_score_says(matrix, row, int(stamp), analysis, overrides, preparation, user)
            if newest < stamp:  # a counter was reset: nothing is known of its rise
                assert (matrix.name(row), int(stamp)) not in found
                continue
            assert found[matrix.name(row), int(stamp)] == verdict, (matrix.name(row), int(stamp))
            wanted += 1
    return wanted


@examples(8)
@pytest.mark.parametrize("profile", ["native", "earthgecko", "earthgecko_batch", "etsy"])
@given(
    rows=st.lists(strategies.series(min_size=1, max_size=260), min_size=1, max_size=5),
    share=st.floats(0, 1),
    window=st.sampled_from([5400, 20000, 86400]),
)
def test_every_new_point_is_judged_as_score_would_have_judged_it(profile, rows, share, window):
    matrix = matrix_of(rows)
    after = np.array([NEVER if share > 0.9 else t[int(len(t) * share) - 1] for t, _ in rows])
    assert_as_score(matrix, after, Analysis(profile=profile, full_duration=window, all_votes=True), most=8)


@examples(8)
@given(
    seed=st.integers(0, 2**32 - 1),
    counters=st.sampled_from(["off", "auto", ("plain", "up")]),
    fill=st.sampled_from(["zero_fill", "last_known_value", None]),
)
def test_prepared_points_are_judged_as_score_would_have_judged_them(seed, counters, fill):
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(2):
        n = int(rng.integers(110, 320))
        x = np.cumsum(rng.poisson(20, n)).astype(float)
        at = int(rng.integers(100, n))
        x[at:] -= x[at]
        rows.append((START + np.cumsum(rng.choice([60, 60, 60, 60, 300], n)), x))
    matrix = matrix_of(rows, ("plain", "up"))
    after = np.array([t[-40] for t, _ in rows])
    given_ = Preparation(counters, **({} if fill is None else {fill: ("plain", "up")}))
    assert_as_score(matrix, after, Analysis(full_duration=7200, all_votes=True), preparation=given_, most=30)


def test_points_are_judged_by_their_cutoffs_as_score_would_have_judged_them():
    rng = np.random.default_rng(8)
    t = START + 60 * np.arange(240)
    matrix = matrix_of([(t, rng.normal(size=240)) for _ in range(2)])
    cutoffs = (("grubbs", 0.3), ("least_squares", 1e300), ("median_absolute_deviation", 0.2))
    analysis = Analysis(all_votes=True, consensus=3, cutoffs=cutoffs, rule_threshold=0.9)
    loud = (Override("loud", cutoffs=(("histogram_bins", 1e-9), ("grubbs", 1.0)), rule_threshold=0.5),)
    after = np.array([NEVER, t[120]])
    assert assert_as_score(matrix, after, analysis, loud) > 70
    judged = judge(matrix, after, Judging.of(analysis, loud, threads=1))
    assert 0 < judged.anomalous.sum() < len(judged)


def swing(t, x, as_of, scratch):
    if x[-1] < -2:
        return np.nan
    return abs(x[-1] - x[0])


def test_users_algorithms_judge_every_new_point_too():
    rng = np.random.default_rng(1)
    t = START + 60 * np.arange(200)
    matrix = matrix_of([(t, rng.normal(size=200) * 2) for _ in range(2)])
    user = (UserAlgorithm("swing", "First against last.", 2, swing),)
    after = np.array([NEVER, t[120]])
    analysis = Analysis(all_votes=True, consensus=2)
    compared = assert_as_score(matrix, after, analysis, (Override("loud", algorithms=("grubbs", "swing")),), user=user)
    judged = judge(matrix, after, Judging.of(analysis, user=user, threads=1))
    assert compared > 70
    assert {0, TRUE, FAILED} <= set(judged.votes[-1].tolist())
    assert judged.names[-1] == "swing"


@pytest.mark.parametrize("profile", ["native", "earthgecko_batch"])
@examples(6)
@given(
    data=st.data(),
    series=strategies.series(min_size=30, max_size=400),
    counters=st.sampled_from(["off", "auto"]),
)
def test_however_the_points_are_cut_into_passes_the_verdicts_are_the_same(profile, data, series, counters):
    t, x = series
    judging = Judging.of(
        Analysis(profile=profile, full_duration=20000), preparation=Preparation(counters, zero_fill=("up",)), threads=1
    )
    names = ["plain", "up"]
    whole = told(judge(matrix_of([(t, x), (t, x)], names), np.full(2, NEVER), judging), names)
    cuts = sorted({int(t[at]) for at in data.draw(st.lists(st.integers(0, len(t) - 1), max_size=6))} | {int(t[-1])})
    after, found = np.full(2, NEVER), {}
    for cut in cuts:
        # What came until then, of it no more than a pass needs: the window before each new point, and the point before.
        oldest = np.searchsorted(t, after.max() - 20000) if after.max() != NEVER and counters == "off" else 0
        here = slice(max(oldest - 1, 0), np.searchsorted(t, cut, "right"))
        judged = judge(matrix_of([(t[here], x[here])] * 2, names), after, judging)
        assert not set(told(judged, names)) & set(found)
        found |= told(judged, names)
        assert (judged.newest == cut).all()
        after = judged.newest
    assert found == whole


def test_points_of_the_past_are_never_stale_and_a_month_is_ordinary_work():
    rng = np.random.default_rng(3)
    n = 30 * 144
    t = START - 10 * 365 * 86400 + 600 * np.arange(n)
    x = rng.normal(size=n)
    spikes = np.arange(2000, n, 350)
    x[spikes] += 60
    judging = Judging.of(Analysis(full_duration=604800), threads=1)
    judged = judge(matrix_of([(t, x)]), np.array([NEVER]), judging)
    assert [OUTCOMES[code] for code in np.unique(judged.outcome)] == ["analysed", "too_short"]
    assert np.flatnonzero(judged.outcome).tolist() == list(range(99)), "only what has no past yet"
    assert set(spikes.tolist()) <= set(np.flatnonzero(judged.anomalous).tolist())


def test_where_the_window_before_the_watermark_is_gone_points_are_too_short():
    t = START + 60 * np.arange(400)
    x = np.sin(np.arange(400.0))
    judged = judge(matrix_of([(t[300:], x[300:])]), np.array([t[299]]), Judging.of(Analysis(), threads=1))
    assert [OUTCOMES[code] for code in judged.outcome] == ["too_short"] * 99 + ["analysed"]


def test_a_boring_past_is_boring_until_something_happens():
    t = START + 60 * np.arange(300)
    x = np.where(np.arange(300) < 250, 5.0, 9.0)
    judged = judge(matrix_of([(t, x)]), np.array([t[199]]), Judging.of(Analysis(), threads=1))
    assert [OUTCOMES[code] for code in judged.outcome] == ["boring"] * 50 + ["analysed"] * 50


def test_rows_without_new_points_have_none_and_keep_their_watermark():
    t = START + 60 * np.arange(120)
    x = np.arange(120.0) % 7
    rows = [(t, x), (t[:0], x[:0]), (t, x), (t, np.full(120, np.nan))]
    after = np.array([t[-1], START, t[-1] + 500, NEVER])
    judged = judge(matrix_of(rows), after, Judging.of(Analysis(), threads=1))
    assert len(judged) == 0
    assert judged.newest.tolist() == after.tolist()
    assert judged.votes.shape == (9, 0)


def test_what_lies_beyond_the_instant_waits_for_another_pass():
    t = START + 60 * np.arange(200)
    x = np.sin(np.arange(200.0))
    matrix, judging = matrix_of([(t, x), (t[150:], x[150:])]), Judging.of(Analysis(), threads=1)
    first = judge(matrix, np.full(2, NEVER), judging, until=int(t[119]) + 5)
    assert first.newest.tolist() == [t[119], NEVER]
    assert first.timestamp.tolist() == t[:120].tolist()
    second = judge(matrix, first.newest, judging)
    whole = told(judge(matrix, np.full(2, NEVER), judging), NAMES)
    assert told(first, NAMES) | told(second, NAMES) == whole


@pytest.mark.parametrize("extreme", [2**63 - 1, -(2**63) + 1, 0])
def test_any_watermark_is_no_more_than_an_instant(extreme):
    t = START + 60 * np.arange(3)
    judged = judge(matrix_of([(t, t * 1.0)]), np.array([extreme]), Judging.of(Analysis(), threads=1))
    assert len(judged) == (0 if extreme > START else 3)


def test_disorder_duplicates_and_points_without_a_number():
    rng = np.random.default_rng(7)
    t = START + 60 * np.arange(260)
    x = 1e15 + np.round(rng.normal(size=260) * 20)
    x[200] += 4000
    shuffled = rng.permutation(260)
    clean = judge(matrix_of([(t, x)]), np.array([t[99]]), Judging.of(Analysis(), threads=1))
    mess_t = np.concatenate([t[shuffled], t[shuffled][:50], t[:20]])
    mess_x = np.concatenate([np.full(260, np.nan), np.full(50, np.inf), x[:20]])
    matrix = matrix_of([(np.concatenate([mess_t, t]), np.concatenate([mess_x, x]))])
    judged = judge(matrix, np.array([t[99]]), Judging.of(Analysis(), threads=1))
    assert told(judged, NAMES) == told(clean, NAMES)
    assert judged.anomalous[100]


def test_an_anomaly_tells_its_window_its_votes_and_that_it_is_back_dated():
    t = START + 60 * np.arange(300)
    x = np.cumsum(np.random.default_rng(2).poisson(30, 300)).astype(float)
    x[250:] += 9000
    given_ = Preparation("auto")
    judging = Judging.of(Analysis(full_duration=7200), preparation=given_, threads=1)
    judged = judge(matrix_of([(t, x)]), np.array([t[240]]), judging)
    (at,) = np.flatnonzero(judged.anomalous)
    stamps, values = judged.window(at)
    assert stamps.tolist() == t[131:251].tolist()
    assert values.tolist() == np.diff(x)[130:250].tolist()
    found = judged.anomaly(at, "plain")
    assert (found.timestamp, found.value, found.backdated, found.negatives) == (t[250], x[250] - x[249], True, False)
    assert found.algorithms_run == judging.names
    assert len(found.algorithms) == found.votes >= 6
