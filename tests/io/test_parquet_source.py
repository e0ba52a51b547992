"""Parquet in: streamed by metric whatever the row groups are, shuffled where scattered, refused in one sentence."""

import itertools
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet import reader as parquet_reader
from ridgeline.io.parquet import shuffle
from ridgeline.io.parquet.newest import newest_by_statistics
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet
from ridgeline.io.reasons import UNREADABLE

T0 = 1_700_000_000


def fleet(metrics=20, points=30, seed=0, as_of=True):
    """Clustered rows of metrics of different lengths, some faulty, one with conflicting as_of."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, points, metrics)
    names = np.repeat([f"m{i:03d}" for i in rng.permutation(metrics)], lengths)
    stamps = np.concatenate([T0 + 60 * np.arange(n) for n in lengths])
    stamps[rng.integers(0, len(stamps), 5)] -= 90
    values = rng.normal(size=len(stamps))
    values[rng.integers(0, len(stamps), 3)] = np.nan
    columns = {
        "metric": pa.array(names),
        "timestamp": stamps,
        "value": pa.array(values, mask=rng.random(len(stamps)) < 0.02),
    }
    if as_of:
        moments = np.repeat(T0 + rng.integers(0, 9, metrics), lengths)
        moments[0 if lengths[0] > 1 else 1] = 7
        columns["as_of"] = pa.array(moments, mask=rng.random(len(stamps)) < 0.5)
    return pa.table(columns)


def write(path, table, **options):
    pq.write_table(table, path, **options)
    return path


def together(source):
    """All matrices of a source as one: rows in order, flags, repairs, newest."""
    rows, reasons, duplicates, repairs, newest = [], [], [], {}, []
    for matrix in source.chunks():
        rows += matrix.batch.to_pylist()
        reasons += matrix.reasons.tolist()
        duplicates += matrix.duplicates.tolist()
        repairs = {k: repairs.get(k, 0) + matrix.repairs.get(k, 0) for k in {**repairs, **matrix.repairs}}
        newest += [] if matrix.newest is None else [matrix.newest]
    return rows, reasons, duplicates, repairs, max(newest, default=None)


def expected(table):
    matrix = MetricMatrix.from_table(table)
    return (
        matrix.batch.to_pylist(),
        matrix.reasons.tolist(),
        matrix.duplicates.tolist(),
        dict(matrix.repairs),
        matrix.newest,
    )


def lists(table):
    """The table in list layout, one row per metric, in first-seen order."""
    matrix = MetricMatrix.from_table(table.drop_columns("as_of") if "as_of" in table.column_names else table)
    return pa.table([matrix.batch.column(i) for i in range(3)], names=["metric", "timestamp", "value"])


@pytest.mark.parametrize(
    ("group", "batch"),
    [
        pytest.param(group, batch, marks=[pytest.mark.long] * (min(group, batch) == 1 and max(group, batch) < 10**6))
        for group, batch in itertools.product((1, 7, 64, 10**6), (1, 5, 50, 10**6))
    ],
)
def test_row_groups_and_batches_change_nothing(tmp_path, monkeypatch, group, batch):
    table = fleet()
    source = ParquetSource(write(tmp_path / "in.parquet", table, row_group_size=group), chunk_metrics=3)
    source.reader.batch = batch
    assert source.catalog().clustered
    assert together(source) == expected(table)
    assert source.rows == len(table)
    assert source.columns == ["metric", "timestamp", "value", "as_of"]
    assert source.list() is None
    assert all(len(matrix) <= 3 for matrix in source.chunks())
    assert set(source.seconds) == {"load", "decode"}


@pytest.mark.parametrize("memory", [1, 20_000, 2 << 30])
@pytest.mark.parametrize("remembered", [10, 10**6])
@pytest.mark.parametrize("group", [16, 10**6])
def test_scattered_rows_are_brought_together(tmp_path, monkeypatch, memory, remembered, group):
    table = fleet(as_of=True)
    table = table.take(pa.array(np.random.default_rng(3).permutation(len(table))))
    monkeypatch.setattr("ridgeline.io.parquet.source.REMEMBERED", remembered)
    source = ParquetSource(
        write(tmp_path / "in.parquet", table, row_group_size=group), max_memory=memory, temporary=tmp_path
    )
    source.reader.batch = 50
    assert not source.catalog().clustered
    assert together(source) == expected(table)
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]


@given(st.data())
def test_any_arrangement_of_rows(data):
    rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(T0, T0 + 9), st.floats(0, 9)), max_size=30
        )
    )
    names, stamps, values = zip(*rows, strict=True) if rows else ([], [], [])
    table = pa.table([pa.array(names, pa.string()), pa.array(stamps, pa.int64()), pa.array(values, pa.float64())], names=["metric", "timestamp", "value"])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "in.parquet", table, row_group_size=data.draw(st.integers(1, 9)))
        memory = data.draw(st.sampled_from([1, 500, 1 << 30]))
        source = ParquetSource(path, max_memory=memory, chunk_metrics=data.draw(st.integers(1, 5)))
        source.reader.batch = data.draw(st.integers(1, 12))
        assert together(source) == expected(table)


@pytest.mark.parametrize("scatter", [False, True])
def test_list_layout(tmp_path, scatter):
    table = lists(fleet())
    if scatter:
        table = pa.concat_tables([table, table.slice(3, 4)])
    for group in (1, 5, 100):
        for memory in (1, 3000, 1 << 30):
            source = ParquetSource(write(tmp_path / "in.parquet", table, row_group_size=group), max_memory=memory)
            source.reader.batch = 40
            assert together(source) == expected(table)


@pytest.mark.parametrize("encoding", ["plain", "dictionary", "binary", "large"])
def test_encodings_of_names(tmp_path, encoding):
    table = fleet()
    kinds = {"binary": pa.binary(), "large": pa.large_string(), "dictionary": pa.dictionary(pa.int32(), pa.string())}
    stored = table.set_column(0, "metric", table["metric"].cast(kinds.get(encoding, pa.string())))
    path = write(tmp_path / "in.parquet", stored, use_dictionary=encoding != "plain", row_group_size=50)
    assert together(ParquetSource(path)) == expected(table)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamp_columns(tmp_path, unit):
    table = fleet()
    stamps = table["timestamp"].cast(pa.timestamp("s")).cast(pa.timestamp(unit, "UTC"))
    source = ParquetSource(write(tmp_path / "in.parquet", table.set_column(1, "timestamp", stamps)))
    assert together(source) == expected(table)
    assert source.newest() == expected(table)[-1]


def test_names_that_do_not_match_are_not_read(tmp_path):
    table = fleet(as_of=False)
    source = ParquetSource(
        write(tmp_path / "in.parquet", table, row_group_size=9),
        select=lambda names: np.array([name[-1] in "37" for name in names]),
    )
    source.reader.batch = 20
    wanted = [row for row in expected(table)[0] if row["metric"][-1] in "37"]
    assert together(source)[0] == wanted
    mixed = table.take(pa.array(np.random.default_rng(1).permutation(len(table))))
    shuffled = ParquetSource(
        write(tmp_path / "x.parquet", mixed),
        select=lambda names: np.array([name[-1] in "37" for name in names]),
        max_memory=5000,
    )
    found = {row["metric"]: row for row in together(shuffled)[0]}
    assert [found[row["metric"]]["timestamp"] for row in wanted] == [row["timestamp"] for row in wanted]
    assert not list(ParquetSource(tmp_path / "in.parquet", select=lambda names: np.zeros(len(names), bool)).chunks())


def test_a_metric_over_many_batches(tmp_path):
    table = pa.table({"metric": ["a"] * 1000 + ["b"], "timestamp": T0 + np.arange(1001), "value": np.arange(1001.0)})
    source = ParquetSource(write(tmp_path / "in.parquet", table, row_group_size=30))
    source.reader.batch = 17
    assert [len(matrix.timestamps) for matrix in source.chunks()] == [1000, 1]


def test_directory_glob_and_key_value_folders(tmp_path):
    table = fleet(as_of=False)
    cut = len(table) // 2
    (tmp_path / "day=2024-01-31").mkdir()
    (tmp_path / "day=2024-02-01" / "deep").mkdir(parents=True)
    write(tmp_path / "day=2024-01-31" / "x.parquet", table.slice(0, cut))
    write(
        tmp_path / "day=2024-02-01" / "deep" / "a.pq",
        table.slice(cut).set_column(0, "metric", table["metric"].slice(cut).dictionary_encode()),
    )
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "z.parquet").write_bytes(b"half written")
    (tmp_path / "notes.txt").write_text("no data")
    assert together(ParquetSource(tmp_path)) == expected(table)
    assert together(ParquetSource(f"{tmp_path}/day=*/**/*.p*")) == expected(table)
    assert together(ParquetSource(f"file://{tmp_path}")) == expected(table)
    assert together(ParquetSource(f"file://{tmp_path}/day=2024-01-31/x.parquet")) == expected(table.slice(0, cut))


def test_linked_folders_are_read_once_and_loops_end(tmp_path):
    table = fleet(as_of=False)
    cut = len(table) // 2
    data = tmp_path / "data"
    for place in ("elsewhere/deep", "data/sub"):
        (tmp_path / place).mkdir(parents=True)
    write(data / "1.parquet", table.slice(0, cut))
    write(tmp_path / "elsewhere" / "deep" / "2.parquet", table.slice(cut))
    (data / "linked").symlink_to(tmp_path / "elsewhere")
    (data / "sub" / "loop").symlink_to(data)
    (data / "sub" / "self").symlink_to(data / "sub" / "self")
    (data / "zz-again").symlink_to(tmp_path / "elsewhere")
    (data / "same.parquet").symlink_to(data / "1.parquet")
    (data / "hard.parquet").hardlink_to(data / "1.parquet")
    source = ParquetSource(data)
    assert together(source) == expected(table)
    assert source.unreadable == []
    assert len(source.reader.files) == 2
    assert together(ParquetSource(f"{data}/*.parquet")) == expected(table.slice(0, cut))


def test_what_is_no_regular_file_is_said_and_not_opened(tmp_path):
    good = write(tmp_path / "good.parquet", fleet())
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "gone.parquet").symlink_to(tmp_path / "nowhere")
    source = ParquetSource(tmp_path)
    assert [path for path, _ in source.unreadable] == [str(tmp_path / "gone.parquet"), str(tmp_path / "pipe.parquet")]
    assert "not a regular file" in source.unreadable[1][1]
    assert together(source) == expected(pq.read_table(good))
    assert "not a regular file" in refused(tmp_path / "pipe.parquet")
    for device in ("/dev/zero", "/dev/null"):
        assert "not a regular file" in refused(device)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folders_and_files_without_permission_are_said(tmp_path):
    write(tmp_path / "good.parquet", fleet())
    (tmp_path / "closed").mkdir(mode=0)
    write(tmp_path / "closed.parquet", fleet()).chmod(0)
    assert len(ParquetSource(tmp_path).unreadable) == 2


def test_the_metric_may_be_a_folder(tmp_path):
    for name in ("b%2Fc", "a"):
        (tmp_path / f"metric={name}").mkdir()
        write(tmp_path / f"metric={name}" / "0.parquet", pa.table({"timestamp": [T0, T0 + 1], "value": [1.0, 2.0]}))
    assert [row["metric"] for row in together(ParquetSource(tmp_path))[0]] == ["a", "b/c"]


def test_files_may_differ_in_widths_and_in_as_of(tmp_path):
    write(tmp_path / "1.parquet", pa.table({"metric": ["a"], "timestamp": [T0], "value": pa.array([1], pa.int32())}))
    write(tmp_path / "2.parquet", pa.table({"value": [2.5], "as_of": [T0 + 5], "timestamp": [T0 + 1], "metric": ["a"]}))
    rows = together(ParquetSource(tmp_path))[0]
    assert rows == [{"metric": "a", "timestamp": [T0, T0 + 1], "value": [1.0, 2.5], "as_of": T0 + 5}]


def timestamps(unit):
    return lambda seconds: pa.array(seconds).cast(pa.timestamp("s")).cast(pa.timestamp(unit))


def numbers(kind):
    return lambda seconds: pa.array(seconds).cast(kind)


KINDS = {
    "ints": (numbers(pa.int64()), pa.int32(), numbers(pa.int64())),
    "floats": (numbers(pa.float64()), pa.float32(), timestamps("ms")),
    "ms": (timestamps("ms"), pa.float64(), numbers(pa.float64())),
    "us": (timestamps("us"), pa.float64(), timestamps("s")),
}


@pytest.mark.parametrize("kinds", [("floats", "ints"), ("ints", "floats"), ("ms", "us")])
def test_files_of_several_types_are_read_alike(tmp_path, kinds):
    for number, kind in enumerate(kinds):
        stamp, value, as_of = KINDS[kind]
        columns = {"timestamp": stamp([T0 + number]), "value": pa.array([2.0]).cast(value), "as_of": as_of([T0])}
        write(tmp_path / f"{number}.parquet", pa.table({"metric": ["a"], **columns}))
    rows = together(ParquetSource(tmp_path))[0]
    assert rows == [{"metric": "a", "timestamp": [T0, T0 + 1], "value": [2.0, 2.0], "as_of": T0}]


def test_a_file_without_rows(tmp_path):
    source = ParquetSource(write(tmp_path / "in.parquet", fleet().slice(0, 0)))
    assert source.rows == 0
    assert source.newest() is None
    assert list(source.chunks()) == []


NEWEST = {
    "seconds": ([T0, T0 + 5], True, T0 + 5),
    "stray zero": ([0, T0 + 5], True, T0 + 5),
    "milliseconds": ([T0 * 1000, T0 * 1000 + 5999], True, T0 + 5),
    "floats": ([T0 + 0.1, T0 + 5.9], True, T0 + 5),
    "mixed units": ([T0, (T0 + 5) * 1000], False, T0 + 5),
    "nanoseconds beside a zero": ([0, 10**9 * (T0 + 5)], False, T0 + 5),
    "far future": ([T0, 10**11], False, T0),
    "nothing sane": ([0, 1], False, None),
}


@pytest.mark.parametrize("case", NEWEST)
def test_newest(tmp_path, case):
    stamps, by_statistics, newest = NEWEST[case]
    table = pa.table({"metric": ["a", "b"], "timestamp": stamps, "value": [1.0, 2.0]})
    source = ParquetSource(write(tmp_path / "in.parquet", table, row_group_size=1))
    assert newest_by_statistics(source.reader.files)[0] == by_statistics
    assert source.newest() == newest == MetricMatrix.from_table(table).newest
    bare = ParquetSource(write(tmp_path / "bare.parquet", table, write_statistics=False))
    assert newest_by_statistics(bare.reader.files) == (False, None)
    assert bare.newest() == newest


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def refused(path):
    with pytest.raises(InputError) as caught:
        together(ParquetSource(path))
    message = str(caught.value)
    assert "\n" not in message
    assert Path(path).name.split("*")[0] in message
    return message


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    assert "no such file" in refused(tmp_path / "gone.parquet")
    assert "no file matches" in refused(tmp_path / "gone*.parquet")
    (tmp_path / "empty").mkdir()
    assert "no files ending in .parquet" in refused(tmp_path / "empty")
    for name, content in {"text": b"metric,timestamp\n" * 9, "nothing": b"", "torn": b"PAR1" + b"\0" * 99}.items():
        (tmp_path / name).write_bytes(content)
        assert "not a readable Parquet file" in refused(tmp_path / name)
    assert "no column value" in refused(write(tmp_path / "columns.parquet", fleet().drop_columns("value")))
    strings = fleet().set_column(2, "value", fleet()["value"].cast(pa.string()))
    assert "column value holds string" in refused(write(tmp_path / "types.parquet", strings))
    assert "no such file" in refused("file:///nowhere/at/all.parquet")


def test_a_path_that_is_no_text_is_read(tmp_path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    write_parquet(
        pa.table({"metric": ["a", "a"], "timestamp": [1_700_000_000, 1_700_000_060], "value": [1.0, 2.0]}),
        folder / "f.parquet",
    )
    for path in (folder, folder / "f.parquet"):
        (matrix,) = ParquetSource(path).chunks()
        assert matrix.values.tolist() == [1, 2]


def test_files_of_different_layouts_are_refused(tmp_path):
    write(tmp_path / "1.parquet", fleet(as_of=False))
    write(tmp_path / "2.parquet", lists(fleet()))
    with pytest.raises(InputError, match=r"2\.parquet and .*1\.parquet differ"):
        ParquetSource(tmp_path)


@pytest.mark.parametrize("column", ["metric", "timestamp", "value"])
def test_damage_in_the_middle_names_file_and_row_group(tmp_path, column):
    table = fleet(metrics=40, as_of=False)
    path = write(tmp_path / "in.parquet", table, row_group_size=len(table) // 4, compression="zstd")
    group = pq.read_metadata(path).row_group(2)
    chunk = next(group.column(j) for j in range(3) if group.column(j).path_in_schema == column)
    content = bytearray(path.read_bytes())
    first = chunk.dictionary_page_offset or chunk.data_page_offset
    content[first : first + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(content)
    source = ParquetSource(path)
    source.reader.batch = len(table) // 4
    rows, reasons, *_ = together(source)
    assert len(source.unreadable) == 1
    assert source.unreadable[0][0] == str(path)
    assert re.search(r"in\.parquet: row group 2 cannot be read, the file is damaged", source.unreadable[0][1])
    start, stop = 2 * (len(table) // 4), 3 * (len(table) // 4)
    names = table["metric"].to_pylist()
    rest = expected(pa.concat_tables([table.slice(0, start), table.slice(stop)]))[0]
    lost = [name for name in dict.fromkeys(names) if name not in {row["metric"] for row in rest}]
    assert rows[: len(rest)] == rest
    assert len(lost) > 2
    assert [row["metric"] for row in rows[len(rest) :]] == (lost if column != "metric" else [])
    assert set(reasons[len(rest) :]) <= {UNREADABLE}


MUTATE = """
import random, resource, sys
from pathlib import Path
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.source import ParquetSource
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
path, good = Path(sys.argv[1]), Path(sys.argv[1]).read_bytes()
length = int.from_bytes(good[-8:-4], "little")
first, end = (len(good) - 8 - length, len(good) - 8) if sys.argv[2] == "footer" else (0, len(good))
random.seed(7)
refused = left_out = 0
for _ in range(int(sys.argv[3])):
    bad = bytearray(good)
    for _ in range(random.randint(1, 4)):
        bad[random.randrange(first, end)] = random.choice([random.randrange(256), 0, 127, 128, 255])
    path.write_bytes(bad)
    try:
        source = ParquetSource(path)
        source.newest()
        for matrix in source.chunks():
            matrix.batch.validate(full=True)
        left_out += bool(source.unreadable)
        assert all(sentence.isprintable() for _, sentence in source.unreadable)
    except InputError as error:
        refused += 1
        assert "\\n" not in str(error)
