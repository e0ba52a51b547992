"""The gaps kernel agrees with its readable twin on any ascending series, and keeps to its arrays."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twins import gaps as oracle

from ridgeline.engine.prepare.airgaps import find_gaps
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.kernels.gaps import layout
from ridgeline.kernels.native import loader
from ridgeline.kernels.shared.sort import RUN

START = 1_700_000_000
HOUR = 3600

steps = st.one_of(
    st.lists(st.sampled_from([60, 60, 60, 150, 151, 149, 7200]), max_size=200),
    st.lists(st.sampled_from([600, 600, 1260, 1261, 1259, 599, 0]), max_size=120),
    st.lists(st.integers(0, 400), max_size=200),
    st.lists(st.sampled_from([1, 2, 3, 10**9]), max_size=200),
    st.builds(lambda step, n, at, hole: [step] * at + [hole] + [step] * n,
              st.integers(1, 4000), st.integers(0, 200), st.integers(0, 200), st.integers(0, 20_000)),
)  # fmt: skip
rows = st.builds(lambda apart: [START, *(START + np.cumsum(apart)).tolist()] if apart else [], steps)
periods = st.sampled_from([1, 60, HOUR, 6 * HOUR, 86400, 10**6]) | st.integers(1, 10**5)


def matrix_of(series):
    lengths = [len(row) for row in series]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    stamps = np.array([t for row in series for t in row], np.int64)
    names = strings([f"m.{number}" for number in range(len(series))])
    return MetricMatrix.from_columns(names, offsets, stamps, np.zeros(len(stamps)))


def found_in(series, as_of, period, most=100):
    return find_gaps(matrix_of(series), np.array(as_of, np.int64), period, most)


@given(
    series=st.lists(rows, min_size=1, max_size=5),
    ages=st.lists(st.none() | st.integers(-5000, 5000), min_size=5, max_size=5),
    period=periods,
    most=st.sampled_from([1, 2, 100]),
)
@example([[START + 60 * i for i in range(29)]], [10**6] * 5, HOUR, 1)
@example([[START + 60 * i for i in range(30)]], [10**6] * 5, 10**7, 1)
@example([[START] * 40], [0] * 5, HOUR, 1)
def test_gaps_are_the_readable_twins(series, ages, period, most):
    as_of = [NO_AS_OF if age is None or not row else row[-1] + age for row, age in zip(series, ages, strict=False)]
    found = found_in(series, as_of, period, most)
    for row, (stamps, now) in enumerate(zip(series, as_of, strict=True)):
        step, closed, opened = oracle.gaps(stamps, None if now == NO_AS_OF else now, period)
        assert (found.step[row], found.closed[row], found.opened[row]) == (step, len(closed), opened)
        assert found.of(row) == closed[-most:]


@given(row=rows, seconds=st.integers(-(10**8), 10**8), period=periods)
def test_a_later_series_has_the_same_gaps_later(row, seconds, period):
    here = found_in([row], [NO_AS_OF], period)
    there = found_in([[t + seconds for t in row]], [NO_AS_OF], period)
    assert there.of(0) == [(start + seconds, end + seconds) for start, end in here.of(0)]
    assert (there.step[0], there.closed[0]) == (here.step[0], here.closed[0])


@given(series=st.lists(rows, min_size=2, max_size=5), period=periods)
def test_a_row_is_as_if_it_were_alone(series, period):
    together = found_in(series, [NO_AS_OF] * len(series), period)
    for row, stamps in enumerate(series):
        alone = found_in([stamps], [NO_AS_OF], period)
        assert together.of(row) == alone.of(0)
        assert together.opened[row] == alone.opened[0]


@given(row=rows, period=periods)
def test_nothing_lies_within_a_gap(row, period):
    found = found_in([row], [NO_AS_OF], period)
    stamps = np.array(row, np.int64)
    for start, end in found.of(0):
        assert start <= end
        assert start - 1 in row
        assert end + 1 in row
    if found.step[0] > 0 and found.closed[0]:
        lengths = [end - start + 2 for start, end in found.of(0)]
        assert min(lengths) > 2 * found.step[0]
    if found.opened[0]:
        assert found.opened[0] - 1 in stamps


# What Skyline's own analyzer wrote of these series (1440 points a minute apart, as of 1,700,000,120).
@pytest.mark.parametrize(
    ("stamps", "step", "closed", "opened"),
    [
        ([t for t in range(1_699_913_760, 1_700_000_101, 60) if not 1_699_996_380 < t < 1_699_997_040], 60,
         [(1_699_996_381, 1_699_997_039)], 0),
        ([t for t in range(1_699_913_700, 1_700_000_101, 120) if not 1_699_992_780 < t < 1_699_994_820], 120,
         [(1_699_992_781, 1_699_994_819)], 0),
        (list(range(1_699_913_760, 1_699_999_861, 60)), 60, [], 1_699_999_861),
    ],
)  # fmt: skip
def test_gaps_as_skyline_told_them(stamps, step, closed, opened):
    found = found_in([stamps], [1_700_000_120], 6 * HOUR)
    assert (found.step.tolist(), found.of(0), found.opened.tolist()) == ([step], closed, [opened])


def even(*parts):
    """Points a minute apart, in stretches of (first, last) minutes."""
    return [START + 60 * minute for first, last in parts for minute in range(first, last + 1)]


@pytest.mark.parametrize(
    ("parts", "closed", "opened"),
    [
        ([(0, 40), (43, 60)], [(40, 43)], None),  # three steps are a gap, two are none
        ([(0, 40), (42, 60)], [], None),
        ([(0, 40), (50, 50), (60, 70)], [(40, 60)], None),  # a lone point between two gaps closes neither
        ([(0, 40), (50, 51), (60, 70)], [(40, 50), (51, 60)], None),
        ([(0, 40), (60, 60)], [], 40),  # nor does the newest of all, before another one follows it
        ([(0, 40), (60, 61)], [(40, 60)], None),
    ],
)
def test_what_begins_and_what_closes_a_gap(parts, closed, opened):
    stamps = even(*parts)
    found = found_in([stamps], [stamps[-1] + 100], 6 * HOUR)
    assert found.of(0) == [(START + 60 * a + 1, START + 60 * b - 1) for a, b in closed]
    assert found.opened.tolist() == [0 if opened is None else START + 60 * opened + 1]


def test_points_after_the_instant_are_not_there_yet():
    stamps = even((0, 40), (60, 100))
    assert found_in([stamps], [START + 60 * 50], HOUR).opened.tolist() == [START + 60 * 40 + 1]
    assert found_in([stamps], [START + 60 * 50], HOUR).of(0) == []
    assert found_in([stamps], [START - 1], HOUR).step.tolist() == [0]


def test_the_newest_gaps_of_a_row_are_kept_and_all_are_counted():
    stamps = even(*((10 * number, 10 * number + 5) for number in range(30)))
    for most in (1, 7, 29, 100):
        found = found_in([stamps, stamps], [NO_AS_OF] * 2, 86400, most)
        assert found.closed.tolist() == [29, 29]
        whole = found_in([stamps], [NO_AS_OF], 86400).of(0)
        assert found.of(0) == found.of(1) == whole[-most:]


def test_the_kernel_says_when_its_room_is_too_small_and_writes_nothing_beyond_it():
    stamps = np.array(even(*((10 * number, 10 * number + 5) for number in range(30))), np.int64)
    offsets, kept, facts = np.array([0, len(stamps)]), np.empty(2, np.int64), np.empty((1, layout.FACTS), np.int64)
    arena = np.full((2, 40), -7, np.int64)
    scratch = np.empty(layout.gaps_room(len(stamps)))
    as_of = np.array([NO_AS_OF])
    for room in (0, 1, 28, 29):
        arena[:] = -7
        starts, ends = arena[0, :room], arena[1, :room]
        status = loader.entry("gaps")(offsets, stamps, as_of, 86400, 100, starts, ends, kept, facts, scratch)
        assert status == (layout.FULL if room < 29 else 0)
        assert (arena[:, room:] == -7).all()


def test_sorting_has_the_room_it_needs():
    assert layout.SPARE >= RUN
    assert found_in([[START, *range(START + 5, START + 60)]], [NO_AS_OF], HOUR).step.tolist() == [1]


def test_no_rows():
    found = found_in([], [], HOUR)
    assert len(found.step) == len(found.starts) == 0
