"""The rule `ridgeline` is what its readable twins say; rarity and records mean what they are called."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins.walks import Tail, record

from ridgeline.kernels.native import loader
from ridgeline.kernels.ridgeline.layout import CHANNELS, OUTAGE, PATTERN, RECORD, SCORE, SPIKE, TAIL
from ridgeline.kernels.walks import layout

START = 1_700_000_000
DAY = 86400


def judged(timestamps, loudness, walked=None, pace=60.0):
    n = len(loudness)
    if walked is None:
        walked = np.zeros((n, layout.SCORES), np.float32)
        walked[:, layout.USUAL_STEP] = pace
    found = np.empty((n, CHANNELS), np.float32)
    state = np.full(layout.TAIL_STATE, np.nan)  # whatever was there before
    loader.entry("ridgeline")(np.asarray(timestamps, np.int64), walked, np.asarray(loudness, np.float64), state, found)
    return found


@st.composite
def histories(draw):
    """Points with gaps, loudness of several kinds, some steps without; scores and errors of walks, some of them large."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.sampled_from([1, 140, 300]))
    pace = draw(st.sampled_from([60, 300, 3600]))
    t = START + np.cumsum(np.where(random.random(n) < 0.02, draw(st.sampled_from([1, 7200, 30 * DAY])), pace))
    loudness = {
        "noise": np.minimum(random.exponential(0.3, n), 3),
        "mostly nothing": np.where(random.random(n) < 0.03, random.random(n) * 3, 0),
        "few values": random.integers(0, 4, n) / 10,
        "constant": np.full(n, draw(st.sampled_from([0.0, 0.2, 3.0]))),
    }[draw(st.sampled_from(["noise", "mostly nothing", "few values", "constant"]))]
    loudness[random.random(n) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    walked = np.zeros((n, layout.SCORES), np.float32)
    walked[:, layout.USUAL_STEP] = pace
    for column in (layout.OUTAGE, layout.NOVELTY, layout.EXTRAPOLATION, layout.ERROR):
        walked[:, column] = random.exponential(1.0, n) * (random.random(n) < 0.5)
    return t, loudness, walked


@examples(30)
@given(histories())
def test_it_is_what_the_twins_say(history):
    t, loudness, walked = history
    found = judged(t, loudness, walked)
    tail, expected = Tail(), []
    for score, pace in zip(loudness.tolist(), walked[:, layout.USUAL_STEP].tolist(), strict=True):
        expected.append(0.0 if np.isnan(score) else tail.step(score, pace) or 0.0)
    columns = {
        name: walked[:, getattr(layout, name)].astype(float) for name in ("OUTAGE", "NOVELTY", "EXTRAPOLATION", "ERROR")
    }
    pattern, spike = (np.array(expected) + columns["NOVELTY"]) / 2, columns["EXTRAPOLATION"] / 3
    records = record(t.tolist(), columns["ERROR"].tolist(), spike.tolist())
    np.testing.assert_allclose(found[:, TAIL], expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found[:, PATTERN], pattern, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(found[:, SPIKE], spike.astype(np.float32))
    np.testing.assert_array_equal(found[:, RECORD], np.array(records, np.float32))
    np.testing.assert_array_equal(found[:, SCORE], found[:, [PATTERN, SPIKE, OUTAGE]].max(axis=1))


@given(seed=st.integers(0, 2**32), pace=st.sampled_from([60.0, 300.0]))
def test_above_one_is_rarer_than_forty_steps_a_month(seed, pace):
    random = np.random.default_rng(seed)
    steps = int(30 * DAY / pace)
    loudness = np.minimum(random.exponential(0.2, 2 * steps), 3)
    found = judged(START + pace * np.arange(2 * steps), loudness, pace=pace)
    alarms = (found[steps:, TAIL] > 1).sum()
    assert 10 <= alarms <= 100


@given(
    seed=st.integers(0, 2**32), n=st.sampled_from([200, 5100]), scores=st.lists(st.floats(0, 3), min_size=2, max_size=2)
)
def test_what_is_louder_is_not_less_rare(seed, n, scores):
    past = np.minimum(np.random.default_rng(seed).exponential(0.3, n), 3)
    softer, louder = (judged(START + 60 * np.arange(n + 1), [*past, one])[-1, TAIL] for one in sorted(scores))
    assert louder >= softer - 0.3  # where the tail begins, shares of bins meet an exponential


def test_what_was_never_seen_is_rare_and_then_is_less_so():
    loudness = np.zeros(3000)
    loudness[2000::100] = 0.5
    found = judged(START + 60 * np.arange(3000), loudness)[:, TAIL]
    assert found[2000] > 1
    assert found[2900] < 1
    assert (found[loudness == 0] == 0).all()


def test_nothing_is_rare_before_a_hundred_and_fifty_steps_are_known():
    loudness = np.full(400, np.nan)
    loudness[100:] = 0.1
    loudness[[200, 300]] = 3.0
    found = judged(START + 60 * np.arange(400), loudness)[:, TAIL]
    assert found[200] == 0
    assert found[300] > 0.8
    assert (found[:100] == 0).all()


def test_of_equal_spikes_the_first_is_a_record_and_those_of_the_next_days_are_not():
    t = START + 3600 * np.arange(24 * 40)
    walked = np.zeros((len(t), layout.SCORES), np.float32)
    walked[:, layout.USUAL_STEP] = 3600
    walked[:, layout.ERROR] = 1.0
    spikes = [100, 124, 148, 148 + 24 * 30]
    walked[spikes, layout.ERROR], walked[spikes, layout.EXTRAPOLATION] = 10.0, 9.0
    found = judged(t, np.full(len(t), np.nan), walked)
    assert (found[spikes, SPIKE] == 3).all()
    assert (found[spikes, RECORD] > 1).tolist() == [True, False, False, True]
    assert (found[:, SCORE] > 1).sum() == len(spikes)
