"""Counters in the memory: their class by counts of neighbouring pairs, their rises by sums, as a full read has both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.hostile.kinds import KINDS
from rigs.hostile.watched import SHAPES, Watched
from rigs.memory import Fleet, packed, pair
from twins import counter as twin

from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.kernels.memory import layout
from ridgeline.kernels.memory.neighbours import COMES, LEAVES, count_pair, count_pairs, tells_counter
from ridgeline.kernels.prepare.layout import DERIVE, DETECT

NOW = 1_700_000_000
COUNTERS = tuple(kind for kind in KINDS if "counter" in kind or kind == "turning")
NEVER_STALE = Policy(stale_period=2**40)


def reason(code):
    """Why a row is read in full; another code as it is."""
    return layout.READS[code - layout.READ] if code >= layout.READ else int(code)


@pytest.mark.parametrize("asks", [DETECT, DERIVE])
@pytest.mark.parametrize("shape", SHAPES)
def test_counters_under_a_hostile_hand_are_settled_as_a_full_read_settles_them(shape, asks):
    watched = Watched(shape, asks=asks, seed=11, kinds=COUNTERS).run(12)
    assert watched.wrong == []
    assert watched.share(layout.SETTLED, layout.QUIET) > 0.4


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("asks", [0, DETECT, DERIVE])
@pytest.mark.parametrize("shape", SHAPES)
def test_two_hundred_minutes_of_it(shape, asks, seed):
    watched = Watched(shape, asks=asks, seed=seed, copies=2, kinds=COUNTERS).run(200)
    assert watched.wrong == []


def counts(x):
    """A row that counts the pairs of a window."""
    w = np.zeros(layout.HOT_WORDS, np.int64)
    count_pairs(w, x)
    return w


@st.composite
def walks(draw):
    """Values of a counter, or nearly of one, of a few hundred steps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = np.cumsum(rng.poisson(draw(st.sampled_from([0.05, 0.2, 3.0])), draw(st.integers(91, 400)))).astype(float)
    for _ in range(draw(st.integers(0, 30))):
        at = int(rng.integers(1, len(x)))
        x[at:] += x[at - 1] * draw(st.sampled_from([0.0, 0.0099, 0.0101, 0.5])) - x[at]
    return x * draw(st.sampled_from([1.0, 0.37, 1e5])) - draw(st.sampled_from([0.0, 0.0, 0.0, 1.0]))


@examples(20)
@given(x=walks(), window=st.integers(80, 200))
def test_pairs_that_come_and_leave_tell_what_their_window_tells(x, window):
    w = counts(x[:window])
    for end in range(window, len(x) + 1):
        start = end - window
        if end > window:
            count_pair(w, x[end - 2], x[end - 1], COMES)
            count_pair(w, x[start - 1], x[start], LEAVES)
        inside = x[start:end]
        assert (w == counts(inside)).all()
        assert tells_counter(w, window, int((inside < 0).sum())) == twin.is_counter(inside, "native")


def series(seed, n, rate=5.0, newest=NOW):
    rng = np.random.default_rng(seed)
    return newest - 60 * np.arange(n)[::-1], np.cumsum(rng.poisson(rate, n)).astype(float)


def remembered(rows, asks, window=86400, **options):
    """A fleet of series (t, x), read in full now."""
    found = Fleet([packed(*row) for row in rows], ScorePlan(full_duration=window, **options), asks=asks)
    found.anchor(range(len(rows)), NOW)
    return found


@pytest.mark.parametrize("asks", [0, DETECT, DERIVE])
def test_what_a_row_is_follows_from_what_is_asked(asks):
    ours = remembered([series(1, 1500), (series(1, 1500)[0], np.random.default_rng(2).normal(size=1500))], asks)
    counter = {0: layout.VALUES, DETECT: layout.WATCHED_DERIVED, DERIVE: layout.DERIVED}[asks]
    gauge = {0: layout.VALUES, DETECT: layout.WATCHED, DERIVE: layout.DERIVED}[asks]
    assert ours.mark(layout.STATE).tolist() == [counter, gauge]
    assert ours.mark(layout.COUNTER).tolist() == [int(asks == 0), 0]


def test_a_quiet_fleet_of_counters_is_hardly_ever_read_in_full():
    ours = remembered([series(seed, 1500) for seed in range(30)], DETECT)
    last, codes = [x[-1] for _, x in (series(seed, 1500) for seed in range(30))], []
    rng = np.random.default_rng(9)
    for minute in range(1, 31):
        for row in range(30):
            last[row] += rng.poisson(5)
            ours.stored[row] += pair(NOW + 60 * minute, last[row])
        codes += map(reason, ours.minute(NOW + 60 * minute).tolist())
    assert set(codes) <= {layout.SETTLED, "undecided"}
    assert codes.count("undecided") < len(codes) / 50


