"""The first pass over a row: one order of adding on every machine, signs and falls that can be relied on; and prefetching."""

import numpy as np
import pytest
from numba import njit

from ridgeline.kernels._algorithm import OPTIONS
from ridgeline.kernels.prepare.counter import most_drops
from ridgeline.kernels.score.ahead import AHEAD, expect, expect_ends
from ridgeline.kernels.shared.survey import GROUP, LOOKED, survey

LENGTHS = [*range(1, 70), 95, 96, 97, LOOKED - 1, LOOKED, LOOKED + 1, LOOKED + GROUP, 1439, 1440, 2003]


def twin(x, origin):
    """The documented order, lane by lane."""
    total, at = 0.0, 0
    for width in (16, 4, 1):
        stop = len(x) // width * width
        lanes = np.zeros(width)
        lanes[0] = total
        for start in range(at, stop, width):
            lanes = (lanes - origin) + x[start : start + width]
        if width == 16:
            lanes = (lanes[0:4] + lanes[4:8]) + (lanes[8:12] + lanes[12:16])
        while len(lanes) > 1:
            lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
        total, at = float(lanes[0]), stop
    return total


@pytest.mark.parametrize("shape", ["noise", "level", "steep", "tiny"])
def test_sums_have_the_bits_of_the_documented_order(shape):
    random = np.random.default_rng(19)
    for n in LENGTHS:
        x = random.normal(size=n)
        x = {"noise": x, "level": 1e15 + x, "steep": np.exp(40 * x), "tiny": 1e-310 * x}[shape]
        assert survey(x, x[0])[0] == twin(x, x[0])


def test_signs_are_seen_wherever_they_stand():
    for n in LENGTHS:
        x = np.abs(np.random.default_rng(n).normal(size=n))
        assert survey(x, 0.5)[1] >= 0
        for place in {0, n // 2, n - 1}:
            for value in (-1e-300, -0.0, -5.0):
                signed = x.copy()
                signed[place] = value
                assert survey(signed, 0.5)[1] < 0


def test_falls_are_never_more_than_there_are_and_enough_to_tell_noise_from_counters():
    random = np.random.default_rng(20)
    for n in LENGTHS:
        for x in (random.normal(size=n), np.arange(n, dtype=float), -np.arange(n, dtype=float), np.ones(n)):
            assert 0 <= survey(x, x[0])[2] <= (x[1:] < x[:-1]).sum()
    assert survey(random.normal(size=1440), 0.0)[2] > most_drops(1440)
    assert survey(-np.arange(1440.0), 0.0)[2] == LOOKED * (GROUP - 1) // GROUP


def test_a_part_of_an_array_is_looked_at_alone():
    whole = np.full(100, -1.0)
    whole[10:60] = 2.0
    assert survey(whole[10:60], 1.0) == (50.0, survey(np.full(50, 2.0), 1.0)[1], 0)


def test_asking_for_memory_changes_nothing_and_cannot_fail():
    x = np.arange(100.0)
    before, stamps = x.copy(), np.arange(3)
    for start, stop in ((0, 100), (0, 0), (90, 10_000), (-10_000, 5), (1 << 58, (1 << 58) + AHEAD)):
        expect(x, start, stop)
        expect_ends(stamps, start, stop)
    np.testing.assert_array_equal(x, before)


def test_no_kernel_is_made_slower_than_its_options_allow():
    """The pass is exact: no flag lets a compiler change the order."""
    plain = njit(**OPTIONS, fastmath={"reassoc", "contract", "nsz", "arcp"})(lambda x, origin: survey(x, origin)[0])
    for n in LENGTHS:
        x = np.random.default_rng(n).normal(size=n)
        assert plain(x, 0.25) == twin(x, 0.25)
