"""Text from outside, made safe to show, to send and to name files by."""

import doctest
import re

from hypothesis import given
from hypothesis import strategies as st
from rigs.names import names

import ridgeline.io.text
from ridgeline.io.text import encodable, escape, file_name, truncate


@given(name=st.one_of(names, st.binary(max_size=60)))
def test_escaped_text_is_one_printable_line(name):
    shown = escape(name)
    assert shown.isprintable()
    shown.encode()
    assert escape(shown) == shown


def test_ordinary_names_are_shown_as_they_are():
    for name in ("stats.web-01.p99_ms", "m\u00e5l", "caf\u00e9.\u6e29\u5ea6", 'labels{a="b"}', "back\\slash"):
        assert escape(name) == name


@given(name=names, limit=st.integers(0, 80))
def test_truncation_counts_bytes_and_splits_no_character(name, limit):
    short = truncate(name, limit)
    assert len(short.encode()) <= limit
    if len(encodable(name).encode()) <= limit:
        assert short == encodable(name)
    else:
        assert encodable(name).startswith(short.removesuffix("..."))


@given(first=names, second=names)
def test_file_names_are_safe_and_differ(first, second):
    made = file_name(first, ".png")
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}-[0-9a-f]{16}\.png", made)
    assert len(made) <= 61
    assert (made.lower() == file_name(second, ".png").lower()) == (first == second)


def test_examples_in_the_docstrings():
    results = doctest.testmod(ridgeline.io.text)
    assert results.attempted
    assert not results.failed
