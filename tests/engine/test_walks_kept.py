"""The walks in a memory: every point once and in order, whatever runs come and die, is one walk from the first point."""

import random
from functools import partial

import numpy as np
from rigs.memory_files import NOW, OWNER, after_bytes, die, in_child, names

from ridgeline.engine.walks import versions
from ridgeline.engine.walks.kept import HOURS, PATTERNS, PROFILE, SECTIONS, Kept
from ridgeline.engine.walks.state import State
from ridgeline.io.memory.file import MemoryFile
from ridgeline.kernels.paging import layout
from ridgeline.kernels.walks.layout import HOT as STATE
from ridgeline.kernels.walks.layout import (
    LEADERS_ROOM,
    LEARNING,
    N_LEADERS,
    NEWEST_SCORES,
    OUTAGE,
    PAGES,
    POINTS,
    SHORT_LOW,
    SLOTS,
    UNRIPE_NOVELTY,
    WIDTH,
    Z_STEPS,
)

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY


def fleet(days=9, step=900):
    """(t int64[n], x float64[rows, n]): rates, a counter, noise, with an outage in the first."""
    chance = np.random.default_rng(7)
    t = BEGIN + step * np.arange(days * DAY // step)
    shape = 1 - 0.6 * np.cos(2 * np.pi * (t % DAY) / DAY)
    rates = chance.poisson(200 * shape, (3, len(t))).astype(float)
    rates[0, (t >= BEGIN + 8 * DAY + 40_000) & (t < BEGIN + 8 * DAY + 58_000)] = 0
    counter = np.cumsum(chance.poisson(30 * shape))[None].astype(float)
    noise = chance.normal(size=(2, len(t)))
    return t, np.concatenate([rates, counter, noise])


def one_walk(t, x):
    """(state, scores float32[rows, n, SCORES]) of series that are walked without a break."""
    rows, n = x.shape
    state = State.fresh(rows)
    scores, _ = state.walk(np.arange(rows), n * np.arange(rows + 1), np.tile(t, rows), x.reshape(-1))
    return state, scores.reshape(rows, n, -1)


def same(kept, state, rows):
    """Assert that a memory's rows hold the state of one walk, all bytes."""
    file, some = kept.file, slice(0, rows)
    assert kept.hot[some, :STATE].tobytes() == state.hot.tobytes()
    hours = file.stripes(HOURS.name)[0, some].view(np.float32)
    patterns = file.stripes(PATTERNS.name)[0, some].view(np.float32)
    assert hours[:, :SLOTS].tobytes() == state.slots.tobytes()
    assert patterns[:, :LEADERS_ROOM].tobytes() == state.leaders.tobytes()
    cells = file.stripes(PROFILE.name)[:, some]
    assert cells.tobytes() == state.profile.tobytes()


def a_run(path, t, x, as_of, dying=None, **how):
    """One run: every series from `as_of` less a day on, walked and committed; what it said of each, float32[rows, 6]."""
    rows = len(x)
    with MemoryFile.open(path, OWNER, SECTIONS, **how) as memory:
        if not len(memory):
            memory.add(names(rows))
        kept = Kept(memory)
        some = (t > as_of - DAY) & (t <= as_of + 2000)  # what follows is the future's
        n = int(some.sum())
        kept.walk(
            np.arange(rows), n * np.arange(rows + 1), np.tile(t[some], rows), x[:, some].reshape(-1), as_of, whole=True
        )
        changed = kept.touch()
        said = kept.hot.view(np.float32)[:rows, layout.SCORE : layout.UNRIPE + 1].copy()
        if dying is not None:
            after_bytes(dying, die)
        if memory.writing:
            memory.commit(changed, NOW)
        return kept, said


def test_runs_at_any_time_skipped_and_killed_are_one_walk(tmp_path):
    path, chance = tmp_path / "memory", random.Random(3)
    t, x = fleet()
    state, scores = one_walk(t, x)
    now, seen, died, judged = BEGIN + 300, -1, 0, 0
    while now < t[-1] + 900:
        killed = chance.random() < 0.3
        if killed:
            died += in_child(partial(a_run, path, t, x, now, dying=chance.randrange(30_000))) == -9
        kept, said = a_run(path, t, x, now)
        newest = int(np.searchsorted(t, now, side="right")) - 1
        if newest > seen >= 0 and not killed:
            expected = scores[:, seen + 1 : newest + 1].max(axis=1)
            assert (said[:, 0] == expected[:, PAGES]).all()
            assert (said[:, 1] == expected[:, OUTAGE]).all()
            judged += 1
        assert (said[:, 3] == scores[:, newest, LEARNING]).all()
        seen, now = newest, now + chance.choice((60, 400, 900, 1800, 20_000, 80_000))
    kept, _ = a_run(path, t, x, t[-1])
    assert judged > 5
    assert died > 2
    same(kept, state, len(x))
    assert kept.counts["gaps"] == 0


def test_a_walk_of_another_version_begins_anew_and_the_others_go_on(tmp_path):
    """Of versions that rows bear; sections of another version are dropped by the file itself."""
    t, x = fleet(days=4)
    rows = np.arange(len(x))
    with MemoryFile.open(tmp_path / "memory", OWNER, SECTIONS) as memory:
        memory.add(names(len(x)))
        kept, newer = Kept(memory), Kept(memory, versions.NOW ^ (1 << 16 * layout.NOVELTY))
        n = len(t) - 1
        for one in (kept, newer):
            end = n if one is kept else n + 1
            one.walk(rows, end * rows_and_end(x), np.tile(t[:end], len(x)), x[:, :end].reshape(-1), t[-1], whole=True)
        state, scores = one_walk(t, x)
        hot = newer.hot.view(np.float32)[: len(x)]
        assert (hot[:, N_LEADERS] == 1).all()
        assert (hot[:, layout.UNRIPE].astype(int) & UNRIPE_NOVELTY > 0).all()
        others = [*range(POINTS, SHORT_LOW), *range(WIDTH, NEWEST_SCORES)]
        assert hot[:, others].tobytes() == state.hot.view(np.float32)[:, others].tobytes()
        assert (hot[:, layout.OUTAGE_SCORE] == scores[:, -1, OUTAGE]).all()


def test_a_damaged_piece_costs_its_walk_and_a_damaged_row_all(tmp_path):
    t, x = fleet(days=4)
    count = len(x)
    with MemoryFile.open(tmp_path / "memory", OWNER, SECTIONS) as memory:
        memory.add(names(count))
        kept = Kept(memory)

        def go(first, end, whole):
            some = slice(first, end)
            facts = kept.walk(
                np.arange(count), (end - first) * rows_and_end(x), np.tile(t[some], count), np.ascontiguousarray(x[:, some]).reshape(-1), t[-1],
                whole=whole,
            )  # fmt: skip
            return facts[:, layout.DAMAGED].tolist()

        end = len(t)
        assert go(0, end - 2, True) == [0] * count
        memory.stripes(PATTERNS.name)[0, 1, 40] ^= 1
        memory.stripes(HOURS.name)[0, 2, 9] ^= 16
        kept.hot.view(np.uint8)[3, 200] ^= 4
        before = kept.hot.view(np.float32)[:count].copy()
        assert go(end - 2, end - 1, False) == [0, 1, 1, 1, 0, 0]
        hot = kept.hot.view(np.float32)[:count]
        assert hot[:, N_LEADERS].tolist() == [
            *before[:1, N_LEADERS],
            1,
            before[2, N_LEADERS],
            0,
            *before[4:, N_LEADERS],
        ]
        assert (hot[:, Z_STEPS] == before[:, Z_STEPS] + 1).tolist() == [True, True, False, False, True, True]
        assert not hot[3].any()  # and its one new point is not taken for its first
        assert go(0, end, True) == [0] * count
        state, _ = one_walk(t, x[3:4])
        assert kept.hot[3, :STATE].tobytes() == state.hot.tobytes()


def test_what_is_kept_of_a_metric_is_small():
    assert sum(section.key_bytes for section in SECTIONS) < 4000


def rows_and_end(x):
    return np.arange(len(x) + 1)
