"""MetricMatrix: every shape and type of table gives the same rows, without copying what is right already."""

import decimal

import numpy as np
import pyarrow as pa
import pytest

from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF, SCHEMA, MetricMatrix
from ridgeline.io.reasons import ROW_REASONS

T0 = 1_700_000_000
LONG = {
    "metric": ["b", "b", "b", "a", "a", "c"],
    "timestamp": [T0, T0 + 60, T0 + 120, T0 + 60, T0 + 120, T0],
    "value": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
}
ROWS = [
    {"metric": "b", "timestamp": [T0, T0 + 60, T0 + 120], "value": [1.0, 2.0, 3.0], "as_of": None},
    {"metric": "a", "timestamp": [T0 + 60, T0 + 120], "value": [4.0, 5.0], "as_of": None},
    {"metric": "c", "timestamp": [T0], "value": [6.0], "as_of": None},
]


def long_table(**columns):
    return pa.table({**LONG, **columns})


def rows(matrix):
    return matrix.batch.to_pylist()


def reason_of(matrix):
    return [ROW_REASONS[i] for i in matrix.reasons]


def test_long_layout():
    matrix = MetricMatrix.from_table(long_table())
    assert rows(matrix) == ROWS
    assert matrix.batch.schema == SCHEMA
    assert matrix.newest == T0 + 120
    assert not matrix.repairs
    assert len(matrix) == 3


NAMES = {
    "string": pa.array(LONG["metric"]),
    "large_string": pa.array(LONG["metric"], pa.large_string()),
    "string_view": pa.array(LONG["metric"], pa.string_view()),
    "binary": pa.array([m.encode() for m in LONG["metric"]], pa.binary()),
    "dictionary": pa.array(LONG["metric"]).dictionary_encode(),
    "dictionary_large": pa.array(LONG["metric"], pa.large_string()).dictionary_encode(),
    "dictionary_uint8": pa.DictionaryArray.from_arrays(
        pa.array([2, 2, 2, 0, 0, 1], pa.uint8()), pa.array(["a", "c", "b"])
    ),
    "dictionary_with_spares": pa.DictionaryArray.from_arrays(
        pa.array([3, 1, 3, 0, 0, 4], pa.int16()), pa.array(["a", "b", "unused", "b", "c", None])
    ),
}


@pytest.mark.parametrize("kind", NAMES)
def test_types_of_names(kind):
    assert rows(MetricMatrix.from_table(long_table(metric=NAMES[kind]))) == ROWS


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_arrow_timestamps_carry_their_unit(unit, zone):
    stamps = pa.array(LONG["timestamp"]).cast(pa.timestamp("s")).cast(pa.timestamp(unit, zone))
    assert rows(MetricMatrix.from_table(long_table(timestamp=stamps))) == ROWS


@pytest.mark.parametrize("ticks", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.float64()])
def test_numbers_are_judged_by_magnitude(ticks, kind):
    late = 0.75 if pa.types.is_floating(kind) and ticks == 1 else 0
    stamps = pa.array([t * ticks + ticks // 2 + late for t in LONG["timestamp"]]).cast(kind, safe=False)
    assert rows(MetricMatrix.from_table(long_table(timestamp=stamps))) == ROWS


def test_each_series_has_its_own_unit():
    stamps = [T0, T0 + 60, T0 + 120, (T0 + 60) * 1000, (T0 + 120) * 1000, T0 * 1_000_000]
    assert rows(MetricMatrix.from_table(long_table(timestamp=stamps))) == ROWS


VALUES = {
    "int8": pa.array([1, 2, 3, 4, 5, 6], pa.int8()),
    "uint64": pa.array([1, 2, 3, 4, 5, 6], pa.uint64()),
    "float32": pa.array(LONG["value"], pa.float32()),
    "float16": pa.array(np.array(LONG["value"], np.float16)),
    "decimal": pa.array([decimal.Decimal(int(v)) for v in LONG["value"]], pa.decimal128(10, 3)),
}


@pytest.mark.parametrize("kind", VALUES)
def test_types_of_values(kind):
    assert rows(MetricMatrix.from_table(long_table(value=VALUES[kind]))) == ROWS


def test_list_layout_round_trip_is_zero_copy():
    matrix = MetricMatrix.from_table(long_table())
    again = MetricMatrix.from_table(matrix.batch)
    assert again.batch.equals(matrix.batch)
    assert again.timestamps.ctypes.data == matrix.timestamps.ctypes.data
    assert again.values.ctypes.data == matrix.values.ctypes.data


@pytest.mark.parametrize(
    "wrap",
    [pa.list_, pa.large_list, pa.list_view, pa.large_list_view],
    ids=["list", "large_list", "view", "large_view"],
)
def test_types_of_lists(wrap):
    table = pa.table(
        {
            "metric": [r["metric"] for r in ROWS],
            "timestamp": pa.array([r["timestamp"] for r in ROWS], wrap(pa.int64())),
            "value": pa.array([r["value"] for r in ROWS], wrap(pa.float32())),
        }
    )
    assert rows(MetricMatrix.from_table(table)) == ROWS
    assert rows(MetricMatrix.from_table(table.slice(1))) == ROWS[1:]


def test_fixed_size_lists():
    table = pa.table(
        {
            "metric": ["a", "b"],
            "timestamp": pa.array([[T0, T0 + 1], [T0, T0 + 2]], pa.list_(pa.int64(), 2)),
            "value": pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)),
        }
    )
    assert [r["value"] for r in rows(MetricMatrix.from_table(table.slice(1)))] == [[3.0, 4.0]]


