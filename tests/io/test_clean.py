"""Cleaning agrees with the plain-loop oracle on every mix of faults, and leaves clean points where they are."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twins import cleaning as oracle_clean

from ridgeline.io import clean
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.reasons import POINT_REASONS, ROW_REASONS

T0 = 1_700_000_000
LOW, HIGH = oracle_clean.EARLIEST, oracle_clean.LATEST

near = st.integers(T0, T0 + 20)
edges = st.sampled_from(
    [0, -1, LOW - 1, LOW, HIGH, HIGH + 1, LOW * 1000 - 1, (HIGH + 1) * 1000, 2**53 + 1, 2**63 - 1, -(2**63)]
)
scaled = st.builds(
    lambda t, unit, rest: t * unit + rest % unit, near, st.sampled_from([1000, 10**6, 10**9]), st.integers(0, 10**9)
)
integers = st.one_of(near, near, near, scaled, edges)
floats = st.one_of(
    st.floats(T0, T0 + 20), near.map(float), near.map(lambda t: t * 1000.0 + 0.5), st.floats(),
    st.sampled_from([LOW - 0.001, float(LOW), HIGH + 0.999, HIGH + 1.0, math.inf, -math.inf, math.nan]),
)  # fmt: skip
values = st.one_of(
    st.floats(-100, 100), st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324])
)
names = st.sampled_from(["a", "b", "c", "d\n", ""])


def tables(timestamps):
    row = st.tuples(
        st.one_of(names, names, names, st.none()), st.one_of(timestamps, timestamps, st.none()),
        st.one_of(values, values, st.none()), st.sampled_from([None, None, None, T0, T0 + 1]),
    )  # fmt: skip
    return st.lists(row, max_size=40)


def arrow(rows, kind):
    columns = list(zip(*rows, strict=True)) or [[], [], [], []]
    types = (pa.string(), kind, pa.float64(), pa.int64())
    arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
    return pa.table(arrays, names=["metric", "timestamp", "value", "as_of"])


def agree(matrix, rows, **options):
    """The matrix holds exactly what the oracle makes of the rows."""
    expected, repairs, newest = oracle_clean.clean_table(rows, **options)
    assert matrix.metrics.to_pylist() == list(expected)
    found = matrix.batch.to_pylist()
    for i, series in enumerate(expected.values()):
        assert list(zip(found[i]["timestamp"], found[i]["value"], strict=True)) == series.points
        assert ROW_REASONS[matrix.reasons[i]] == series.reason
        assert bool(matrix.duplicates[i]) == series.duplicates
        assert matrix.as_of[i] == (NO_AS_OF if series.as_of is None else series.as_of)
    assert matrix.repairs == repairs
    assert matrix.newest == newest
    assert set(matrix.repairs) <= set(POINT_REASONS)
    matrix.batch.validate(full=True)
    assert np.isfinite(matrix.values[matrix.offsets[0] : matrix.offsets[-1]]).all()


@given(tables(integers))
@example([("a", T0, math.inf, None), ("a", T0 + 1, -math.inf, None)])
@example([("a", T0, 1e308, None), ("a", T0 + 1, 1e308, None), ("b", T0, math.nan, None)])
@example([("a", T0, 1.0, T0), ("b", T0, 1.0, None), ("a", T0, 1.0, T0), ("a", T0, 1.0, T0 + 1)])
@example([("a", (HIGH + 1) * 1000, 1.0, None), ("a", (HIGH + 1) * 1000, 1.0, None), ("a", T0, 1.0, None)])
@example([("a", T0 + i * 7 % 5, float(i), None) for i in range(300)])
@example([("a", None, None, None), ("b", T0 * 1000, 1.0, None), ("b", T0, 1.0, None)])
def test_integer_timestamps(rows):
    agree(MetricMatrix.from_table(arrow(rows, pa.int64())), rows)


@given(tables(floats))
def test_float_timestamps(rows):
    agree(MetricMatrix.from_table(arrow(rows, pa.float64())), rows)


@given(
    tables(st.one_of(near, st.sampled_from([0, LOW - 1, LOW, HIGH, HIGH + 1]))),
    st.sampled_from(["s", "ms", "us", "ns"]),
)
def test_arrow_timestamps(rows, unit):
    table = arrow(rows, pa.int64())
    stamps = table["timestamp"].cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    agree(MetricMatrix.from_table(table.set_column(1, "timestamp", stamps)), rows, declared=True)


@given(tables(integers), st.lists(st.integers(0, 40), max_size=4), st.booleans())
def test_chunks_dictionaries_and_slices_change_nothing(rows, cuts, encode):
    table = arrow(rows, pa.int64())
    edges = sorted({0, len(rows), *(min(c, len(rows)) for c in cuts)})
    pieces = [table.slice(a, b - a) for a, b in pairwise(edges)] or [table]
    if encode:
        pieces = [piece.set_column(0, "metric", piece["metric"].dictionary_encode()) for piece in pieces]
    agree(MetricMatrix.from_table(pa.concat_tables(pieces)), rows)
    agree(MetricMatrix.from_table(pa.concat_tables([table, table]).slice(len(rows))), rows)


@given(tables(integers))
def test_list_layout_agrees_with_long_layout(rows):
    rows = [row for row in rows if row[0] is not None]
    grouped = {}
    for metric, timestamp, value, _ in rows:
        grouped.setdefault(metric, ([], []))
        grouped[metric][0].append(timestamp)
        grouped[metric][1].append(value)
    table = pa.table(
        {
            "metric": pa.array(list(grouped), pa.string()),
            "timestamp": pa.array([t for t, _ in grouped.values()], pa.large_list(pa.int64())),
            "value": pa.array([v for _, v in grouped.values()], pa.list_(pa.float64())),
        }
    )
    agree(MetricMatrix.from_table(table), [(m, t, v, None) for m, t, v, _ in rows])


@given(tables(integers), st.data())
def test_one_poisoned_series_leaves_the_others_alone(rows, data):
    rows = [(m, t, v, a) for m, t, v, a in rows if m not in {None, "b"}]
    poison = [("b", *row[1:]) for row in data.draw(tables(integers))]
    mixed = list(rows)
    for row in poison:
        mixed.insert(data.draw(st.integers(0, len(mixed))), row)
    alone = MetricMatrix.from_table(arrow(rows, pa.int64())).batch.to_pylist()
    beside = MetricMatrix.from_table(arrow(mixed, pa.int64())).batch.to_pylist()
    assert [row for row in beside if row["metric"] != "b"] == alone


@given(st.permutations(list(range(12))))
def test_row_order_does_not_matter_among_distinct_timestamps(order):
    rows = [("a", T0 + i, float(i), None) for i in order]
    matrix = MetricMatrix.from_table(arrow(rows, pa.int64()))
    assert matrix.values.tolist() == [float(i) for i in range(12)]


def test_equal_timestamps_keep_their_order_and_are_flagged():
    rows = [("a", T0 + t, float(i), None) for i, t in enumerate([5, 3, 5, 3, 5])]
    matrix = MetricMatrix.from_table(arrow(rows, pa.int64()))
    assert matrix.values.tolist() == [1.0, 3.0, 0.0, 2.0, 4.0]
    assert matrix.duplicates.tolist() == [1]
    assert matrix.repairs == {"reordered": 2, "duplicate_timestamp": 3}


def test_given_reasons_empty_a_row_uncounted():
    matrix = MetricMatrix.from_columns(
        pa.array(["a", "b", "c"]),
        np.array([0, 2, 4, 4]),
        np.array([T0, T0, T0, T0 + 1]),
        np.array([np.nan, 1.0, 2.0, 3.0]),
        reasons=np.array([4, 0, 1], np.uint8),
        repairs={"malformed": 2},
    )
    assert matrix.reasons.tolist() == [4, 0, 1]
    assert matrix.offsets.tolist() == [0, 0, 2, 2]
    assert matrix.repairs == {"malformed": 2}


def test_rows_across_blocks_of_the_check(monkeypatch):
    monkeypatch.setattr(clean, "BLOCK", 7)
    rng = np.random.default_rng(5)
    rows = [(f"m{i}", T0 + int(t), float(t), None) for i in range(6) for t in rng.permutation(20)[: 3 * i + 1]]
    agree(MetricMatrix.from_table(arrow(rows, pa.int64())), rows)
    rows.sort(key=lambda row: row[:2])
    agree(MetricMatrix.from_table(arrow(rows, pa.int64())), rows)


def test_a_sum_that_overflows_does_not_make_a_copy():
    stamps, values = np.arange(T0, T0 + 4), np.full(4, 1e308)
    assert clean.clean(clean.Series(np.array([0, 4]), stamps, values)).values is values


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_clean_points_pass_uncopied(dtype):
    stamps, values = np.arange(T0, T0 + 100).astype(dtype), np.arange(100.0)
    cleaned = clean.clean(clean.Series(np.array([0, 40, 40, 100]), stamps, values))
    assert cleaned.values.ctypes.data == values.ctypes.data
    assert (cleaned.timestamps is stamps) == (dtype is np.int64)
    assert cleaned.newest == T0 + 99
    assert not cleaned.repairs
    assert not cleaned.reasons.any()
