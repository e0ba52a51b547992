"""The walks agree with their readable twins in every bit, go on as if never interrupted, and are not blinded by one value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins.walks import Walker

from ridgeline.engine.walks.state import State
from ridgeline.kernels.walks import layout
from ridgeline.kernels.walks.layout import (
    CELLS,
    DEVIATION,
    ERROR,
    EXTRAPOLATION,
    HIGH,
    HOT,
    LEARNING,
    LOW,
    NOVELTY,
    OUTAGE,
    PAGES,
    PATTERN,
    RESIDUAL,
    START,
    UNGATED,
    USUAL_STEP,
    WALKED,
)

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY
TRACES = (LOW, HIGH, RESIDUAL, ERROR, USUAL_STEP)
NAMES = (OUTAGE, UNGATED, DEVIATION, NOVELTY, EXTRAPOLATION)


def rates(random, t, level=200.0):
    """A request rate with the shape of days and weekends."""
    shape = 1 - 0.6 * np.cos(2 * np.pi * (t % DAY) / DAY)
    weekend = np.where((t // DAY + 3) % 7 >= 5, 0.6, 1.0)
    return random.poisson(level * shape * weekend).astype(float)


def kinds(random, t):
    n = len(t)
    noise = random.normal(size=n)
    return {
        "rate": rates(random, t),
        "counter": np.cumsum(rates(random, t)) % 50_000.0 if n < 1000 else np.cumsum(rates(random, t)),
        "signed": 3.0 * np.sin(2 * np.pi * t / DAY) + noise,
        "cpu": np.clip(40 + 25 * np.sin(2 * np.pi * t / DAY) + 3 * noise, 0, 100),
        "errors": random.poisson(0.02, n).astype(float),
        "constant": np.full(n, 0.1),
        "steps": np.repeat(random.normal(size=n // 100 + 1) * 1e6, 100)[:n],
        "huge": noise * 10.0 ** random.integers(-50, 50, n),
        "tiny": 1e-30 * noise,
    }


def walk(state, t, x, row=0):
    scores, facts = state.walk(np.array([row]), np.array([0, len(t)]), np.asarray(t, np.int64), np.asarray(x, float))
    return scores, facts[0]


def bytes_of(state):
    return [array.tobytes() for array in (state.hot, state.slots, state.leaders, state.profile)]


@st.composite
def series(draw):
    """Days of one kind, with gaps, jitter, repeated times and a few wild values."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = draw(st.sampled_from([600, 900, 1800, 3600, 250]))
    n = draw(st.sampled_from([50, 150, 900, 1500]))
    apart = np.full(n, step)
    how = draw(st.sampled_from(["even", "jitter", "gaps", "repeats"]))
    if how == "jitter":
        apart += random.integers(-step // 10, step // 10, n)
    elif how == "gaps":
        apart[random.integers(0, n, 3)] = random.integers(step, 3 * DAY, 3)
    elif how == "repeats":
        apart[random.integers(0, n, 20)] = 0
    t = BEGIN + draw(st.integers(0, DAY)) + np.cumsum(apart)
    x = kinds(random, t)[draw(st.sampled_from(list(kinds(random, t[:2]))))]
    for _ in range(draw(st.integers(0, 2))):
        x[random.integers(0, n)] = draw(st.sampled_from([0.0, -1.0, 1e6, 1e12, 1e300, -1e300, 5e-324]))
    return t, x


@examples(20)
@given(series())
def test_scores_are_the_readable_twins(one):
    t, x = one
    scores, _ = walk(State.fresh(1), t, x)
    walker = Walker()
    for i, (when, value) in enumerate(zip(t.tolist(), x.tolist(), strict=True)):
        found = walker.step(when, value)
        if found is None:
            assert np.isnan(scores[i]).all()
            continue
        expected = np.array([0.0 if score is None else score for score in found[0]], np.float32)
        assert scores[i, [*NAMES, PAGES, PATTERN]].tolist() == expected.tolist(), (i, when, value)
        traces = np.array([np.nan if trace is None else trace for trace in found[1]], np.float32)
        np.testing.assert_array_equal(scores[i, TRACES], traces, str((i, when, value)))
        w, _, z, n, line, *_ = found[0]
        assert scores[i, LEARNING] == (w is None) + 2 * (z is None) + 4 * (n is None) + 8 * (line is None)


@given(one=series(), cuts=st.lists(st.integers(0, 1500), max_size=4))
def test_saved_restored_and_continued_is_uninterrupted(one, cuts):
    t, x = one
    whole = State.fresh(1)
    expected, _ = walk(whole, t, x)
    state = State.fresh(1)
    found = []
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(t)], strict=True):
        saved = [array.tobytes() for array in (state.hot, state.slots, state.leaders, state.profile)]
        for array, kept in zip((state.hot, state.slots, state.leaders, state.profile), saved, strict=True):
            array[:] = np.frombuffer(kept, array.dtype).reshape(array.shape)
        found.append(walk(state, t[begin:end], x[begin:end])[0])
    assert np.concatenate(found).tobytes() == expected.tobytes()
    assert bytes_of(state) == bytes_of(whole)


