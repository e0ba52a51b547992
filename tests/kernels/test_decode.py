"""The decode kernel agrees with the msgpack library and validation on every input, and stays inside its bytes."""

from __future__ import annotations

import ctypes
import math
import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import msgpack
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twins import pairs as msgpack_oracle

from ridgeline.kernels.decode import layout
from ridgeline.kernels.decode.layout import KINDS, NESTING, NO_ROOM
from ridgeline.kernels.decode.row import read_row

T0 = 1_700_000_000


def run(rows: list[bytes], data=None, spare: int = 0):
    """(offsets, timestamps, values, counts, disordered) of the rows, which lie `spare` bytes apart."""
    starts = np.cumsum([0] + [len(row) + spare for row in rows[:-1]]) if rows else np.empty(0, np.int64)
    if data is None:
        data = np.frombuffer(b"".join(row + b"\x01" * spare for row in rows) or b"\0", np.uint8).copy()
    capacity = sum(map(len, rows)) // 3 + 1
    timestamps, bits = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    offsets, counts = np.zeros(len(rows) + 1, np.int64), np.empty((len(rows), len(KINDS)), np.int64)
    disordered, stack = np.empty(len(rows), np.uint8), np.empty(NESTING, np.int64)
    for i, start in enumerate(starts.tolist()):
        end = start + len(rows[i])
        offsets[i + 1], disordered[i] = read_row(data, start, end, timestamps, bits, offsets[i], counts[i], stack)
        assert offsets[i + 1] >= offsets[i]
    return offsets, timestamps, bits.view(np.float64), counts, disordered


def check(rows: list[bytes], spare: int = 0) -> None:
    offsets, timestamps, values, counts, disordered = run(rows, spare=spare)
    for i, row in enumerate(rows):
        expected = msgpack_oracle.decode(row)
        piece = slice(offsets[i], offsets[i + 1])
        assert timestamps[piece].tolist() == [t for t, _ in expected.points]
        # bits, so that the sign of zero counts
        assert values[piece].tobytes() == struct.pack(f"{len(expected.points)}d", *(v for _, v in expected.points))
        assert dict(zip(msgpack_oracle.KINDS, counts[i].tolist(), strict=True)) == expected.counts
        assert bool(disordered[i]) == any(a >= b for (a, _), (b, _) in zip(expected.points, expected.points[1:]))  # noqa: B905


def integer_point(timestamp: int, value: float) -> bytes:
    return b"\x92\xce" + struct.pack(">I", timestamp) + b"\xcb" + struct.pack(">d", value)


def float_point(timestamp: float, value: float) -> bytes:
    return b"\x92\xcb" + struct.pack(">d", timestamp) + b"\xcb" + struct.pack(">d", value)


# By first byte.
FORMS = dict(zip(range(0xCA, 0xD4), (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True))


def edges(form: str) -> list[int]:
    """The whole numbers at which a form's bits change their meaning."""
    bits = 8 * struct.calcsize(form)
    low, high = (0, 2**bits - 1) if form[1].isupper() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    around = [1, 2**7, 2**8, 2**53, 2**54, 2**62, 2**62 + 1024, 2**63, 2**63 - 512, 2**63 + 1024]
    near = [sign * n + step for n in around for sign in (1, -1) for step in (-1, 0, 1)]
    return [low, low + 1, high - 1, high, high // 2 + 1, *(n for n in near if low <= n <= high)]


def number(code: int) -> st.SearchStrategy[bytes]:
    """A number that msgpack stores with this first byte, in its shortest form or not; 0: in the byte itself."""
    if code == 0:
        return (st.integers(0, 0x7F) | st.integers(0xE0, 0xFF)).map(lambda byte: bytes([byte]))
    form = FORMS[code]
    inside: st.SearchStrategy = st.binary(min_size=struct.calcsize(form), max_size=struct.calcsize(form))
    if form not in {">f", ">d"}:
        inside |= st.sampled_from(edges(form)).map(lambda n: struct.pack(form, n))
    return inside.map(lambda bits: bytes([code]) + bits)


floats = st.floats(allow_nan=True, allow_infinity=True)
seconds = st.integers(T0, T0 + 100_000)
integer_points = st.builds(integer_point, st.integers(0, 2**32 - 1) | seconds, floats)
float_points = st.builds(float_point, floats | st.integers(-(2**60), 2**60).map(float) | seconds.map(float), floats)
heads = st.builds(lambda n: b"\x92\xce" + struct.pack(">I", n), seconds | st.integers(0, 2**32 - 1)) | st.builds(
    lambda n: b"\x92\xcb" + struct.pack(">d", n),
    seconds | floats | st.sampled_from([-1.5, 2.0**53, 2.0**53 + 2, -(2.0**53)]),
)
mixed_points = st.builds(bytes.__add__, heads, st.sampled_from([0, *FORMS]).flatmap(number))
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | floats | st.text(max_size=4) | st.binary(max_size=4)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)) | seconds
)  # fmt: skip
things = st.recursive(
    scalars, lambda t: st.lists(t, max_size=4) | st.dictionaries(st.integers(0, 9), t, max_size=3), max_leaves=8
)


