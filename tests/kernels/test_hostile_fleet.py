"""The hostile fleet that tests of memory stand on: what it holds, what it does to it, and what it says of that."""

import dataclasses
import itertools
import math
import struct

import numpy as np
import pytest
from rigs.hostile.changes import DEEP, SHALLOW
from rigs.hostile.fleet import GRACE, START, Fleet
from rigs.hostile.kinds import KINDS
from rigs.hostile.promise import APPEND, DEEPER, NEAR, promised
from rigs.hostile.stored import LAYOUTS, Stored, packed, single
from twins import pairs

STEP, WINDOW = 60, 86400


def minutes(fleet, count):
    return [fleet.minute() for _ in range(count)]


def series(layout="integer", count=1500, first=START - 1500 * STEP):
    stored = Stored(layout)
    for k in range(count):
        stored.append(first + STEP * k, float(k % 7))
    return stored


def copied(stored):
    return dataclasses.replace(stored, items=[*stored.items])


def told(before, change, now=START, window=WINDOW):
    """The class of what `change` does to a copy of `before`."""
    after = copied(before)
    change(after)
    return promised(before, after, now=now, window=window)


def test_a_seed_says_everything():
    assert minutes(Fleet(seed=3, window=7200), 8) == minutes(Fleet(seed=3, window=7200), 8)
    assert minutes(Fleet(seed=3, window=7200), 1) != minutes(Fleet(seed=4, window=7200), 1)


def test_bytes_of_the_layouts():
    assert [len(packed(START, 1.5, layout).data) for layout in LAYOUTS] == [15, 19, 15]
    assert len(packed(START, 7.0, "mixed").data) == 7
    assert len(single(START, 0.1).data) == 11
    for item in (*(packed(START, 1.5, layout) for layout in LAYOUTS), packed(START, -7.0, "mixed"), single(START, 0.1)):
        assert pairs.decode(item.data).points == [(START, float(item.x))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_measures_numbers_that_move(kind):
    value = KINDS[kind](np.random.default_rng(5))
    seen = [value(START + STEP * k) for k in range(3000)]
    assert all(math.isfinite(x) for x in seen)
    assert len(set(seen)) > 2


def test_what_a_key_means_is_what_a_reader_finds():
    fleet = Fleet(seed=8, window=120 * STEP, hostility=0.6, deep=0.3)
    found = 0
    for _ in range(25):
        minute = fleet.minute()
        for name, metric in fleet.metrics.items():
            data = minute.values[name]
            if isinstance(data, bytes) and not metric.stored.broken:
                decoded = pairs.decode(data).points
                assert [(t, struct.pack(">d", x)) for t, x in decoded] == metric.stored.points()
                found += 1
    assert found > 600


def test_every_change_happens_to_every_layout():
    rng = np.random.default_rng(1)
    for change, layout in itertools.product([*SHALLOW.values(), *DEEP.values()], LAYOUTS):
        before = series(layout)
        after = copied(before)
        change(after, START, STEP, rng)
        if change.__name__ not in {"rewritten_600", "rewritten_5"}:
            assert after.data != before.data, (change.__name__, layout)


@pytest.mark.parametrize("name", SHALLOW)
def test_what_is_shallow_is_owed_at_once(name):
    change = SHALLOW[name]
    for first in (START - 1500 * STEP, START - 1400 * STEP):
        before = series(first=first, count=(START - first) // STEP)
        owed = told(before, lambda stored: change(stored, START, STEP, np.random.default_rng(2)))
        assert owed in {APPEND, NEAR}
        assert (owed == NEAR) == name.startswith(
            ("rewritten", "removed", "inserted", "corrected", "scaled", "head", "newest")
        )


@pytest.mark.parametrize("name", DEEP)
def test_what_is_deep_is_owed_within_sixty_runs(name):
    change = DEEP[name]
    assert told(series(), lambda stored: change(stored, START, STEP, np.random.default_rng(2))) == DEEPER


def test_the_head_is_owed_where_it_is_looked_at():
    whole, young = series(), series(count=300, first=START - 300 * STEP)
    silent = series(count=1400, first=START - 1440 * STEP)

    def drop(count):
        return lambda stored: stored.items.__delitem__(slice(0, count))

    assert told(whole, drop(59)) == NEAR  # older than the window
    assert told(whole, drop(70)) == DEEPER  # nobody but a clock cuts there, and that one later
    assert told(young, drop(70)) == NEAR
    assert told(silent, drop(70)) == NEAR
    assert told(whole, drop(70), window=2 * WINDOW) == NEAR
    assert told(young, lambda stored: stored.rewrite(299, 9.0)) == DEEPER
    assert told(young, lambda stored: stored.rewrite(300, 9.0)) == NEAR


def test_appends_beside_a_rewrite_do_not_hide_it():
    def both(stored):
        stored.rewrite(17, 99.0)
        stored.append(START, 1.0)

    def deeper(stored):
        stored.rewrite(18, 99.0)
        stored.append(START, 1.0)

    assert (told(series(), both), told(series(), deeper)) == (NEAR, DEEPER)


def test_the_trimmer_sorts_folds_and_cuts():
    stored = Stored(
        "integer",
        [
            packed(t, x, "integer")
            for t, x in ((START + 30, 3.0), (START + 10, 1.0), (START + 30, -3.0), (START + 20, 2.0))
        ],
    )
    assert stored.trim(START + 10)
    assert [(item.t, item.x) for item in stored.items] == [(START + 20, 2.0), (START + 30, -3.0)]
    assert stored.data == packed(START + 20, 2.0, "integer").data + packed(START + 30, -3.0, "integer").data
    assert not stored.trim(START + 30)


def test_a_key_that_cannot_be_read_is_the_trimmers():
    stored = series()
    SHALLOW["cut"](stored, START, STEP, np.random.default_rng(2))
    assert not stored.trim(0)


def test_nothing_older_than_the_trimmer_leaves_stays():
    fleet = Fleet(seed=2, window=3600, trims=1, hostility=0)
    for _ in range(30):
        now = fleet.minute().now
        assert all(t > now - 3600 - GRACE for metric in fleet.metrics.values() for t, _ in metric.stored.points())


def test_an_excuse_ends_after_sixty_runs():
    fleet = Fleet(seed=1, window=7200, hostility=0, trims=0, kinds=("season",))
    fleet.minute()
    name, metric = next((name, metric) for name, metric in fleet.metrics.items() if len(metric.stored.items) > 125)
    assert not fleet.excused(name)
    metric.stored.rewrite(30, 5.0)
    assert fleet.minute().changes[name] == DEEPER
    excused = [fleet.excused(name)]
    for _ in range(60):
        fleet.minute()
        excused.append(fleet.excused(name))
    assert excused == [True] * 60 + [False]


def test_without_deep_changes_hardly_anything_is_excused():
    """But a late point that a trimmer sorts in among points older than the newest 17 is."""
    fleet = Fleet(seed=6, window=14400, deep=0)
    changes = [change for minute in minutes(fleet, 60) for change in minute.changes.values()]
    assert {APPEND, NEAR} <= set(changes)
    assert changes.count(DEEPER) < len(changes) / 500
