"""Counters are told from other series: the compiled rule against its twin, and cases whose answer is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import counter as twin
from twins import strategies

from ridgeline.kernels.prepare.counter import has_negatives, is_counter

RULES = {"native": 0, "earthgecko": 1}


def told(values, rule):
    return bool(is_counter(np.asarray(values, np.float64), RULES[rule], np.empty(2)))


@st.composite
def near_counters(draw):
    """Counters with resets of every depth, and series that are almost ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.sampled_from([2, 89, 90, 91, 130, 200, 300, 1500]))
    rises = rng.poisson(draw(st.sampled_from([0.02, 0.1, 1.0, 50.0])), n).astype(float)
    x = draw(st.sampled_from([0.0, 0.0, 5.0, 1e6])) + np.cumsum(rises)
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 30, 100]))):
        at = int(rng.integers(1, n))
        level = draw(st.sampled_from([0.0, 0.0099, 0.01, 0.0101, 0.02, 0.03, 0.031, 0.5, 0.9]))
        x[at:] += x[at - 1] * level - x[at]
    return x * draw(st.sampled_from([1.0, 1e-3, 1e200])) - draw(st.sampled_from([0.0, 0.0, 0.0, 1.0]))


ANY = st.one_of(near_counters(), strategies.series(min_size=80).map(lambda row: row[1]))


@examples(20)
@given(values=ANY)
@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_its_twins(values, rule):
    assert told(values, rule) == twin.is_counter(values, rule)


@pytest.mark.long
@given(values=ANY)
@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_its_twins_at_length(values, rule):
    assert told(values, rule) == twin.is_counter(values, rule)


@given(values=near_counters())
def test_what_is_a_counter_here_is_one_to_skyline(values):
    assert not told(values, "native") or told(values, "earthgecko")


@pytest.mark.long
@given(values=near_counters())
def test_what_is_a_counter_here_is_one_to_skyline_at_length(values):
    assert not told(values, "native") or told(values, "earthgecko")


CLIMB = np.arange(1.0, 201.0)
RESET = np.concatenate([CLIMB * 30, CLIMB * 30])
KNOWN = {
    "a climb": (CLIMB, True, True),
    "whole numbers that reset": (RESET, True, True),
    "99 zeros and a one": (np.append(np.zeros(99), 1.0), False, True),
    "nine rises": (np.repeat(np.arange(10.0), 20), False, True),
    "ten rises": (np.repeat(np.arange(11.0), 20), True, True),
    "a constant": (np.full(200, 7.0), False, False),
    "zeros after a first value": (np.append(5.0, np.zeros(199)), False, False),
    "a fall by a tenth": (np.append(CLIMB + 1000, CLIMB + 1080), False, False),
    "too few points": (CLIMB[:89], False, False),
    "just enough": (CLIMB[:90], True, True),
    "negatives": (CLIMB - 2, False, False),
    "minus nought": (np.append(-0.0, CLIMB), True, True),
    "a walk": (np.abs(np.cumsum(np.random.default_rng(0).normal(size=500))), False, False),
    "one drop in four rises": (np.tile([1, 2, 3, 4, 0.0], 40), False, False),
    "more resets than anything survives": (np.tile(np.append(np.arange(9.0) * 100, []), 400), False, False),
}


@pytest.mark.parametrize("case", KNOWN)
def test_known_windows(case):
    values, native, earthgecko = KNOWN[case]
    assert (told(values, "native"), told(values, "earthgecko")) == (native, earthgecko)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1.0, 1e290])
def test_values_of_any_size(rule, scale):
    assert told(CLIMB * scale, rule)
    assert not told(np.full(200, scale), rule)


def test_negatives_are_below_nought():
    assert not has_negatives(np.array([0.0, -0.0, 5e-324]))
    assert not has_negatives(np.empty(0))
    assert has_negatives(np.array([-5e-324]))
    assert has_negatives(np.append(np.ones(1000), -1.0))
