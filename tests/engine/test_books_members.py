"""Which metric a member of a shared set is about, and whose it is to change."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.run.books.members import in_namespace, name, of_pair, of_triple, ours
from ridgeline.io.shard import Shards, Share

HOSTS = ("a", "b", "c")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats() | st.integers()


@given(TEXTS, st.integers(0, 2**40))
def test_of_pairs(metric, stamp):
    assert of_pair(repr([metric, stamp])) == metric


@given(NUMBERS, TEXTS, st.integers(0, 2**40))
def test_of_triples_whatever_the_value(value, metric, stamp):
    assert of_triple(repr([value, metric, stamp])) == metric


@given(st.text())
def test_what_is_neither_is_about_nothing(text):
    for read in (of_pair, of_triple):
        found = read(text)
        assert found is None or isinstance(found, str)


@pytest.mark.parametrize(
    "text", ["", "[]", "[1, 2]", "['a'", "[,]", "['a' 'b', 1", "[nan, nan, 1]", "['" + "x" * 200_000 + "', 1]"]
)
def test_damaged_members(text):
    for read in (of_pair, of_triple):
        assert read(text) is None or read(text) in {"a", "ab"}


def test_marks_are_about_no_metric_and_what_looks_like_them_is():
    keyed = in_namespace("metrics.")
    for mark in ("_updated_at_20231114221320", "skyline_set_as_of_1700000000"):
        assert name(mark) is None
        assert keyed(mark) is None
    assert name("_updated_at_noon") == "_updated_at_noon"
    assert keyed("metrics._updated_at_x") == "_updated_at_x"
    assert keyed("bare") == "bare"


@given(st.sets(TEXTS | st.sampled_from(["_updated_at_20231114221320", "skyline_set_as_of_1"])))
def test_each_member_is_one_host_s_to_change(members):
    parts = [ours(Shards(HOSTS, host).share(), name, members) for host in HOSTS]
    assert sum(map(len, parts)) == len(members)
    assert set().union(*parts) == members
    assert ours(Share(), name, members) == members
    assert {member for member in members if name(member) is None} <= parts[0]


def test_a_value_that_is_no_number_does_not_hide_the_metric():
    assert of_triple(repr([math.inf, "a, b", 5])) == "a, b"
