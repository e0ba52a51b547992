"""Keys in columns: what is asked about all of them is what would be asked about each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.memory.bulk import LANES, checksum
from ridgeline.io.memory.hashing import Words, hashes, same
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.lookup import Lookup
from ridgeline.io.memory.roster import Roster

KEY = st.binary(max_size=40) | st.sampled_from([b"", b"\0", b"\0" * 8, b"a" * 8, b"a" * 9, b"a" * 8 + b"\0"])
MASK = (1 << 64) - 1


def slowly(key):
    found = len(key)
    for at in range(0, len(key), 8):
        found = (found ^ int.from_bytes(key[at : at + 8], "little")) * 0x9E3779B97F4A7C15 & MASK
        found ^= found >> 32
    found = found * 0xD6E8FEB86659FD93 & MASK
    return found ^ found >> 32


@given(st.lists(KEY, max_size=30))
def test_hashes_are_those_of_each_key(keys):
    assert hashes(Keys.of(keys)).tolist() == [slowly(key) for key in keys]


@given(st.lists(st.text("aé\u6f22.", max_size=20) | st.text("ab", max_size=8), max_size=30), st.data())
def test_names_are_what_follows_the_namespace(names, data):
    columns = Keys.of([f"metrics.{name}".encode() for name in names])
    rows = sorted(data.draw(st.sets(st.integers(0, len(names) - 1)))) if names else []
    assert columns.names_of(np.array(rows, np.int64), len("metrics.")) == [names[row] for row in rows]


@given(st.lists(KEY, max_size=30), st.data())
def test_keys_are_taken_and_joined(keys, data):
    columns = Keys.of(keys)
    assert columns.texts() == keys
    rows = data.draw(st.lists(st.integers(0, len(keys) - 1), max_size=20)) if keys else []
    assert columns.take(np.array(rows, np.int64)).texts() == [keys[row] for row in rows]
    assert columns.plus(columns).texts() == keys + keys


@given(st.lists(KEY, min_size=1, max_size=30), st.data())
def test_keys_are_compared_byte_by_byte(keys, data):
    others = data.draw(st.lists(KEY | st.sampled_from(keys), min_size=len(keys), max_size=len(keys)))
    every = np.arange(len(keys))
    found = same(Words(Keys.of(keys)), every, Words(Keys.of(others)), every)
    assert found.tolist() == [ours == theirs for ours, theirs in zip(keys, others, strict=True)]


@given(st.lists(KEY, unique=True, max_size=30), st.lists(KEY, max_size=30))
def test_rows_are_found_and_only_those_there(keys, asked):
    found = Lookup(Roster.of(Keys.of(keys))).rows_of(Keys.of(asked + keys))
    assert found.tolist() == [keys.index(key) if key in keys else -1 for key in asked + keys]


@pytest.mark.parametrize("equal", [2, 5])
def test_keys_of_one_hash_are_told_apart(equal, monkeypatch):
    keys = [b"key%d" % at for at in range(10)]
    monkeypatch.setattr(
        "ridgeline.io.memory.lookup.hashes",
        lambda asked: np.array([int(key[3:]) // equal for key in asked.texts()], np.uint64),
    )
    hashed = np.arange(10, dtype=np.uint64) // np.uint64(equal)
    lookup = Lookup(Roster.of(Keys.of(keys), hashed))
    assert lookup.rows_of(Keys.of([*keys[::-1], b"key10", b"key01"])).tolist() == [*range(9, -1, -1), -1, -1]


def test_a_checksum_sees_every_byte_and_every_place():
    size = 3 * 8 * LANES + 1001
    raw = np.random.default_rng(3).integers(0, 256, size, np.uint8)
    found = checksum(raw)
    block = 8 * LANES
    swapped = np.concatenate([raw[block : 2 * block], raw[:block], raw[2 * block :]])
    assert checksum(swapped) != found
    for at in [0, 7, block - 1, block, 2 * block + 5, 3 * block, size - 1]:
        changed = raw.copy()
        changed[at] ^= 128
        assert checksum(changed) != found
    for first in (0, block, 2 * block):  # what a power cut leaves of a page
        changed = raw.copy()
        changed[first : first + 4096] = 0
        assert checksum(changed) != found
    assert checksum(raw.copy()) == found
    assert checksum(np.concatenate([[np.uint8(1)], raw])[1:]) == found  # not aligned


def test_a_small_checksum_is_crc_32():
    assert checksum(np.frombuffer(b"123456789", np.uint8)) == 0xCBF43926