@pytest.mark.parametrize("fall", [lambda x: -5.0, lambda x: x / 2])
def test_a_class_that_flips_is_read_in_full_and_remembered_anew(fall):
    """A value below 0, or one drop that is no reset, ends a counter until it has left the window."""
    t, x = NOW - 60 * np.arange(200)[::-1], 1000 + 2.0 * np.arange(200)
    ours = remembered([(t, x)], DETECT, window=7200)
    states, told, value = [], [], x[-1]
    for minute in range(1, 150):
        value = fall(value) if minute == 5 else value + 2
        ours.stored[0] += pair(NOW + 60 * minute, value)
        told.append(reason(ours.minute(NOW + 60 * minute)[0]))
        states.append(int(ours.mark(layout.STATE)[0]))
    assert [minute for minute, code in enumerate(told, 1) if code == "class"] == [
        5,
        states.index(layout.WATCHED_DERIVED, 5) + 1,
    ]
    assert states[:4] == [layout.WATCHED_DERIVED] * 4
    assert states[4:120] == [layout.WATCHED] * 116
    assert states[-1] == layout.WATCHED_DERIVED


def test_a_reset_brings_no_rise_but_is_no_silence():
    t, x = series(4, 1500)
    ours = remembered([(t, x)], DERIVE)
    ours.stored[0] += pair(NOW + 60, 3.0)
    assert ours.minute(NOW + 60).tolist() == [layout.QUIET]
    assert ours.hot[0, layout.LAST] == NOW
    assert ours.hot.view(np.int32)[0, layout.AHEAD] == 60
    ours.stored[0] += pair(NOW + 120, 8.0)
    assert reason(ours.minute(NOW + 120)[0]) in {layout.SETTLED, "undecided"}
    assert (ours.hot[0, layout.LAST], ours.hot.view(np.int32)[0, layout.AHEAD]) == (NOW + 120, 0)
    assert ours.hot.view(np.float64)[0, layout.VALUE] == 5.0


def test_a_young_counter_loses_its_head_with_its_key():
    t, x = series(5, 300)
    ours = remembered([(t, x)], DETECT)
    assert ours.minute(NOW + 30).tolist() == [layout.QUIET]
    ours.stored[0] = packed(t[20:], x[20:])
    assert reason(ours.minute(NOW + 31)[0]) in {layout.QUIET, "undecided"}
    assert ours.hot[0, layout.COUNT] == 279
    assert ours.hot.view(np.int32)[0, layout.RAW_COUNT] == 280
    ours.stored[0] = packed(t[21:], np.append(x[21] + 1, x[22:]))
    assert reason(ours.ask(NOW + 32)[0]) == "window"


@pytest.mark.parametrize(("step", "count"), [(3600, 119), (60, 120)])
def test_a_rise_whose_point_before_is_trimmed_is_lost(step, count):
    """The trimmer leaves 600 seconds beyond the window: less than a step, where steps are long."""
    t, x, window = NOW - step * np.arange(123)[::-1], np.arange(123.0), 120 * step - step // 2
    ours = remembered([(t, x)], DETECT, window=window)
    now = NOW + 500
    kept = t > now - window - 600
    ours.stored[0] = packed(t[kept], x[kept])
    ours.minute(now)
    assert ours.hot[0, layout.COUNT] == count


def test_a_declared_counter_that_never_rose_is_read_each_run():
    t = NOW - 60 * np.arange(200)[::-1]
    ours = remembered([(t, 1e6 - np.arange(200.0))], DERIVE)
    assert reason(ours.ask(NOW)[0]) == "odd"


@examples(15)
@given(
    x=walks(),
    known=st.integers(5, 90),
    asks=st.sampled_from([DETECT, DERIVE]),
    window=st.sampled_from([3600, 7200, 86400]),
    jump=st.integers(1, 5),
)
def test_any_counter_point_by_point(x, known, asks, window, jump):
    profile = PROFILES["native"]
    t = NOW + 60 * np.arange(len(x))
    ours = Fleet([packed(t[:known], x[:known])], ScorePlan(profile, window, policies=(NEVER_STALE,)), asks=asks)
    ours.anchor([0], int(t[known - 1]))
    for start in range(known, len(x), jump):
        piece = slice(start, start + jump)
        ours.stored[0] += packed(t[piece], x[piece])
        ours.minute(int(t[piece][-1]))
