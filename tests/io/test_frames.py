"""Commands as bytes: pages of words, whatever characters they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.redis.frames import frame, pages
from ridgeline.io.redis.pages import PAGE

WORDS = st.lists(st.text("ab\r\n$*'\"", max_size=12) | st.text("é漢\udc80\udcff", max_size=6), max_size=12)


def slowly(words):
    octets = [word.encode("utf-8", "surrogateescape") for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in octets)


@given(WORDS)
def test_a_command_is_the_words_by_their_bytes(words):
    assert frame(*words) == slowly(words)


@pytest.mark.parametrize(("command", "size"), [("SADD", PAGE), ("HSET", 2 * PAGE)])
def test_words_come_page_by_page(command, size):
    words = [f"m.{number}" for number in range(2 * size + 2)]
    words[size] = "naïve"
    found = [*pages(command, "key", iter(words))]
    assert found == [slowly([command, "key", *words[at : at + size]]) for at in range(0, len(words), size)]
    assert [*pages(command, "key", [])] == []
