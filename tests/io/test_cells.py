"""Cells of text as numbers and times: what Python's own readers say, and nothing is lost for what they do not."""

import math
from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.clean import NON_NUMERIC, is_marked
from ridgeline.io.epochs import instant_of
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.tables.cells import numbers_of, times_of

MOMENTS = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1))  # noqa: DTZ001 - zones are text
ZONES = st.sampled_from(["", "Z", "+02:00", "-0930", "+00"])


def texts(cells):
    return pa.array(cells, pa.string())


@given(st.lists(st.one_of(st.floats(), st.integers(-(10**20), 10**20)), min_size=1))
def test_numbers_are_read_as_python_writes_them(numbers):
    found = numbers_of(texts([repr(number) for number in numbers])).numbers
    assert np.array_equal(found, np.array(numbers, np.float64), equal_nan=True)


@given(
    st.lists(
        st.tuples(MOMENTS, ZONES, st.sampled_from("T "), st.sampled_from(["seconds", "milliseconds", "microseconds"])),
        min_size=1,
    )
)
def test_times_are_those_of_the_one_reader_of_times(moments):
    cells = [moment.isoformat(separator, form) + zone for moment, zone, separator, form in moments]
    found = times_of(texts(cells))
    assert found.numbers.tolist() == [instant_of(cell) for cell in cells]
    assert [times_of(texts([cell])).numbers[0] for cell in cells] == found.numbers.tolist(), "whatever stands beside it"


@given(st.lists(st.one_of(st.text(max_size=12), st.from_regex(r"[-+]?[0-9.eEx ]{1,8}", fullmatch=True)), min_size=1))
def test_any_text_is_a_number_absent_or_bad(cells):
    cells = [cell.encode("utf-8", "ignore").decode() for cell in cells]
    found = numbers_of(texts(cells))
    for at, cell in enumerate(cells):
        absent = found.absent is not None and found.absent[at]
        if absent:
            continue
        bad = bool(is_marked(found.numbers[at : at + 1])[0])
        assert bad == (found.bad is not None and bool(found.bad[at]))
        if not bad:
            assert found.numbers[at] == float(cell) or math.isnan(float(cell))
    times_of(texts(cells))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("1700000000", 1_700_000_000), ("1700000000.9", 1_700_000_000), (" 1700000000 ", 1_700_000_000),
        ("1.7e9", 1_700_000_000), ("0x10", 16), ("1_0", "bad"), ("yesterday", "bad"), ("01/02/2024", "bad"),
        ("2024-01-01T00:00:00z", "bad"), ("", "absent"), ("NaT", "absent"), ("null", "absent"), (None, "absent"),
        ("99999999999999999999", 0), ("inf", 0), ("2024-01-01", 1_704_067_200), ("2024-W01-1", 1_704_067_200),
    ],
)  # fmt: skip
def test_single_times(cell, what):
    for cells in ([cell], [cell, "2024-01-01", "1700000000", "odd"]):
        found = times_of(texts(cells))
        assert found.numbers[0] == (what if isinstance(what, int) else 0)
        assert (found.bad is not None and bool(found.bad[0])) == (what == "bad")
        assert (found.absent is not None and bool(found.absent[0])) == (what == "absent")


def test_marked_points_are_counted_as_what_they_are():
    values = [1.0, NON_NUMERIC, math.nan, NON_NUMERIC, math.inf]
    matrix = MetricMatrix.from_table(
        {"metric": ["a"] * 5, "timestamp": [1_700_000_000 + i for i in range(5)], "value": values}
    )
    assert matrix.repairs == {"non_numeric": 2, "non_finite": 2}
