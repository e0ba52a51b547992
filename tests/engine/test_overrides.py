"""Overrides: all that match apply in file order, later keys win."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.config.override import read_overrides
from ridgeline.engine.rules.matching import matches
from ridgeline.engine.rules.overrides import Override, Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.io.errors import InputError

NINE = tuple("abcdefghi")
BASE = Policy(consensus=6, algorithms=NINE)

PATTERNS = st.sampled_from(["stats.", "timers", "web01.timers", ".*", "x", "stats.timers.web01"])
OVERRIDES = st.builds(
    Override,
    PATTERNS,
    consensus=st.none() | st.integers(1, 4),
    algorithms=st.none() | st.sampled_from([NINE[:4], NINE[4:], NINE]),
    thresholds=st.sampled_from([(), (("a", 2.0),), (("a", 3.0), ("b", 1.0))]),
    direction=st.none() | st.sampled_from(["up", "down"]),
    min_change=st.none() | st.just(5.0),
    stale_period=st.none() | st.just(60),
)
NAMES = st.lists(st.sampled_from(["stats.timers.web01", "stats.web02.cpu", "x", "other", "timers.web01"]), max_size=8)


def one_by_one(overrides, name):
    """The policy of one metric, key by key."""
    policy = {"consensus": 6, "algorithms": NINE, "direction": "both", "min_change": 0.0, "stale_period": None}
    thresholds = {}
    for override in overrides:
        if matches(override.match, name):
            policy.update({key: getattr(override, key) for key in policy if getattr(override, key) is not None})
            thresholds.update(override.thresholds)
    return Policy(**policy, thresholds=tuple(sorted(thresholds.items())))


@given(st.lists(OVERRIDES, max_size=5), NAMES, NAMES)
def test_each_metric_gets_what_matches_it_in_order(entries, first, second):
    base = Policy(consensus=4, algorithms=NINE)
    overrides = Overrides(base, entries)
    # Chunk by chunk, as a run asks: an index once given must stay good.
    indices = [overrides.assign(chunk) for chunk in (first, second)]
    for names, index in zip((first, second), indices, strict=True):
        if not entries:
            assert index is None
            continue
        assert index.dtype == np.int32
        for name, at in zip(names, index, strict=True):
            expected = one_by_one(entries, name)
            if not any(override.consensus and matches(override.match, name) for override in entries):
                expected = Policy(**{**{f: getattr(expected, f) for f in Policy.__slots__}, "consensus": 4})
            assert overrides.policies[at] == expected
    assert len(set(overrides.policies)) == len(overrides.policies)
    assert overrides.policies[0] == base


def test_thresholds_merge_and_later_keys_win():
    overrides = Overrides(
        BASE,
        [
            Override("stats.", consensus=7, thresholds=(("a", 2.0), ("b", 3.0))),
            Override("stats.timers", thresholds=(("a", 9.0),), direction="up"),
        ],
    )
    assert overrides.policy("stats.timers.x") == Policy(7, NINE, (("a", 9.0), ("b", 3.0)), "up")
    assert overrides.policy("stats.other") == Policy(7, NINE, (("a", 2.0), ("b", 3.0)))
    assert overrides.policy("else") is BASE


def test_overrides_that_together_ask_too_much_ask_for_all_there_is_and_it_is_said():
    overrides = Overrides(BASE, [Override("a.", algorithms=NINE[:6]), Override("b.", consensus=7)])
    assert list(overrides.assign(["a.x", "b.x"])) == [1, 2]
    assert overrides.remarks == ()
    assert overrides.policies[overrides.assign(["a.b.x"])[0]] == Policy(6, NINE[:6])
    assert list(overrides.assign(["b.a.y"])) == [1], "as strict as a. alone"
    assert overrides.remarks == (
        'overrides "a.", "b." together ask for 7 votes where 6 can be cast, of a.b.x for one: there, every algorithm must vote True',
    )


def test_many_such_combinations_are_counted():
    few = [Override(f"p{n}.", algorithms=NINE[:2], consensus=2) for n in range(9)]
    overrides = Overrides(BASE, [*few, Override("all", consensus=3)])
    overrides.assign([f"p{n}.all" for n in range(9)])
    assert len(overrides.remarks) == 6
    assert overrides.remarks[-1] == "so do 4 more combinations of overrides"


@pytest.mark.parametrize(
    ("entries", "messages"),
    [
        ([{"match": "a", "consensus": 10}], ["overrides[0].consensus: a consensus of 10 cannot be reached by 9 algorithms: lower it, or switch on more"]),
        ([{"match": "a", "algorithms": ["a"]}], ["overrides[0].consensus: a consensus of 6 cannot be reached by 1 algorithm: lower it, or switch on more"]),
        ([{"consensus": 3}], ['overrides[0].match: is missing: name the metrics that this override is for (".*" for all)']),
        ([{"match": "*"}], ['overrides[0].match: "*" is no pattern, because nothing stands before the "*": write .* for every metric']),
        ([{"match": 3}], ["overrides[0].match: must be text in quotes"]),
        ([{"match": "a", "algorithms": ("a", "aa", "a")}], ['overrides[0].algorithms[1]: there is no algorithm "aa"; did you mean "a"?', 'overrides[0].algorithms[2]: "a" is listed twice']),
        ([{"match": "a", "consensus": True, "threshold": {}}], ["overrides[0].consensus: must be a whole number", 'overrides[0].threshold: there is no such key; did you mean "thresholds"?']),
        ([{"match": "a", "thresholds": {"a": 0}}], ["overrides[0].thresholds.a: must be a finite number above 0"]),
        ([{"match": "a", "thresholds": {"a": float("nan")}}], ["overrides[0].thresholds.a: must be a finite number above 0"]),
        ([{"match": "a", "direction": "upp"}], ['overrides[0].direction: there is no direction "upp"; did you mean "up"?']),
    ],
)  # fmt: skip
def test_overrides_as_mappings_are_checked(entries, messages):
    with pytest.raises(InputError) as caught:
        read_overrides(entries, NINE, BASE)
    shown = str(caught.value).splitlines()
    for message in messages:
        assert message in shown


def test_overrides_as_mappings_are_read():
    entries = [
        {"match": "a", "thresholds": {"b": 2}, "consensus": 2, "algorithms": ["a", "b"], "stale_period": "1h"},
        {"match": ".*", "direction": "down", "min_change": 1, "min_change_relative": 0.5},
    ]
    first, second = read_overrides(entries, NINE, BASE)
    assert first == Override("a", 2, ("a", "b"), (("b", 2.0),), stale_period=3600)
    assert second == Override(".*", direction="down", min_change=1.0, min_change_relative=0.5)


def test_an_override_is_judged_together_with_those_of_its_pattern():
    read_overrides([{"match": "a", "algorithms": ["a", "b"]}, {"match": "a", "consensus": 2}], NINE, BASE)
    read_overrides([{"match": "a", "algorithms": ["a", "b"]}, {"match": ".*", "consensus": 2}], NINE, BASE)
    with pytest.raises(InputError, match=r"overrides\[0\]"):
        read_overrides([{"match": "a", "algorithms": ["a", "b"]}, {"match": "b", "consensus": 2}], NINE, BASE)


@given(st.lists(OVERRIDES, max_size=5), NAMES, NAMES)
def test_policies_foreseen_are_those_assigned(entries, fleet, others):
    base = Policy(consensus=4, algorithms=NINE)
    plain, foreseeing = Overrides(base, entries), Overrides(base, entries)
    foreseeing.foresee(fleet)
    for names in (fleet, others, [*others, *fleet]):
        found, expected = foreseeing.assign(names), plain.assign(names)
        if entries:
            assert [foreseeing.policies[at] for at in found] == [plain.policies[at] for at in expected]


def test_a_large_fleet_stays_cheap():
    overrides = Overrides(BASE, [Override("timers", consensus=3), Override("stats.web0", direction="up")])
    index = overrides.assign(f"stats.web{n}.timers.t{n % 7}" for n in range(50_000))
    assert len(index) == 50_000
    assert len(overrides.policies) == 3