def test_lists_of_different_lengths_are_malformed_and_stop_nobody():
    table = pa.table(
        {
            "metric": ["a", "b", "c", "d", "e"],
            "timestamp": [[T0], [T0, T0 + 1], None, [], [T0, T0 + 60]],
            "value": [[1.0], [2.0], None, [3.0], [4.0, 5.0]],
        }
    )
    matrix = MetricMatrix.from_table(table)
    assert reason_of(matrix) == ["", "malformed", "", "malformed", ""]
    assert [r["value"] for r in rows(matrix)] == [[1.0], [], [], [], [4.0, 5.0]]


@pytest.mark.parametrize("frame", ["polars", "polars_categorical", "polars_lists", "record_batch", "pandas"])
def test_frames(frame):
    table = long_table()
    if "polars" in frame:
        pl = pytest.importorskip("polars", reason="needs ridgeline[yardsticks], for polars frames")
    match frame:
        case "polars":
            source = pl.from_arrow(table)
        case "polars_categorical":
            source = pl.from_arrow(table).with_columns(pl.col("metric").cast(pl.Categorical))
        case "polars_lists":
            source = pl.from_arrow(table).group_by("metric", maintain_order=True).agg("timestamp", "value")
        case "record_batch":
            source = table.to_batches()[0]
        case "pandas":
            pytest.importorskip("pandas")
            source = table.to_pandas()
    assert rows(MetricMatrix.from_table(source)) == ROWS


def test_any_row_order_keeps_first_seen_order():
    table = long_table().take(pa.array([5, 4, 2, 3, 1, 0]))
    matrix = MetricMatrix.from_table(table)
    assert rows(matrix) == [ROWS[2], ROWS[1], ROWS[0]]
    assert matrix.repairs == {"reordered": 3}


def test_chunks_with_different_dictionaries_and_slices():
    whole = long_table(metric=pa.array(LONG["metric"]).dictionary_encode())
    other = long_table(metric=pa.array(LONG["metric"][::-1]).dictionary_encode().take(pa.array([5, 4, 3, 2, 1, 0])))
    for cut in range(7):
        table = pa.concat_tables([whole.slice(0, cut), other.slice(cut)])
        assert rows(MetricMatrix.from_table(table)) == ROWS
        assert rows(MetricMatrix.from_table(pa.concat_tables([table, table.slice(6)]))) == ROWS


def test_slice_of_an_arrow_table_reads_only_the_slice():
    assert rows(MetricMatrix.from_table(long_table().slice(3, 2))) == [ROWS[1]]


def test_matrix_slice_is_zero_copy():
    matrix = MetricMatrix.from_table(long_table())
    part = matrix.slice(1, 3)
    assert rows(part) == ROWS[1:]
    assert part.offsets.tolist() == [3, 5, 6]
    assert part.timestamps.ctypes.data == matrix.timestamps.ctypes.data
    assert len(matrix.slice(2, 1)) == 0


