"""Garbage in cycles while a run lasts."""

from __future__ import annotations

import gc

import pytest

from ridgeline.engine.run.collecting import RARELY, collecting_rarely


@pytest.fixture(autouse=True)
def as_usual():
    usual, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.unfreeze()  # what the suite froze when it was collected
    yield
    gc.set_threshold(*usual)
    gc.unfreeze()
    if frozen:
        gc.freeze()


def test_what_was_there_before_is_not_looked_through_and_is_again_afterwards():
    gc.set_threshold(700, 10, 10)
    with collecting_rarely():
        assert gc.get_threshold() == RARELY
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0


def test_so_it_is_however_the_run_ends():
    gc.set_threshold(700, 10, 10)
    with pytest.raises(KeyError), collecting_rarely():
        raise KeyError
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0


def test_a_process_that_has_frozen_its_objects_keeps_them_so():
    gc.freeze()
    frozen = gc.get_freeze_count()
    with collecting_rarely():
        pass
    assert gc.get_freeze_count() == frozen


@pytest.mark.parametrize("usual", [(0, 10, 10), (2_000_000, 60, 70)])
def test_one_that_collects_never_or_more_rarely_goes_on_so(usual):
    gc.set_threshold(*usual)
    with collecting_rarely():
        assert gc.get_threshold() == usual


def test_cycles_are_still_found():
    gc.set_threshold(700, 10, 10)
    with collecting_rarely():
        before = gc.get_stats()[0]["collections"]
        for _ in range(2 * RARELY[0]):
            cycle = []
            cycle.append(cycle)
        assert gc.get_stats()[0]["collections"] > before


def test_of_several_runs_at_once_the_last_leaves_it_as_before():
    gc.set_threshold(700, 10, 10)
    one, other = collecting_rarely(), collecting_rarely()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert gc.get_threshold() == RARELY
    assert gc.get_freeze_count() > 0
    other.__exit__(None, None, None)
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() == 0