@given(ones=st.lists(series(), min_size=2, max_size=4))
def test_a_row_is_as_if_it_were_alone(ones):
    together = State.fresh(len(ones))
    offsets = np.cumsum([0, *(len(t) for t, _ in ones)])
    stamps, values = (np.concatenate(parts) for parts in zip(*ones, strict=True))
    scores, _ = together.walk(np.arange(len(ones))[::-1].copy(), offsets, stamps, values)
    for number, (t, x) in enumerate(ones):
        alone = State.fresh(1)
        expected, _ = walk(alone, t, x)
        row = len(ones) - 1 - number
        assert scores[offsets[number] : offsets[number + 1]].tobytes() == expected.tobytes()
        assert together.hot[row].tobytes() == alone.hot[0].tobytes()
        assert together.leaders[row].tobytes() == alone.leaders[0].tobytes()
        assert together.profile.reshape(CELLS, len(ones), -1)[:, row].tobytes() == alone.profile.tobytes()


@given(one=series(), late=st.lists(st.integers(1, 10 * DAY), min_size=1, max_size=5))
def test_late_points_are_counted_and_not_walked(one, late):
    t, x = one
    half = len(t) // 2
    state, without = State.fresh(1), State.fresh(1)
    walk(state, t[:half], x[:half])
    before = bytes_of(state)
    scores, facts = walk(state, sorted(t[half - 1] - np.array(late) + 1), [1e9] * len(late))
    assert np.isnan(scores).all()
    assert facts.tolist() == [0, len(late)]
    assert bytes_of(state) == before
    expected, _ = walk(without, t, x)
    assert walk(state, t[half:], x[half:])[0].tobytes() == expected[half:].tobytes()


@given(one=series(), power=st.integers(-20, 20))
def test_scores_do_not_depend_on_the_unit(one, power):
    t, x = one
    x = np.where(np.abs(x) > 1e20, 7.0, np.where(np.abs(x) < 1e-20, 0.0, x))
    there, here = walk(State.fresh(1), t, x * 2.0**power)[0], walk(State.fresh(1), t, x)[0]
    assert there[:, :LOW].tobytes() == here[:, :LOW].tobytes()
    in_the_unit = [LOW, HIGH, RESIDUAL, ERROR]
    np.testing.assert_array_equal(there[:, in_the_unit], here[:, in_the_unit] * np.float32(2.0**power))


@given(one=series(), weeks=st.integers(-500, 500))
def test_scores_do_not_depend_on_the_week(one, weeks):
    t, x = one
    assert walk(State.fresh(1), t + 7 * DAY * weeks, x)[0].tobytes() == walk(State.fresh(1), t, x)[0].tobytes()


@given(seed=st.integers(0, 2**32), level=st.sampled_from([4096, -8192, 2**16]))
def test_scores_of_patterns_do_not_depend_on_the_level(seed, level):
    """Whole numbers have room in seven digits: levels cancel out, but for the rounding of means."""
    random = np.random.default_rng(seed)
    t = BEGIN + 900 * np.arange(1400)
    x = np.round(kinds(random, t)["signed"] * 4)
    here, there = walk(State.fresh(1), t, x)[0], walk(State.fresh(1), t, x + level)[0]
    for channel in (DEVIATION, EXTRAPOLATION):
        np.testing.assert_allclose(there[:, channel], here[:, channel], rtol=0.05, atol=0.05)


def days_with_an_outage(kind, wild, at):
    """Twelve days a minute apart; one wild value on the way, zero for a quarter of an hour seven days later."""
    random = np.random.default_rng(5)
    t = BEGIN + 60 * np.arange(16 * 1440)
    x = {"rate": rates(random, t), "flat": np.full(len(t), 100.0), "counter": np.cumsum(rates(random, t))}[kind]
    outage = slice(at + 7 * 1440, at + 7 * 1440 + 15)
    if kind == "counter":
        x = np.cumsum(
            np.where((np.arange(len(t)) >= outage.start) & (np.arange(len(t)) < outage.stop), 0, rates(random, t))
        )
    else:
        x[outage] = 0.0
    if wild:
        x[at] = wild
    return t, x, slice(outage.start, outage.stop + 5)


