"""Parquet files and columns made without the modules of Arrow's that import half the world: the same to the byte."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ridgeline.io.arrow.buffers import strings
from ridgeline.io.arrow.values import booleans, floats, integers, lists
from ridgeline.io.parquet.light import parquet_bytes

TEXTS = ["a", None, "", "é", "a"]
TABLE = pa.table(
    {
        "text": pa.array(TEXTS),
        "number": pa.array([1.5, None, -0.0, 1e300, 2.0]),
        "whole": pa.array([1, 2, None, 4, 2**62]),
        "small": pa.array([1, -128, 127, None, 0], pa.int8()),
        "truth": pa.array([True, None, False, True, True]),
        "words": pa.array([["a", None], None, [], ["b"], ["é", ""]]),
        "bounds": pa.array([[1.0, 2.0], None, [], [None, 3.0], None]),
    }
)


def test_columns_of_python_values_are_those_that_arrow_makes():
    of = {name: TABLE[name].to_pylist() for name in TABLE.column_names}
    made = {
        "text": strings(of["text"]),
        "number": floats(of["number"]),
        "whole": integers(of["whole"]),
        "small": integers(of["small"], np.int8),
        "truth": booleans(of["truth"]),
        "words": lists(strings, of["words"]),
        "bounds": lists(floats, of["bounds"]),
    }
    for name, column in made.items():
        column.validate(full=True)
        assert column.type == TABLE[name].type, name
        assert column.to_pylist() == of[name], name
    assert np.signbit(made["number"][2].as_py())


@pytest.mark.parametrize("make", [strings, floats, integers, booleans, lambda none: lists(strings, none)])
@pytest.mark.parametrize("values", [[], [None], [None, None]])
def test_columns_without_a_value(make, values):
    column = make(values)
    column.validate(full=True)
    assert column.to_pylist() == values


@pytest.mark.parametrize("table", [TABLE, TABLE.slice(0, 0), TABLE.slice(1, 2)])
@pytest.mark.parametrize("private", [True, False])
def test_the_file_is_that_of_the_public_writer(monkeypatch, table, private):
    if not private:
        monkeypatch.setitem(sys.modules, "pyarrow._parquet", None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    assert parquet_bytes(table) == sink.getvalue().to_pybytes()