def packed(thing, single: bool) -> bytes:
    try:
        return msgpack.packb(thing, use_single_float=single)
    except OverflowError:  # beyond float32
        return msgpack.packb(thing)


pairs = st.builds(packed, st.lists(scalars, min_size=2, max_size=3) | st.tuples(seconds, floats), st.booleans())
objects = st.builds(packed, things, st.booleans())
hostile = st.binary(min_size=1, max_size=40)
streams = st.lists(integer_points | float_points | mixed_points | pairs | objects, max_size=30).map(b"".join)
runs = st.builds(lambda point, n: point * n, integer_points | float_points | mixed_points, st.integers(1, 600))
mixtures = st.builds(
    lambda points, n: b"".join(points) * n,
    st.lists(mixed_points | integer_points, min_size=1, max_size=12),
    st.integers(1, 60),
)


@given(st.lists(streams | hostile | st.builds(bytes.__add__, streams, hostile), max_size=4), st.integers(0, 3))
@example([b"\xc1"], 0)
@example([b"\x92\xce\x65\x53\xf1\x00\xcb" + b"\x7f\xf8" + bytes(6)], 0)
@example([float_point(2.0**62, 1.0) + float_point(-(2.0**62), 1.0) + float_point(2.0**62 + 1024, 1.0)], 0)
@example([msgpack.packb([2**62, 1]) + msgpack.packb([2**62 + 1, 1]) + msgpack.packb([2**64 - 1, 2**64 - 1])], 0)
@example([float_point(-1.5, -0.0)], 0)
@example([b"\x92\xd6\xff\0\0\0\1\1"], 0)  # a timestamp extension in the timestamp's place
@example([b"\xdf\xff\xff\xff\xff", b"\xdd\x03\x93\x87\x00", b"\xc6\xff\xff\xff\xff"], 1)
@example([msgpack.packb([[T0, 1.0], [T0 + 60, 2.0]])], 0)  # wrapped in a list
def test_agrees_with_msgpack_on_any_bytes(rows: list[bytes], spare: int):
    check(rows, spare)


@given(st.lists(runs | mixtures | objects | hostile, min_size=1, max_size=4).map(b"".join), runs | mixtures, st.data())
def test_agrees_with_msgpack_where_runs_break(row: bytes, more: bytes, data):
    row += more
    if data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(row) - 1))
        row = row[:place] + data.draw(st.binary(min_size=1, max_size=1)) + row[place + 1 :]
    check([row[: data.draw(st.integers(max(len(row) - 20, 0), len(row)))]])


@given(st.lists(mixed_points, min_size=4, max_size=60), st.lists(objects | hostile, max_size=2), st.data())
def test_agrees_with_msgpack_where_layouts_change(points: list[bytes], between: list[bytes], data):
    for thing in between:
        points.insert(data.draw(st.integers(0, len(points))), thing)
    row = b"".join(points)
    check([row, row[: data.draw(st.integers(max(len(row) - 40, 0), len(row)))]], data.draw(st.integers(0, 2)))


@pytest.mark.parametrize("head", [b"\x92\xce" + struct.pack(">I", T0), b"\x92\xcb" + struct.pack(">d", T0 + 0.5)])
def test_every_first_byte_of_a_value_reads_as_the_library_reads_it(head: bytes):
    good = integer_point(T0 + 60, 1.0) * 2  # behind it, so that the last point is not the one near the end
    check([head + bytes([code]) + (b"\0" * 8)[:size] + good for code in range(256) for size in (0, 1, 2, 4, 8)])
    for code, form in FORMS.items():
        numbers = edges(form) if form not in {">f", ">d"} else [0.0, -0.0, 1.5, 1e-40, math.inf, math.nan]
        rows = [head + bytes([code]) + struct.pack(form, n) + good for n in numbers]
        check([*rows, b"".join(rows)])


def test_rows_of_whole_numbers_tell_whether_they_increase():
    points = [b"\x92\xce" + struct.pack(">I", T0 + 60 * i) + msgpack.packb(i * 7 % 300) for i in range(1500)]
    check([b"".join(points)])
    for place in (1, 100, 254, 255, 256, 257, 1023, 1024, 1498):
        swapped = [*points[: place - 1], points[place], points[place - 1], *points[place + 1 :]]
        check([b"".join(points), b"".join(swapped), b"".join([*points[:place], points[place - 1], *points[place:]])])


