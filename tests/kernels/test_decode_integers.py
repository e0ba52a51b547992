"""How numbers are stored, told from the first point of a series."""

import msgpack
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.kernels.decode.integers import integers_of
from ridgeline.kernels.decode.layout import INTEGER_TIMESTAMPS, INTEGER_VALUES

STAMPS = st.integers(0, 2**63 - 1) | st.floats(0, 2.0**60, width=32)
VALUES = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, width=32)


def told(row):
    return integers_of(np.frombuffer(row or b"\0", np.uint8), 0, len(row))


@given(STAMPS, VALUES, st.booleans())
def test_every_width_of_numbers(stamp, value, single):
    row = msgpack.packb([stamp, value], use_single_float=single)
    assert told(row) == INTEGER_TIMESTAMPS * isinstance(stamp, int) | INTEGER_VALUES * isinstance(value, int)


@given(st.binary(max_size=30))
def test_any_bytes_are_survived(row):
    assert 0 <= told(row) <= INTEGER_TIMESTAMPS | INTEGER_VALUES
