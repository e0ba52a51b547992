"""What each walk is, as a memory bears it: whoever changes a formula, a constant or a place has its walk learned anew."""

from zlib import crc32

import numpy as np
import pytest

from ridgeline.engine.walks.state import State
from ridgeline.engine.walks.versions import COMMON, WALKS
from ridgeline.kernels.paging import layout
from ridgeline.kernels.walks import layout as walks

DAY = 86400
N = 9 * 144  # steps of ten minutes


def numbers(seed, count):
    """Whole numbers below 1000, the same on every machine."""
    found = []
    for _ in range(count):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(seed >> 54)
    return np.array(found, float) % 1000


@pytest.fixture(scope="module")
def walked():
    """(state, scores) of a shape with noise, with a fall to nothing; a counter; and one that swings about 0."""
    t = 1_700_000_000 // DAY * DAY + 600 * np.arange(N)
    shape = 3000.0 + 30 * np.abs((t % DAY) // 600 - 72.0)
    series = np.array([shape + numbers(1, N), np.cumsum(shape + numbers(2, N)), numbers(3, N) - 500.0])
    series[0, -30:-12] = 0.0
    state = State.fresh(3)
    scores, _ = state.walk(np.arange(3), N * np.arange(4), np.tile(t, 3), series.reshape(-1))
    return state, scores


def told(state, scores, pieces, columns, wide, narrow):
    """15 bits that stand for some pieces, columns of scores, and fields of the hot rows with their places."""
    raw = [piece.tobytes() for piece in pieces] + [np.ascontiguousarray(scores[:, columns]).tobytes()]
    raw += [repr((wide, narrow)).encode()]
    raw += [state.hot[:, wide].tobytes(), state.hot.view(np.float32)[:, narrow].tobytes()]
    return crc32(b"".join(raw)) & 0x7FFF


def versions(state, scores):
    """(COMMON, WALKS) as they are to be."""
    ring = list(range(walks.NEWEST, walks.NEWEST + walks.RING))
    common = told(
        state, scores, (), [],
        [walks.WATERMARK, walks.LAST, walks.CLIP_MEAN], [*range(walks.POINTS, walks.SLOT_VISIT), *ring],
    )  # fmt: skip
    seasonal = told(
        state, scores, [state.slots], [walks.DEVIATION], [walks.SLOT_SUM],
        [walks.SLOT_VISIT, walks.SLOT_POINTS, walks.Z_MEAN, walks.Z_SD, walks.Z_STEPS, walks.Z_RING],
    )  # fmt: skip
    novelty = told(
        state, scores, [state.leaders], [walks.NOVELTY], [walks.SHORT_MEAN, walks.LONG_MEAN],
        list(range(walks.SHORT_LOW, walks.N_LEADERS + 1)),
    )  # fmt: skip
    extrapolation = told(state, scores, (), [walks.EXTRAPOLATION], [], [walks.T_MEAN, walks.T_SD, walks.T_STEPS])
    outage = told(
        state, scores, [state.profile], [walks.OUTAGE, walks.UNGATED],
        [walks.VISIT_SUM, walks.VISIT_SPREAD, walks.LEVEL_VALUE, walks.LEVEL_PROFILE],
        [*range(walks.WIDTH, walks.SPREAD_FLOOR_STEPS + 1), *range(walks.LATE_VALUES, walks.NEWEST_SCORES)],
    )  # fmt: skip
    return common, {
        layout.SEASONAL: seasonal,
        layout.NOVELTY: novelty,
        layout.EXTRAPOLATION: extrapolation,
        layout.OUTAGE: outage,
    }


def test_a_memory_bears_the_versions_of_the_walks_as_they_are(walked):
    """Where this fails on purpose: write the new numbers down, and fleets learn what changed anew."""
    assert versions(*walked) == (COMMON, WALKS)


def test_the_series_that_tell_versions_make_every_walk_speak(walked):
    _, scores = walked
    for column in (walks.DEVIATION, walks.NOVELTY, walks.EXTRAPOLATION, walks.OUTAGE, walks.UNGATED):
        assert np.nanmax(scores[:, column]) > 1
