"""The four matching rules, against a reading of the specification in plain Python."""

import re
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ridgeline.engine.rules.matching import Matcher, matches

NAMES = st.text(alphabet="ab.x(*[", max_size=12)


def by_the_book(pattern, name):
    if pattern == name or pattern in name:
        return True
    elements = pattern.split(".")
    if len(set(elements) & set(name.split("."))) == len(elements):
        return True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.match(pattern, name) is not None
    except re.error:
        return False


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("stats.web01.requests", "stats.web01.requests", True),
        ("web01", "stats.web01.requests", True),
        ("b01.req", "stats.web01.requests", True),
        ("requests.stats", "stats.web01.requests", True),
        ("requests.requests", "stats.web01.requests", False),
        ("requests.cpu", "stats.web01.requests", False),
        (r"stats\.web\d+\.", "stats.web01.requests", True),
        (r"web\d+", "stats.web01.requests", False),
        (r".*web\d+", "stats.web01.requests", True),
        ("stats.web*(", "stats.web01.requests", False),
        ("(", "a(b", True),
        ("", "anything", True),
        (".*", "anything", True),
        ("Stats", "stats.web01", False),
        ("a{99999999999}", "aa", False),
    ],
)
def test_the_rules_by_example(pattern, name, expected):
    assert matches(pattern, name) is expected


@given(NAMES, NAMES)
@example("[[a", "b")
@example("a.a", "a.a.b")
def test_the_rules_as_specified(pattern, name):
    assert matches(pattern, name) is by_the_book(pattern, name)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_pattern(pattern, name):
    assert matches(pattern, name) in {True, False}
    assert matches(name, name)


@given(st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=6))
def test_many_patterns_agree_with_one(patterns, names):
    many = Matcher(patterns)
    for name in names:
        hits = [i for i, pattern in enumerate(patterns) if matches(pattern, name)]
        assert many.every(name) == tuple(hits)
        assert many.first(name) == (hits[0] if hits else None)
        assert many.any(name) is bool(hits)
    assert many.filter(names) == [name for name in names if any(matches(p, name) for p in patterns)]