def test_views_are_read_only_and_clean_input_is_not_copied():
    stamps, values = np.array(LONG["timestamp"]), np.array(LONG["value"])
    matrix = MetricMatrix.from_columns(pa.array(["b", "a", "c"]), np.array([0, 3, 5, 6]), stamps, values)
    assert rows(matrix) == ROWS
    assert matrix.values.ctypes.data == values.ctypes.data
    assert matrix.timestamps.ctypes.data == stamps.ctypes.data
    for view in (matrix.values, matrix.timestamps, matrix.offsets, matrix.as_of, matrix.reasons, matrix.duplicates):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1
    with pytest.raises(AttributeError):
        matrix.newest = 1


def test_offsets_may_begin_above_zero():
    stamps, values = np.array(LONG["timestamp"]), np.array(LONG["value"])
    matrix = MetricMatrix.from_columns(pa.array(["a", "c"]), np.array([3, 5, 6]), stamps, values)
    assert rows(matrix) == ROWS[1:]
    values[4] = np.nan
    matrix = MetricMatrix.from_columns(pa.array(["a", "c"]), np.array([3, 5, 6]), stamps, values)
    assert [r["value"] for r in rows(matrix)] == [[4.0], [6.0]]


def test_input_is_never_written_to():
    stamps, values = np.array([T0 + 60, T0, T0]), np.array([1.0, np.inf, 3.0])
    kept = stamps.copy(), values.copy()
    matrix = MetricMatrix.from_columns(pa.array(["a"]), np.array([0, 3]), stamps, values)
    assert rows(matrix)[0]["value"] == [3.0, 1.0]
    assert np.array_equal(stamps, kept[0])
    assert np.array_equal(values, kept[1])


def test_as_of_is_carried_per_metric():
    matrix = MetricMatrix.from_table(long_table(as_of=[T0 + 9, T0 + 9, None, None, None, (T0 + 7) * 1000]))
    assert matrix.as_of.tolist() == [T0 + 9, NO_AS_OF, T0 + 7]
    assert matrix.batch.column("as_of").to_pylist() == [T0 + 9, None, T0 + 7]


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [0, 3, 1, 4, 2, 5], [2, 1, 5, 3, 0, 4]])
def test_two_as_of_values_in_one_metric_reject_it(order):
    table = long_table(as_of=[T0, None, T0 + 1, T0, T0, T0]).take(pa.array(order))
    matrix = MetricMatrix.from_table(table)
    found = dict(zip(matrix.metrics.to_pylist(), reason_of(matrix), strict=True))
    assert found == {"b": "as_of_conflict", "a": "", "c": ""}
    assert {r["metric"]: len(r["value"]) for r in rows(matrix)} == {"b": 0, "a": 2, "c": 1}


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_as_of_as_arrow_timestamp_and_float(unit):
    stamps = pa.array([T0] * 6).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    assert MetricMatrix.from_table(long_table(as_of=stamps)).as_of.tolist() == [T0] * 3
    assert MetricMatrix.from_table(long_table(as_of=[T0 + 0.5] * 6)).as_of.tolist() == [T0] * 3


def test_null_names_are_dropped_and_counted():
    matrix = MetricMatrix.from_table(long_table(metric=["b", None, "b", "a", "a", None]))
    assert [r["value"] for r in rows(matrix)] == [[1.0, 3.0], [4.0, 5.0]]
    assert matrix.repairs == {"null": 2}
    only = MetricMatrix.from_table(long_table(metric=pa.nulls(6)))
    assert len(only) == 0
    assert only.repairs == {"null": 6}


def test_null_points():
    matrix = MetricMatrix.from_table(
        long_table(value=[None, 2.0, 3.0, 4.0, None, None], timestamp=[None, *LONG["timestamp"][1:]])
    )
    assert matrix.repairs == {"null": 3}
    assert reason_of(matrix) == ["", "", "no_usable_points"]
    assert rows(MetricMatrix.from_table(long_table(value=pa.nulls(6))))[0]["value"] == []


def test_values_beyond_2_to_53_are_allowed_and_timestamps_beyond_are_not():
    matrix = MetricMatrix.from_table(long_table(value=[2**53 + 1] * 6, timestamp=[2**63 - 1, *LONG["timestamp"][1:]]))
    assert matrix.values[0] == 2.0**53
    assert matrix.repairs == {"bad_timestamp": 1}


@pytest.mark.parametrize(
    "name", ["", "a\nb", "\0", "../../etc", "-rf", "\u202ex", "e\u0301", "x" * 10_000, "%s{}", "'\"", "\U0001f6a8"]
)
def test_names_are_opaque(name):
    matrix = MetricMatrix.from_table(pa.table({"metric": [name, "z"], "timestamp": [T0, T0], "value": [1.0, 2.0]}))
    assert matrix.metrics.to_pylist() == [name, "z"]