print(refused, left_out)
"""


def mutated(path, where, count):
    """(refused, partly read) of so many mutations of a file, in a process of its own: a library that aborts ends it."""
    command = [sys.executable, "-c", MUTATE, path, where, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return tuple(map(int, done.stdout.split()))


def layouts(layout):
    return lists(fleet()) if layout == "lists" else fleet(as_of=False)


@pytest.mark.parametrize("layout", ["long", "lists"])
def test_mutated_files_are_read_or_left_out(tmp_path, layout):
    path = write(tmp_path / "in.parquet", layouts(layout), row_group_size=60 if layout == "long" else 7)
    refused, left_out = mutated(path, "anywhere", 60)
    assert refused + left_out > 4


@pytest.mark.parametrize("layout", ["long", "lists"])
def test_mutated_footers_end_no_process(tmp_path, layout):
    path = write(tmp_path / "in.parquet", layouts(layout), row_group_size=60 if layout == "long" else 7)
    assert mutated(path, "footer", 80)[0] > 25


@pytest.mark.long
@pytest.mark.parametrize("where", ["footer", "anywhere"])
@pytest.mark.parametrize("layout", ["long", "lists"])
def test_thousands_of_mutations(tmp_path, layout, where):
    path = write(tmp_path / "in.parquet", layouts(layout), row_group_size=60 if layout == "long" else 7)
    assert sum(mutated(path, where, 10_000)) > 1000


def repeated(path, rows):
    """One metric of many equal points: Parquet stores them as next to nothing."""
    schema = pa.schema([("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64())])
    size = 1 << 16
    batch = pa.RecordBatch.from_arrays([["a"] * size, np.full(size, T0), np.ones(size)], schema=schema)
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(rows // size):
            writer.write_batch(batch, row_group_size=rows)
    return path


@pytest.mark.parametrize("scatter", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 100, 10**6])
def test_of_long_metrics_the_newest_points_are_read(tmp_path, limit, scatter):
    table = fleet(points=200, as_of=False)
    if scatter:
        table = table.take(pa.array(np.random.default_rng(3).permutation(len(table))))
    source = ParquetSource(write(tmp_path / "in.parquet", table, row_group_size=40), max_points=limit)
    source.reader.batch = 30
    rows, _, _, repairs, newest = together(source)
    whole, _, _, before, newest_of_all = expected(table)
    assert [row["metric"] for row in rows] == [row["metric"] for row in whole]
    for row, full in zip(rows, whole, strict=True):
        assert row["timestamp"] == full["timestamp"][-limit:]
        assert row["value"] == full["value"][-limit:]
    kept, given = (sum(len(row["value"]) for row in found) for found in (rows, whole))
    assert repairs.get("beyond_max_points", 0) >= given - kept
    assert sum(repairs.get(name, 0) for name in ("null", "non_finite", "bad_timestamp", "beyond_max_points")) == (
        len(table) - kept
    )
    assert newest == newest_of_all
    assert (repairs == before) == (limit == 10**6)


def test_many_rows_in_a_small_file_take_little_memory(tmp_path):
    path = repeated(tmp_path / "in.parquet", 20 << 20)
    assert path.stat().st_size < 1 << 20
    code = (
        "import sys; from pathlib import Path; from ridgeline.io.parquet.source import ParquetSource;"
        "source = ParquetSource(sys.argv[1], max_points=10_000);"
        "print([len(m.timestamps) for m in source.chunks()]);"
        # The process's own peak: getrusage's would be that of the tests, which it was forked from.
        "print(int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]) < 600_000)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["[10000]", "True"]


def test_lists_that_do_not_fit_into_memory_are_left_out_and_named(tmp_path):
    long = pa.table({"metric": ["a"], "timestamp": [list(range(T0, T0 + 200_000))], "value": [[1.0] * 200_000]})
    write(tmp_path / "1.parquet", lists(fleet()))
    write(tmp_path / "2.parquet", long)
    source = ParquetSource(tmp_path, max_memory=1)
    assert len(together(source)[0]) == 20
    assert "2.parquet: row group 0 has lists of 200,000 points" in source.unreadable[0][1]


def test_a_full_disk_while_shuffling(tmp_path, monkeypatch):
    table = fleet().take(pa.array(np.random.default_rng(3).permutation(len(fleet()))))
    path = write(tmp_path / "in.parquet", table)

    class Full:
        def write_table(self, table):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_stream", lambda *_args, **_options: Full())
    with pytest.raises(OutputError, match="No space left on device; set TMPDIR"):
        together(ParquetSource(path, max_memory=1, temporary=tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]


def test_temporary_files_go_where_tmpdir_says_and_leave_nothing(tmp_path, monkeypatch):
    table = fleet().take(pa.array(np.random.default_rng(3).permutation(len(fleet()))))
    path = write(tmp_path / "in.parquet", table)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(OutputError, match="missing"):
        together(ParquetSource(path, max_memory=1))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = open_files()
    chunks = ParquetSource(path, max_memory=1).chunks()
    next(chunks)
    assert open_files() > before
    chunks.close()
    assert open_files() == before
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]


def test_parts_follow_first_seen_order_and_memory():
    assert shuffle._dealt(np.array([5, 5, 5, 20, 1, 1]), 10).tolist() == [0, 0, 1, 1, 2, 2]
    assert shuffle._dealt(np.ones(2000, np.int64), 1).max() < shuffle.MOST_PARTS


def test_writing_streams_of_batches(tmp_path):
    table = fleet().drop_columns("value")  # NaN equals nothing
    assert write_parquet(iter(table.to_batches(max_chunksize=7)), tmp_path / "out.parquet", schema=table.schema) == len(
        table
    )
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    write_parquet(table, tmp_path / "out.parquet", dictionary=[])
    write_parquet([], tmp_path / "none.parquet", schema=table.schema)
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    with pytest.raises(OutputError):
        write_parquet(table, tmp_path / "no" / "folder.parquet")

    def breaks():
        yield table.to_batches()[0]
        raise InputError("broken source")

    with pytest.raises(InputError, match="broken source"):
        write_parquet(breaks(), tmp_path / "out.parquet", schema=table.schema)
    assert pq.read_table(tmp_path / "out.parquet").equals(table)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["none.parquet", "out.parquet"]


def test_large_row_groups_are_read_through_a_buffer(tmp_path, monkeypatch):
    monkeypatch.setattr("ridgeline.io.parquet.files.STREAMED", 10)
    table = fleet()
    assert together(ParquetSource(write(tmp_path / "in.parquet", table))) == expected(table)


def test_batches_fit_into_little_memory():
    assert parquet_reader.BATCH * parquet_reader.BYTES_PER_POINT < 1 << 28


@pytest.mark.parametrize("order", [["c", "a", "b"], ["c", "a", "b", "c"], ["a", "b", "c"]])
def test_metrics_come_by_name_where_that_is_asked_for(tmp_path, order):
    """Whether each stands together, scattered, or in order already."""
    path = tmp_path / "a.parquet"
    columns = {
        "metric": order,
        "timestamp": [T0 + 60 * at for at in range(len(order))],
        "value": [float(ord(name)) for name in order],
    }
    pq.write_table(pa.table(columns), path)
    (matrix,) = ParquetSource(path, by_name=True).chunks()
    assert matrix.metrics.to_pylist() == ["a", "b", "c"]
    owners = np.repeat(["a", "b", "c"], np.diff(matrix.offsets))
    assert [chr(int(value)) for value in matrix.values] == owners.tolist()
