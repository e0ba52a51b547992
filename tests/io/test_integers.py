"""How numbers are stored, told from the first point of a series."""

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES
from ridgeline.io.redis.integers import integers_of

STAMPS = st.integers(0, 2**63 - 1) | st.floats(0, 2.0**60, width=32)
VALUES = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, width=32)


def told(rows):
    lengths = np.array([len(row) for row in rows], np.int64)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    return integers_of(np.frombuffer(b"".join(rows) or b"\0", np.uint8), starts, ends)


@given(st.lists(st.tuples(STAMPS, VALUES), min_size=1, max_size=20), st.booleans())
def test_every_width_of_numbers(points, single):
    rows = [msgpack.packb(list(point), use_single_float=single) for point in points]
    expected = [
        INTEGER_TIMESTAMPS * isinstance(stamp, int) | INTEGER_VALUES * isinstance(value, int) for stamp, value in points
    ]
    assert told(rows).tolist() == expected


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_any_bytes_are_survived(rows):
    assert len(told(rows)) == len(rows)


@pytest.mark.parametrize("starts", [[-1], [-2], [-3]])
def test_keys_that_are_not_there(starts):
    found = integers_of(np.zeros(9, np.uint8), np.array(starts, np.int64), np.zeros(1, np.int64))
    assert found.tolist() == [0]
