"""Members `['name', timestamp]`, framed for Redis by a kernel, against Python's own repr and the protocol's rules."""

from __future__ import annotations

from unittest import mock

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from ridgeline.io.memory import members
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.members import framed, member

SKIP = len(b"metrics.")
NAMES = st.text(max_size=40)


def twin(pairs):
    """What Redis is to be sent, member by member."""
    texts = [member(name, stamp).encode() for name, stamp in pairs]
    return b"".join(b"$%d\r\n%b\r\n" % (len(text), text) for text in texts)


def ours(pairs, most):
    """The same by the kernel, and how many members each page has; every other row of the keys is another's."""
    keys = Keys.of([text for name, _ in pairs for text in (f"metrics.{name}".encode(), b"another")])
    rows = np.arange(0, 2 * len(pairs), 2)
    stamps = np.array([stamp for _, stamp in pairs], np.int64)
    pages = list(framed(keys, rows, SKIP, stamps, most))
    return b"".join(data for _, data in pages), [count for count, _ in pages]


@given(
    st.lists(
        st.tuples(st.one_of(NAMES, st.sampled_from(["a.b-c_d", "x" * 64])), st.integers(0, 2**63 - 1)), max_size=20
    ),
    st.integers(1, 7),
)
@example([("it's", 0), ('say "a"', 1), ("back\\slash", 9), ("new\nline", 10), ("naïve\u2028", 99), ("\x7f~", 100)], 4)
def test_members_are_what_python_prints(pairs, most):
    """Plain names by the kernel, all others by Python, in order; no page holds more than it may, none is empty."""
    try:
        expected = twin(pairs)
    except UnicodeEncodeError:  # half a surrogate, which no key of UTF-8 holds
        return
    data, counts = ours(pairs, most)
    assert data == expected
    assert sum(counts) == len(pairs)
    assert all(0 < count <= most for count in counts)


def test_what_does_not_fit_goes_into_the_next_page():
    """Also a member that is longer than all the room there is."""
    pairs = [("a" * 100, 1), ("b" * 100, 22), ("c" * 1000, 333), ("d", 4444)]
    with mock.patch.object(members, "ROOM", 300):
        data, counts = ours(pairs, 10)
    assert data == twin(pairs)
    assert len(counts) > 1


def test_timestamps_before_the_epoch():
    """Python prints those that the kernel does not."""
    pairs = [("a", 5), ("b", -5), ("c", -(2**63))]
    assert ours(pairs, 10)[0] == twin(pairs)
