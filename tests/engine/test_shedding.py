"""Who is read first where there is not time for all: the order, run after run, whatever each has time for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.run.shedding import STRIDE, Places, places_after, reading_order

NAMES = [f"m{number:03d}" for number in range(40)]


def covering(covered):
    return lambda names: np.array([name in covered for name in names], np.bool_)


def run(names, covers, places, time):
    """(order in which the names were read, places for the next run) of one with time for so many."""
    order = [names[at] for at in reading_order(names, covers, places or Places())]
    missed = np.arange(min(time, len(order)), len(order))
    return order, places_after(order, missed, time, covers, places or Places()) if len(missed) else None


@given(
    names=st.sets(st.text(max_size=3), min_size=1, max_size=30).map(sorted),
    covered=st.sets(st.integers(0, 29)),
    times=st.lists(st.integers(1, 32), min_size=1, max_size=30),
)
def test_those_with_a_rule_come_first_and_of_each_kind_whoever_waited_longest(names, covered, times):
    covered = {names[at] for at in covered if at < len(names)}
    judged, places = dict.fromkeys(names, -1), None
    for number, time in enumerate(times):
        order, places = run(names, covering(covered), places, time)
        assert sorted(order) == names
        waited = [(name not in covered, judged[name]) for name in order]
        assert waited == sorted(waited)
        judged |= dict.fromkeys(order[:time], number)


@given(names=st.integers(1, 40), share=st.integers(1, 40), covered=st.integers(0, 40))
def test_everybodys_turn_comes(names, share, covered):
    names, covers = NAMES[:names], covering(set(NAMES[::3][:covered]))
    first = int(covers(names).sum())
    share = max(share, first + 1)
    seen, places = set(), None
    for _ in range(-(-len(names) // (share - first))):
        order, places = run(names, covers, places, share)
        assert covers(order[:first]).all()
        seen |= set(order[:share])
    assert seen == set(names)


@given(st.data())
def test_metrics_that_come_and_go_wait_for_no_more_than_a_round(data):
    """However names change between runs: one that stays listed is read within the rounds that its circle takes."""
    places, waiting = None, dict.fromkeys(NAMES, 0)
    for _ in range(20):
        names = sorted({NAMES[7], *data.draw(st.sets(st.sampled_from(NAMES), min_size=10))})
        order, places = run(names, covering(set()), places, 10)
        for name in names:
            waiting[name] = 0 if name in order[:10] else waiting[name] + 1
        assert waiting[NAMES[7]] <= 4


def test_one_that_is_no_longer_listed_is_followed_by_the_next():
    order = [NAMES[at] for at in reading_order(NAMES, covering({NAMES[5], NAMES[9]}), Places("m007", "m0075"))]
    assert order[:4] == ["m009", "m005", "m008", "m010"]
    assert order[-1] == "m007"


def test_names_that_are_not_sorted_are_found_nevertheless():
    names = ["b", "\\xff", "a", "c"]
    assert reading_order(names, covering(set()), Places(None, "\\xff")).tolist() == [1, 2, 3, 0]


def missed(*positions):
    return np.array(positions, np.int64)


def test_a_block_that_did_not_come_back_is_tried_once_more_and_then_passed_over():
    covers = covering(set())
    places = places_after(NAMES, missed(4, 5, *range(20, 40)), 20, covers, Places())
    assert places == Places(None, "m004")
    order = [NAMES[at] for at in reading_order(NAMES, covers, places)]
    again = places_after(order, missed(0, 1, *range(16, 40)), 16, covers, places)
    assert again == Places(None, order[16])


def test_a_chunk_that_could_not_even_be_read_is_passed_over():
    names = [f"m{number:05d}" for number in range(3000)]
    covers = covering(set())
    everything = np.arange(3000)
    places = places_after(names, everything, 0, covers, Places())
    assert places == Places(None, names[0])
    places = places_after(names, everything, 0, covers, places)
    assert places == Places(None, names[STRIDE])
    few = names[:5]
    assert places_after(few, np.arange(5), 0, covers, Places(None, few[0])) == Places(None, few[4])


def test_others_that_rules_left_no_time_for_are_not_passed_over():
    order = NAMES
    covers = covering(set(NAMES[:20]))
    places = places_after(order, np.arange(10, 40), 10, covers, Places(None, NAMES[20]))
    assert places == Places(NAMES[10], NAMES[20])


@pytest.mark.parametrize(
    "stored", [None, [], "x", 3, {"covered": 1}, {"others": ["a"]}, {"covered": None, "others": 2.5}]
)
def test_what_is_no_place_is_none(stored):
    assert Places.read(stored) is None


def test_places_are_read_again():
    for places in (Places(), Places("a"), Places(None, "b"), Places("a", "b")):
        assert Places.read(places.as_json()) == places