def test_series_that_change_between_floats_and_whole_numbers():
    def point(i: int, value) -> bytes:
        return msgpack.packb([T0 + 60 * i, value]) if i % 97 else msgpack.packb([float(T0 + 60 * i), value])

    for every in (1, 2, 3, 10, 300, 700):
        check([b"".join(point(i, i * 1.5 if i // every % 2 else i * 37 % 70_000 - 50) for i in range(1600))])


@pytest.mark.parametrize("point", [integer_point, float_point, lambda t, v: msgpack.packb([t, int(v)])])
def test_keeps_whole_points_before_every_cut(point):
    pieces = [point(T0 + 60 * i, 300.0 + i) for i in range(300)]
    tail = b"".join(pieces)
    whole = np.cumsum([len(piece) for piece in pieces])
    for cut in [*range(1, 3 * len(pieces[0])), *range(len(tail) - 40, len(tail) + 1)]:
        offsets, timestamps, _, counts, _ = run([tail[:cut]])
        kept = int(np.searchsorted(whole, cut, side="right"))
        assert offsets[1] == kept
        assert timestamps[:kept].tolist() == [T0 + 60 * i for i in range(kept)]
        assert counts[0].tolist() == [0, 0, 0, 0, 0, int(cut not in whole)]


def test_the_table_of_kinds_is_the_one_that_reports_use():
    assert KINDS == msgpack_oracle.KINDS
    assert [getattr(layout, kind.upper()) for kind in KINDS] == list(range(len(KINDS)))


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        ([T0, None], "null"), ([None, 1.0], "null"), ([T0, "1.0"], "non_numeric"), ([T0, True], "non_numeric"),
        ([False, 1.0], "non_numeric"), ([T0, b"1"], "non_numeric"), ([T0, math.nan], "non_finite"),
        ([T0, -math.inf], "non_finite"), ([math.nan, 1.0], "bad_timestamp"), ([math.inf, 1.0], "bad_timestamp"),
        ([2**62 + 1, 1.0], "bad_timestamp"), ([-(2**63), 1.0], "bad_timestamp"), ([2**64 - 1, 1.0], "bad_timestamp"),
        ([T0], "malformed"), ([], "malformed"), (T0, "malformed"), ({T0: 1.0}, "malformed"), (None, "malformed"),
        ([[T0, 1.0]], "malformed"), ([[T0, 1.0], [T0, 1.0]], "malformed"), ([T0, [1.0]], "malformed"),
        ([T0, msgpack.ExtType(5, b"x")], "malformed"), ([T0, msgpack.Timestamp(1, 1)], "malformed"),
    ],
)  # fmt: skip
def test_objects_that_are_no_points_are_counted_by_kind(stored, kind):
    good = integer_point(T0, 1.0)
    _, timestamps, _, counts, _ = run([good + msgpack.packb(stored) + good])
    assert timestamps[:2].tolist() == [T0, T0]
    assert counts[0, KINDS.index(kind)] == 1
    assert counts.sum() == 1


@pytest.mark.parametrize(
    ("stored", "point"),
    [
        ([T0, 2**63], (T0, 2.0**63)), ([T0, 2**53 + 1], (T0, 2.0**53)), ([T0, -5], (T0, -5.0)), ([7, 8], (7, 8.0)),
        ([T0 + 0.75, 1.0], (T0, 1.0)), ([-0.25, 1.0], (-1, 1.0)), ([2**62, 1], (2**62, 1.0)),
        ([T0, 1.5, "more", {}], (T0, 1.5)), ((T0 * 1000, 1.5), (T0 * 1000, 1.5)),
        ([T0 * 10**9 + 7, 1.5], (T0 * 10**9 + 7, 1.5)),
    ],
)  # fmt: skip
def test_numbers_of_every_kind_are_points(stored, point):
    _, timestamps, values, counts, _ = run([msgpack.packb(stored)])
    assert (timestamps[0], values[0]) == point
    assert not counts.any()


@pytest.mark.parametrize(
    "row",
    [
        b"\x91" * 1_000_000, b"\x81" * 1_000_000, b"\xdd\xff\xff\xff\xff" * 200_000, b"\xdf\xff\xff\xff\xff" + b"\0" * 1_000_000,
        b"\xdd\x03\x93\x87\x00" + b"\xc0" * 1_000_000, b"\xdb\xff\xff\xff\xff" + b"x" * 1_000_000, b"\x90" * 1_000_000,
        (b"\x91" * 1024 + b"\xc0") * 900, b"\x92\xce\0\0\0\0\xc0" * 150_000,
    ],
)  # fmt: skip
def test_hostile_megabytes_take_milliseconds(row: bytes):
    run([b"\xc0"])  # compiled before the clock starts
    began = time.perf_counter()
    offsets, *_, counts, _ = run([row])
    assert time.perf_counter() - began < 30  # not the hours of a decoder that looks at them again and again
    assert offsets[1] == 0
    assert counts.sum() > 0


def test_reads_nothing_behind_the_bytes():
    """The bytes end where the next page may not be read: one byte too far and the process is gone."""
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address + page), ctypes.c_size_t(page), 0) == 0
    whole = integer_point(T0, 1.0) * 3 + float_point(T0, 2.0) * 3 + msgpack.packb([T0, 300]) * 3
    whole += msgpack.packb([T0, 5, {1: [2] * 20}, "x" * 40])
    for row in [whole[-n:] for n in range(1, len(whole) + 1)] + [whole[:n] for n in range(1, len(whole) + 1)]:
        ctypes.memmove(address + page - len(row), row, len(row))
        place = (ctypes.c_uint8 * len(row)).from_address(address + page - len(row))
        run([row], data=np.frombuffer(place, np.uint8))
    assert libc.mprotect(ctypes.c_void_p(address + page), ctypes.c_size_t(page), 3) == 0


