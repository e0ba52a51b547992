"""Rows about airgaps: what they tell from new points is what a full look finds, or they say that they cannot tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twins.gaps import gaps

from ridgeline.engine.memory.gaps import GapRows
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.gap_rows.layout import CHECK, CLOSED, GAP_WORDS, NEWEST, OPEN, READ, STATE, STEP, UNEVEN, UNKNOWN
from ridgeline.kernels.native import loader

NOW = 1_700_000_000
PERIOD = 21_600
DAY = 86_400


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    loader.prepare("gap_rows")


class One:
    """One series, the row about it, and what runs say of it; `window`: seconds that are judged."""

    def __init__(self, stamps, now, window=DAY, period=PERIOD):
        self.stamps, self.window, self.period = list(stamps), window, period
        self.table = np.zeros((1, GAP_WORDS), np.int64)
        self.read(now)

    def rows(self, now):
        return GapRows(self.table, self.period, now)

    def read(self, now):
        """Read it in full."""
        offsets, stamps = np.array([0, len(self.stamps)]), np.array(self.stamps, np.int64)
        matrix = MetricMatrix.from_columns(strings(["a"]), offsets, stamps, np.zeros(len(stamps)))
        self.rows(now).anchor(matrix, np.array([0]), np.array([self.window]))

    @property
    def points(self):
        """How many points the window holds."""
        return sum(t > self.stamps[-1] - self.window for t in self.stamps)

    def run(self, now, new=()):
        """(usual step, closed gaps, whether one is open) after these new points; None where it is to be read in full, and is."""
        rows = self.rows(now)
        sound = rows.sound(np.array([0]), np.array(self.stamps[-1:]))[0]
        self.stamps += new
        facts = rows.follow(np.array([0]), np.array([0, len(new)]), np.array(new, np.int64), np.array([self.points]))
        step, closed, opened = facts[0].tolist()
        if not sound or step == READ:
            self.read(now)
            return None
        assert len(rows.closed(0)) == closed
        return step, rows.closed(0) if step else [], opened > 0

    def truth(self, now):
        """The same as a full look finds it."""
        step, closed, opened = gaps(
            [t for t in self.stamps if t <= now] if len(self.stamps) >= 30 else [], now, self.period
        )
        return step, closed, opened > 0


def check(found, truth):
    """What a row tells is true; of series without gaps the step may be another, as long as there is one."""
    step, closed, opened = found
    assert (step > 0, closed, opened) == (truth[0] > 0, truth[1], truth[2])
    assert not closed or step == truth[0]


def minutes(count, step=60):
    return list(range(NOW - (count - 1) * step, NOW + 1, step))


def test_a_regular_series_is_never_read_again():
    one = One(minutes(1440), NOW)
    for age in range(1, 700):
        now = NOW + 60 * age
        assert one.run(now, [now]) == (60, [], False)


def test_a_gap_opens_closes_and_is_forgotten():
    one = One(minutes(1440), NOW)
    told = [one.run(NOW + 60 * age) for age in range(1, 20)]
    assert told == [(60, [], 60 * age > 150) for age in range(1, 20)]
    assert one.run(NOW + 1200, [NOW + 1200]) == (60, [], True)
    gap = (NOW + 1, NOW + 1199)
    later = [one.run(now, [now]) for now in range(NOW + 1260, NOW + 30_000, 60)]
    assert later == [(60, [gap] if now - PERIOD <= NOW else [], False) for now in range(NOW + 1260, NOW + 30_000, 60)]


def test_a_series_falls_silent_until_nothing_is_seen_of_it():
    one = One(minutes(1440), NOW)
    reads = 0
    for now in range(NOW + 60, NOW + PERIOD + 600, 60):
        found = one.run(now)
        reads += found is None
        if found is not None:
            check(found, one.truth(now))
    assert reads < 10
    assert one.run(now + 60) == (0, [], False)
    assert one.run(now + 120, [now + 120]) is None


def test_a_young_series_is_followed_until_points_are_lost():
    one = One(minutes(40), NOW)
    for age in range(1, 10):
        assert one.run(NOW + 60 * age, [NOW + 60 * age]) == (60, [], False)
    del one.stamps[0]
    assert one.run(NOW + 600, [NOW + 600]) is None, "a trimmer took its beginning"


def test_a_short_series_is_read_when_it_has_enough_points():
    one = One(minutes(27), NOW)
    assert [one.run(NOW + 60 * age, [NOW + 60 * age]) for age in range(1, 4)] == [(0, [], False), (0, [], False), None]


def test_a_damaged_row_is_read():
    for word in range(1, GAP_WORDS):
        one = One(minutes(1440), NOW)
        one.table[0, word] ^= 1 << 20
        assert one.run(NOW + 60, [NOW + 60]) is None
    assert CHECK == 0


def test_steps_that_are_not_the_usual_one_are_counted_until_they_may_be_most():
    one = One(minutes(1440), NOW)
    last, reads = NOW, 0
    for at in range(300):
        last += (61, 59, 70)[at % 3]
        found = one.run(last, [last])
        reads += found is None
        if found is not None:
            check(found, one.truth(last))
    assert reads < 5
    assert one.table[0, STATE] == UNEVEN


def test_uneven_steps_without_a_gap_are_followed():
    rng = np.random.default_rng(3)
    one = One(NOW - 90_000 + np.cumsum(rng.integers(50, 71, 1500)), NOW)
    last = one.stamps[-1]
    for at in range(100):
        last += int(rng.integers(50, 71))
        found = one.run(last, [last])
        assert found is not None, at
        check(found, one.truth(last))


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([10, 60, 300, 599, 600, 3600]),
    st.sampled_from([3600, PERIOD]),
    st.sampled_from([7200, DAY, 4 * DAY]),
    st.integers(0, 1500),
)
def test_what_a_row_tells_is_what_a_full_look_finds(seed, step, period, window, count):
    """Of senders that stumble, pause and wander, of trimmers by the clock, and of a clock that is before the newest points."""
    rng = np.random.default_rng(seed)
    odd, pause = rng.choice([0.0, 0.02, 0.2]), rng.choice([0.0, 0.003, 0.05])

    def next_after(t):
        if rng.random() < pause:
            return t + int(rng.integers(2, 40)) * step // int(rng.integers(1, 3)) + 1
        if rng.random() < odd:
            return t + int(rng.integers(max(1, step // 2), 3 * step))
        return t + step

    stamps = [NOW]
    while len(stamps) <= count:
        stamps.append(next_after(stamps[-1]))
    now = stamps[-1] + int(rng.integers(0, step))
    held = max(window, period) + 600
    one = One([t for t in stamps if t > now - held] or stamps[-1:], now, window, period)
    following = next_after(one.stamps[-1])
    silent = False
    for _ in range(40):
        now += int(rng.choice([60, 60, 60, step, 5 * step, period // 3]))
        silent = bool(rng.random() < 0.05) != silent
        new = []
        while following <= now:
            if not silent:
                new.append(following)
            following = next_after(following)
        if rng.random() < 0.3:
            one.stamps = [t for t in one.stamps if t > now - held] or one.stamps[-1:]
        found = one.run(now, new)
        if found is not None:
            check(found, one.truth(now))


def test_a_row_of_another_newest_point_or_that_tells_nothing_is_not_sound():
    one = One(minutes(1440), NOW)
    rows = one.rows(NOW)
    assert rows.sound(np.array([0]), np.array([NOW]))[0]
    assert not rows.sound(np.array([0]), np.array([NOW - 60]))[0]
    one.table[0, STATE] = UNKNOWN
    assert not rows.sound(np.array([0]), np.array([NOW]))[0]
    assert (STEP, CLOSED, OPEN, NEWEST) == (0, 1, 2, 1)