def test_names_that_are_not_utf8_are_escaped_not_lost():
    raw = pa.array([b"ok", b"\xffbad", b"\xffbad"])
    text = pa.StringArray.from_buffers(3, raw.buffers()[1], raw.buffers()[2])
    for names in (raw, text):
        matrix = MetricMatrix.from_table(
            pa.table({"metric": names, "timestamp": [T0, T0, T0 + 1], "value": [1.0, 2.0, 3.0]})
        )
        assert matrix.metrics.to_pylist() == ["ok", "\\xffbad"]


@pytest.mark.parametrize("lists", [False, True])
def test_empty_tables(lists):
    kinds = (pa.list_(pa.int64()), pa.list_(pa.float64())) if lists else (pa.int64(), pa.float64())
    schema = pa.schema([("metric", pa.string()), ("timestamp", kinds[0]), ("value", kinds[1]), ("as_of", pa.int64())])
    for table in (schema.empty_table(), pa.Table.from_batches([], schema)):
        matrix = MetricMatrix.from_table(table)
        assert len(matrix) == 0
        assert matrix.newest is None
        assert matrix.batch.schema == SCHEMA


def test_rows_that_came_unsorted_are_flagged():
    matrix = MetricMatrix.from_table(long_table())
    assert matrix.disordered.tolist() == [0, 0, 0]
    order = MetricMatrix.from_table(long_table().take(pa.array([1, 0, 2, 3, 4, 5])))
    assert order.disordered.tolist() == [1, 0, 0]
    assert order.slice(1, 3).disordered.tolist() == [0, 0]
    assert order.slice(0, 1).disordered.tolist() == [1]
    assert rows(order) == ROWS
    equal = MetricMatrix.from_table(long_table(timestamp=[T0, T0, T0, T0 + 60, T0 + 60, T0]))
    assert (equal.disordered.tolist(), equal.duplicates.tolist()) == ([0, 0, 0], [1, 1, 0])
    dropped = MetricMatrix.from_table(
        long_table(timestamp=[T0 + 99, T0, T0 + 60, 5, T0, T0], value=[None, 2, 3, 4, 5, 6.0])
    )
    assert dropped.disordered.tolist() == [0, 0, 0]  # what was dropped disturbs no order


def polars():
    return pytest.importorskip("polars", reason="needs ridgeline[yardsticks], for polars frames")


class Relation:
    """As DuckDB's relations were before they spoke Arrow's own way."""

    def arrow(self):
        return long_table()


class Stream:
    def __arrow_c_stream__(self, requested_schema=None):
        return long_table().__arrow_c_stream__(requested_schema)