@pytest.mark.parametrize("wild", [0.0, 1e6, 1e12, 1e300, -1e300])
@pytest.mark.parametrize("at", [3, 50, 99, 100, 101, 1000, 5 * 1440 + 600, 8 * 1440 + 600])
@pytest.mark.parametrize("kind", ["rate", "flat", "counter"])
def test_one_wild_value_hides_no_outage_seven_days_later(kind, wild, at):
    t, x, outage = days_with_an_outage(kind, wild, at)
    if kind == "counter" and wild > 0:
        x[at] += x[at - 1] if at else 0.0
    scores, _ = walk(State.fresh(1), t, x)
    assert scores[outage, PAGES].max() > 1


def test_what_falls_to_zero_pages_and_what_does_not_is_quiet():
    t, x, outage = days_with_an_outage("rate", 0.0, 4 * 1440)
    scores, facts = walk(State.fresh(1), t, x)
    assert facts[WALKED] == len(t)
    assert (scores[outage, OUTAGE] > 1).sum() >= 5
    quiet = np.ones(len(t), bool)
    quiet[outage.start : outage.stop + 30] = False
    assert not (scores[quiet, PAGES] > 1).any()
    low, high = scores[:, LOW], scores[:, HIGH]
    assert (low[outage.start : outage.start + 15] > 20).all()
    known = quiet & ~np.isnan(low)
    assert known.sum() > 10 * 1440
    newest = np.convolve(x, np.full(12, 1 / 12))[: len(x)]
    assert ((newest >= low) & (newest <= high))[known].mean() > 0.99
    assert (low >= 0)[known].all()
    shape = 1 - 0.6 * np.cos(2 * np.pi * (t % DAY) / DAY)
    assert np.corrcoef(((low + high) / 2)[known], shape[known])[0, 1] > 0.8


@pytest.mark.parametrize("kind", ["counter", "noise"])
def test_there_is_no_band_where_the_profile_explains_nothing_or_is_not_in_the_unit(kind):
    random = np.random.default_rng(7)
    t = BEGIN + 300 * np.arange(288 * 10)
    x = np.cumsum(rates(random, t)) if kind == "counter" else random.normal(size=len(t))
    scores, _ = walk(State.fresh(1), t, x)
    assert np.isnan(scores[:, [LOW, HIGH]]).all()
    assert (scores[:, UNGATED] > 0).any()


@given(place=st.integers(0, 2 * HOT - 1), odd=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_state_that_is_not_finite_starts_anew(place, odd):
    random = np.random.default_rng(1)
    t = BEGIN + 3600 * np.arange(24 * 30)
    x = rates(random, t)
    state = State.fresh(1)
    walk(state, t[:-400], x[:-400])
    state.hot.view(np.float32)[0, place] = odd
    if place < 2 * layout.WIDE:
        state.hot[0, place // 2] = odd
    scores, _ = walk(state, t[-400:], x[-400:])
    assert np.isfinite(state.hot).all()
    assert np.isfinite(state.hot.view(np.float32)[0, 2 * layout.WIDE :]).all()
    assert np.isfinite(np.delete(scores[START:], [LOW, HIGH], axis=1)).all()
    assert scores[-1, LEARNING] == 0 or place < 2 * layout.WIDE


def test_a_cell_that_does_not_add_up_is_empty():
    random = np.random.default_rng(1)
    t = BEGIN + 900 * np.arange(96 * 12)
    x = rates(random, t)
    state = State.fresh(1)
    walk(state, t[:-96], x[:-96])
    slot = int(t[-48] // 900 % 96)
    state.profile[slot, 0] += 1000.0
    scores, _ = walk(state, t[-96:], x[-96:])
    assert scores[-48, LEARNING] != 0
    assert scores[-44, LEARNING] == 0
    assert not (scores[:, PAGES] > 1).any()


def test_a_metric_takes_less_than_four_kilobytes():
    state = State.fresh(10)
    assert sum(array.nbytes for array in (state.hot, state.slots, state.leaders, state.profile)) / 10 < 4000
    assert state.hot.nbytes / 10 <= 640 - 8


@pytest.mark.parametrize("level", [50, 200, 5000])
@pytest.mark.parametrize("hour", [0, 3, 9, 14, 20])
def test_an_outage_at_any_hour_is_found_down_to_small_rates(level, hour):
    random = np.random.default_rng(level + hour)
    t = BEGIN + 60 * np.arange(8 * 1440)
    x = rates(random, t, level)
    first = 7 * 1440 + 60 * hour + 10
    x[first : first + 15] = 0.0
    scores, _ = walk(State.fresh(1), t[: first + 20], x[: first + 20])
    assert scores[first:, PAGES].max() > 1