def test_says_when_there_is_no_room():
    row = msgpack.packb([7, 8]) * 10
    data = np.frombuffer(row, np.uint8).copy()
    for capacity in range(10):
        columns = [np.full(capacity + 1, -1, np.int64) for _ in range(2)]
        short = [column[:capacity] for column in columns]
        rest = np.empty(6, np.int64), np.empty(1024, np.int64)
        assert read_row(data, 0, len(row), *short, 0, *rest)[0] == NO_ROOM
        assert [column[capacity] for column in columns] == [-1, -1]


def test_a_poisoned_row_changes_no_other():
    good = [b"".join(integer_point(T0 + 60 * i, i * k) for i in range(300)) for k in range(3)]
    alone = run(good)
    mixed = run([good[0], b"\x91" * 5000, good[1], b"\xc1\xff", good[2]])
    keep = [0, 2, 4]
    pieces = [(mixed[0][i], mixed[0][i + 1]) for i in keep]
    for column in (1, 2):
        assert b"".join(mixed[column][a:b].tobytes() for a, b in pieces) == alone[column][: alone[0][-1]].tobytes()


SCRIPT = """
import sys
sys.path[:0] = {places!r}
import random, msgpack, test_decode as t
random.seed({seed})
for _ in range({rounds}):
    row = b"".join(
        random.choice([
            lambda: t.integer_point(random.getrandbits(32), random.random()),
            lambda: t.float_point(random.uniform(-1e10, 1e10), random.random()),
            lambda: msgpack.packb([random.getrandbits(32), random.getrandbits(random.randrange(64)) * random.choice([1, 1, -1])]),
            lambda: msgpack.packb([random.getrandbits(40), random.getrandbits(63), [None] * random.randrange(3)]),
            lambda: random.randbytes(random.randrange(1, 12)),
        ])() * random.choice([1, 1, 300]) for _ in range(random.randrange(6)))
    t.check([row, row[: random.randrange(len(row) + 1)]])
"""


def test_the_same_without_compilation():
    """With bounds checked, `make test-bounds` runs all of this file."""
    here = Path(__file__).parent
    script = SCRIPT.format(places=[str(here), str(here.parent)], seed=3, rounds=6)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("depth", [NESTING - 2, NESTING - 1, NESTING, NESTING + 1, NESTING + 7])
@pytest.mark.parametrize("opening", [b"\x91", b"\x81\x00", b"\xdc\x00\x01", b"\xdf\x00\x00\x00\x01\x00"])
def test_nesting_up_to_the_limit_is_read_and_beyond_it_nothing_is_written(depth, opening):
    row = integer_point(T0, 1.0) + opening * depth + b"\x00" + integer_point(T0 + 60, 2.0)
    check([row])
    stack = np.full(NESTING + 16, -7, np.int64)
    data, counts = np.frombuffer(row, np.uint8).copy(), np.zeros(len(KINDS), np.int64)
    timestamps, bits = np.empty(len(row), np.int64), np.empty(len(row), np.int64)
    points, _ = read_row(data, 0, len(row), timestamps, bits, 0, counts, stack[:NESTING])
    assert (stack[NESTING:] == -7).all()
    assert points == (2 if depth <= NESTING else 1)
    assert counts[KINDS.index("malformed")] == 1
