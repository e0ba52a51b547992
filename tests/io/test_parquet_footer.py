"""Footers read by ourselves say what Arrow says of the same files; damaged ones are a ValueError, never anything worse."""

import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.parquet.footer import footer_of
from ridgeline.io.parquet.thrift import Compact

T0 = 1_700_000_000
KINDS = {"int64": pa.int64(), "int32": pa.int32(), "uint32": pa.uint32(), "ms": pa.timestamp("ms"), "us": pa.timestamp("us", "UTC"), "ns": pa.timestamp("ns"), "double": pa.float64()}  # fmt: skip
TICKS = {"ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def table(kind):
    stamps = pa.array(T0 + np.arange(100))
    stamps = stamps.cast(pa.timestamp("s")).cast(KINDS[kind]) if kind in TICKS else stamps.cast(KINDS[kind])
    names = pa.array([None if i % 9 == 0 else f"m{i // 10}" for i in range(100)])
    extra = pa.array([{"x": 1, "y": [1, 2]}] * 100)
    return pa.table({"extra": extra, "metric": names, "timestamp": stamps, "value": np.arange(100.0)})


def footer_bytes(path):
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    return content[-8 - length : -8], len(content)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"version": "1.0"}, {"data_page_version": "2.0", "write_page_index": True}, {"write_statistics": False}])  # fmt: skip
def test_a_footer_says_what_arrow_says(tmp_path, kind, options):
    path = tmp_path / "in.parquet"
    pq.write_table(table(kind), path, row_group_size=30, **options)
    footer, metadata = footer_of(*footer_bytes(path)), pq.read_metadata(path)
    assert [group.rows for group in footer.groups] == [30, 30, 30, 10]
    version_1_has_no_ns = kind == "ns" and options.get("version") == "1.0"
    assert footer.leaves["timestamp"].ticks == (1_000_000 if version_1_has_no_ns else TICKS.get(kind))
    assert footer.leaves["timestamp"].signed == (kind != "uint32" or options.get("version") == "1.0")
    for group in footer.groups:
        theirs = metadata.row_group(group.number)
        columns = {theirs.column(j).path_in_schema: theirs.column(j) for j in range(theirs.num_columns)}
        assert set(group.chunks) == {"extra", "metric", "timestamp", "value"}
        for name, chunk in group.chunks.items():
            if name == "extra":
                continue
            assert chunk.values == columns[name].num_values
            statistics = columns[name].statistics
            assert chunk.nulls == (statistics.null_count if statistics else None)
            if name == "value" and statistics:
                low, high = (np.frombuffer(bound, "<f8")[0] for bound in (chunk.low, chunk.high))
                assert (low, high) == (statistics.min, statistics.max)


def test_lists_count_their_items(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"metric": ["a", "b"], "timestamp": [[T0] * 7, []], "value": [[1.0] * 7, None]}), path)
    (group,) = footer_of(*footer_bytes(path)).groups
    assert (group.rows, group.chunks["timestamp"].values, group.chunks["value"].values) == (2, 8, 8)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_error_or_a_struct(data):
    try:
        Compact(data).struct()
    except ValueError:
        return


@pytest.mark.parametrize("times", [600, pytest.param(6000, marks=pytest.mark.long)])
def test_damaged_footers_are_a_value_error(tmp_path, times):
    path = tmp_path / "in.parquet"
    pq.write_table(table("us"), path, row_group_size=30)
    data, size = footer_bytes(path)
    rng = random.Random(1)
    damaged = 0
    for _ in range(times):
        bad = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        try:
            footer = footer_of(bytes(bad), size)
        except ValueError:
            damaged += 1
            continue
        assert all(type(group.rows) is int and group.rows > 0 for group in footer.groups)
        for chunk in (chunk for group in footer.groups for chunk in group.chunks.values()):
            assert type(chunk.values) is int
            assert {type(bound) for bound in (chunk.low, chunk.high)} <= {bytes, type(None)}
            assert type(chunk.nulls) in {int, type(None)}
    assert damaged > times // 3
    for end in range(len(data)):
        with pytest.raises(ValueError, match=r"early|footer"):
            footer_of(data[:end], size)


def test_rows_that_do_not_add_up_are_damage(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(table("us"), path, row_group_size=30)
    data, size = footer_bytes(path)
    with pytest.raises(ValueError, match="outside the file"):
        footer_of(data, size // 4)