SOURCES = {
    "dict of lists": lambda: dict(LONG),
    "dict of arrays": lambda: {key: np.array(column) for key, column in LONG.items()},
    "lazy frame": lambda: polars().from_arrow(long_table()).lazy(),
    "relation": Relation,
    "stream": Stream,
    "reader": lambda: long_table().to_reader(),
    "polars decimals": lambda: (
        polars().from_arrow(long_table()).with_columns(polars().col("value").cast(polars().Decimal(20, 2)))
    ),
    "polars enum": lambda: (
        polars().from_arrow(long_table()).with_columns(polars().col("metric").cast(polars().Enum(["a", "b", "c"])))
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_whatever_speaks_arrow(kind):
    assert rows(MetricMatrix.from_table(SOURCES[kind]())) == ROWS


class Broken:
    def __arrow_c_stream__(self, requested_schema=None):
        raise RuntimeError("first line\nsecond line")


class OfFloats(pa.ExtensionType):
    def __init__(self):
        super().__init__(pa.float64(), "ridgeline.test")

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls()


def bad_column_name():
    fields = [("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64()), (b"\xff", pa.int64())]
    return pa.Table.from_arrays([*map(pa.array, LONG.values()), pa.array([0] * 6)], schema=pa.schema(fields))


NO_TABLES = {
    "polars Int128": lambda: (
        polars().from_arrow(long_table()).with_columns(polars().col("value").cast(polars().Int128))
    ),
    "polars Series": lambda: polars().Series([1.0]),
    "polars GroupBy": lambda: polars().from_arrow(long_table()).group_by("metric"),
    "polars lazy frame without the column": lambda: polars().from_arrow(long_table()).lazy().select("nope"),
    "polars struct": lambda: polars().from_arrow(long_table()).with_columns(value=polars().struct("value")),
    "polars objects": lambda: (
        polars().from_arrow(long_table()).with_columns(value=polars().Series([object()] * 6, dtype=polars().Object))
    ),
    "Arrow array": lambda: pa.array([1]),
    "Arrow chunked array": lambda: pa.chunked_array([[1]]),
    "column name that is no UTF-8": bad_column_name,
    "extension type": lambda: long_table(value=pa.ExtensionArray.from_storage(OfFloats(), pa.array(LONG["value"]))),
    "dictionary of values": lambda: long_table(value=pa.array(LONG["value"]).dictionary_encode()),
    "lists of lists": lambda: pa.table({"metric": ["a"], "timestamp": [[[T0]]], "value": [[[1.0]]]}),
    "uneven dict": lambda: {**LONG, "value": [1.0]},
    "mixed dict": lambda: {**LONG, "value": [1, "x", None, 4, 5, 6]},
    "empty dict": dict,
    "broken stream": Broken,
    "number": lambda: 5,
    "text": lambda: "x" * 9,
    "array": lambda: np.ones((3, 3)),
    "None": lambda: None,
}


def refused(source):
    with pytest.raises(InputError) as caught:
        MetricMatrix.from_table(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", NO_TABLES)
def test_what_is_no_table_is_refused_in_one_sentence(kind):
    refused(NO_TABLES[kind]())


def test_pandas_columns_that_arrow_cannot_take():
    pd = pytest.importorskip("pandas")
    frame = long_table().to_pandas()
    refused(frame.assign(value=[1, "x", None, 4, 5, 6]))
    refused(frame.assign(value=[1j] * 6))
    refused(frame.assign(value=pd.arrays.SparseArray(LONG["value"])))
    refused(frame["value"])
    refused(pd.DataFrame(np.ones((2, 3))))
    assert rows(MetricMatrix.from_table(frame.assign(value=frame["value"].astype(object)))) == ROWS
    named = frame.assign(metric=frame["metric"].astype("category"), value=frame["value"].astype("Int64"))
    assert rows(MetricMatrix.from_table(named)) == ROWS


@pytest.mark.parametrize("column", ["metric", "value", "timestamp"])
def test_columns_of_nulls_in_several_chunks(column):
    table = long_table()
    place = table.column_names.index(column)
    table = table.set_column(place, column, pa.chunked_array([pa.nulls(2), pa.nulls(4)]))
    assert MetricMatrix.from_table(table).repairs == {"null": 6}


def test_a_matrix_is_worth_reading():
    matrix = MetricMatrix.from_table(long_table(value=[1.0, None, 3.0, 4.0, 5.0, None]))
    assert repr(matrix) == (
        "MetricMatrix(3 metrics, 4 points, 2023-11-14 22:13:20 to 2023-11-14 22:15:20 UTC, 1 without points, 2 null)"
    )
    assert repr(MetricMatrix.empty()) == "MetricMatrix(0 metrics, 0 points)"
    many = MetricMatrix.from_table({"metric": ["<b>\n", *"abcdefg"], "timestamp": [T0] * 8, "value": np.arange(8.0)})
    shown = many._repr_html_()
    assert "&lt;b&gt;\\n" in shown
    assert "<b>" not in shown
    assert shown.count("<tr>") == 6
    assert "and 3 more" in shown


BAD = {
    "no column value (found: metric, timestamp)": pa.table({"metric": ["a"], "timestamp": [1]}),
    "column metric is int64": long_table(metric=[1] * 6),
    "column timestamp holds string": long_table(timestamp=["x"] * 6),
    "column value holds bool": long_table(value=[True] * 6),
    "column value holds string": long_table(value=["1"] * 6),
    "column as_of holds string": long_table(as_of=["1"] * 6),
    "either both are lists": pa.table({"metric": ["a"], "timestamp": [1], "value": [[1.0]]}),
    "column value is there 2 times": pa.table([*long_table().columns, LONG["value"]], names=[*LONG, "value"]),
    "cannot read builtins.list as a table": [1, 2],
}


@pytest.mark.parametrize("message", BAD)
def test_wrong_tables_are_refused_in_one_sentence(message):
    with pytest.raises(InputError) as caught:
        MetricMatrix.from_table(BAD[message])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
