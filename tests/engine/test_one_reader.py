"""`score` and `backtest` read Parquet by one reader: of any dataset they count the same metrics, points and repairs."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ridgeline.engine.cli.main import main
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.source import ParquetSource

T0 = 1_700_000_000
METRICS, POINTS = 6, 40


def history():
    """Six metrics, unsorted and doubled here and there, some values not finite."""
    rng = np.random.default_rng(4)
    stamps = np.tile(T0 + 60 * np.arange(POINTS), METRICS)
    stamps[rng.integers(0, len(stamps), 9)] -= 60
    values = rng.normal(size=len(stamps))
    values[rng.integers(0, len(stamps), 7)] = np.nan
    return pa.table(
        {"metric": np.repeat([f"m{i}" for i in range(METRICS)], POINTS), "timestamp": stamps, "value": values}
    )


def replaced(table, **columns):
    for name, column in columns.items():
        table = (
            table.set_column(table.column_names.index(name), name, column)
            if name in table.column_names
            else table.append_column(name, column)
        )
    return table


def shuffled(table):
    return table.take(pa.array(np.random.default_rng(1).permutation(len(table))))


def some_null(column, share=0.1, seed=2):
    return pa.array(column.to_pylist(), column.type, mask=np.random.default_rng(seed).random(len(column)) < share)


def stamps_in(table, unit):
    return pa.array(np.array(table["timestamp"]) * unit)


def typed(table, kind):
    return table["timestamp"].cast(pa.timestamp("s")).cast(kind)


def lists(table):
    batch = MetricMatrix.from_table(table).batch
    return pa.table([batch.column(i) for i in range(3)], names=["metric", "timestamp", "value"])


def files(folder, *tables, **options):
    for number, table in enumerate(tables):
        pq.write_table(table, folder / f"{number}.parquet", **options)
    return folder


def hive(folder, table):
    names = np.array(table["metric"].to_pylist())
    for name in np.unique(names):
        (folder / f"metric={name}%2Fa").mkdir()
        rows = table.filter(pa.array(names == name)).drop_columns("metric")
        pq.write_table(rows, folder / f"metric={name}%2Fa" / "data_0.parquet")
    return folder


def damaged(path, group, column):
    chunk = pq.read_metadata(path).row_group(group).column(column)
    content = bytearray(path.read_bytes())
    first = chunk.dictionary_page_offset or chunk.data_page_offset
    content[first : first + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def broken_group(folder, table, group, column):
    files(folder, table, row_group_size=70)
    damaged(folder / "0.parquet", group, column)
    return folder


def one_of_three(folder, table, spoil):
    files(folder, table.slice(0, 80), table.slice(80, 80), table.slice(160))
    spoil(folder / "1.parquet")
    return folder


H = history()
SHAPES = {
    "one file": lambda d: files(d, H, row_group_size=50),
    "glob": lambda d: f"{files(d, H.slice(0, 90), H.slice(90))}/*.parquet",
    "a metric in two files": lambda d: files(d, H.slice(0, 100), H.slice(100)),
    "scattered": lambda d: files(d, shuffled(H), row_group_size=33),
    "scattered over files": lambda d: files(d, *(shuffled(H).slice(i * 80, 80) for i in range(3))),
    "null values": lambda d: files(d, replaced(H, value=some_null(H["value"]))),
    "null timestamps": lambda d: files(d, replaced(H, timestamp=some_null(H["timestamp"]))),
    "null names between": lambda d: files(d, replaced(H, metric=pa.array([None] * 3 + H["metric"].to_pylist()[3:]))),
    "null names within": lambda d: files(d, replaced(H, metric=some_null(H["metric"], 0.05))),
    "null names, scattered": lambda d: files(d, replaced(shuffled(H), metric=some_null(shuffled(H)["metric"]))),
    "milliseconds": lambda d: files(d, replaced(H, timestamp=stamps_in(H, 1000))),
    "nanoseconds": lambda d: files(d, replaced(H, timestamp=stamps_in(H, 10**9))),
    "floats": lambda d: files(d, replaced(H, timestamp=stamps_in(H, 1.0))),
    "timestamp[ms]": lambda d: files(d, replaced(H, timestamp=typed(H, pa.timestamp("ms")))),
    "timestamp[ns]": lambda d: files(d, replaced(H, timestamp=typed(H, pa.timestamp("ns", "UTC")))),
    "files of two widths": lambda d: files(d, H.slice(0, 100), replaced(H, value=H["value"].cast(pa.float32())).slice(100)),
    "files of two units": lambda d: files(
        d,
        replaced(H, timestamp=typed(H, pa.timestamp("ms"))).slice(0, 100),
        replaced(H, timestamp=typed(H, pa.timestamp("us"))).slice(100),
    ),
    "insane timestamps": lambda d: files(d, replaced(H, timestamp=pa.array(np.where(np.arange(240) % 7, H["timestamp"], 5)))),
    "as_of": lambda d: files(d, replaced(H, as_of=pa.array(np.full(240, T0 + 9000)))),
    "as_of conflict": lambda d: files(d, replaced(H, as_of=pa.array(np.where(np.arange(240) % 50, T0 + 9000, T0 + 9060)))),
    "as_of in one file": lambda d: files(d, H.slice(0, 100), replaced(H, as_of=pa.array(np.full(240, T0 + 9000))).slice(100)),
    "lists": lambda d: files(d, lists(H), row_group_size=2),
    "lists, scattered": lambda d: files(d, lists(H), lists(H.slice(30, 50))),
    "metric folders": lambda d: hive(d, H),
    "a metric without a usable point": lambda d: files(
        d, replaced(H, value=pa.array(np.where(np.arange(240) < POINTS, np.nan, 1.0)))
    ),
    "the same, scattered": lambda d: files(
        d, shuffled(replaced(H, value=pa.array(np.where(np.arange(240) < POINTS, np.nan, 1.0))))
    ),
    "a damaged page": lambda d: broken_group(d, H, 1, 2),
    "damaged names": lambda d: broken_group(d, H, 2, 0),
    "a damaged page, scattered": lambda d: broken_group(d, shuffled(H), 1, 1),
    "a cut file": lambda d: one_of_three(d, H, cut),
    "an empty file": lambda d: one_of_three(d, H, lambda path: path.write_bytes(b"")),
    "a text file": lambda d: one_of_three(d, H, lambda path: path.write_text("to be written\n")),
    "a file of other columns": lambda d: one_of_three(d, H, lambda path: pq.write_table(pa.table({"a": [1]}), path)),
}  # fmt: skip
PARTIAL = {"a damaged page", "damaged names", "a damaged page, scattered", "a cut file", "an empty file", "a text file",
           "a file of other columns"}  # fmt: skip


def unreadable(text):
    return {line.partition("unreadable: ")[2] for line in text.splitlines() if "left out, unreadable" in line}


@pytest.mark.parametrize("shape", SHAPES)
def test_score_and_backtest_count_alike(tmp_path, capsys, shape):
    (tmp_path / "data").mkdir()
    dataset = str(SHAPES[shape](tmp_path / "data"))
    code = 70 if shape in PARTIAL else 0
    assert main(["score", dataset, str(tmp_path / "out.parquet"), "--json"]) == code
    shown = capsys.readouterr()
    scored, told = json.loads(shown.out), unreadable(shown.err)
    assert main(["backtest", dataset, "--output", str(tmp_path / "out"), "--json", "--profile", "earthgecko"]) == code
    shown = capsys.readouterr()
    replayed = json.loads(shown.out)
    assert replayed["metrics"] == scored["metrics"]
    assert replayed["repairs"] == dict(sorted(scored["repairs"].items()))
    assert set(replayed["unreadable"]) == told
    assert bool(told) == (shape in PARTIAL)
    rejected = {reason: n for reason, n in scored["reasons"].items() if reason in {"no_usable_points", "as_of_conflict", "unreadable"}}  # fmt: skip
    assert replayed["reasons"] == rejected
    assert len(pq.read_table(tmp_path / "out.parquet")) == scored["metrics"]
    rows = [row for matrix in ParquetSource(dataset).chunks() for row in matrix.batch.to_pylist()]
    assert replayed["steps"] == sum(len(set(row["timestamp"])) for row in rows)
    assert replayed["data"]["rows"] == ParquetSource(dataset).rows


@pytest.mark.parametrize("spoil", [cut, lambda path: path.write_bytes(b"")], ids=["cut", "empty"])
def test_when_nothing_can_be_read_nothing_is_written(tmp_path, capsys, spoil):
    (tmp_path / "data").mkdir()
    files(tmp_path / "data", H, H)
    for number in range(2):
        spoil(tmp_path / "data" / f"{number}.parquet")
    assert main(["score", str(tmp_path / "data"), str(tmp_path / "out.parquet")]) == 2
    assert main(["backtest", str(tmp_path / "data"), "--output", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "0.parquet: not a readable Parquet file" in said
    assert not (tmp_path / "out.parquet").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("column", [0, 2], ids=["metric", "value"])
def test_when_every_page_is_damaged_it_is_unreadable(tmp_path, capsys, column):
    (tmp_path / "data").mkdir()
    path = files(tmp_path / "data", H) / "0.parquet"
    damaged(path, 0, column)
    assert main(["score", str(path), str(tmp_path / "out.parquet")]) == 2
    assert main(["backtest", str(path), "--output", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err.count("not one row can be read") == 2
    assert not (tmp_path / "out.parquet").exists()


def test_a_run_alerts_about_the_rest_and_names_the_file(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(9)
    for number in range(3):
        values = rng.normal(size=300)
        values[-3:] += 90
        rows = {"metric": [f"m{number}"] * 300, "timestamp": T0 + 60 * np.arange(300), "value": values}
        pq.write_table(pa.table(rows), tmp_path / "data" / f"{number}.parquet")
    cut(tmp_path / "data" / "1.parquet")
    config = tmp_path / "ridgeline.toml"
    config.write_text(
        f'[source]\nkind = "parquet"\npath = "{tmp_path}/data"\n[output]\ndirectory = "{tmp_path}"\n'
        '[[alert]]\nmatch = "m"\nstrategy = "console"\n'
    )
    assert main(["run", "--config", str(config), "--as-of", str(T0 + 60 * 300), "--json"]) == 70
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert found["outcomes"] == {"analysed": 2}
    assert {anomaly["metric"] for anomaly in found["anomalies"]} == {"m0", "m2"}
    assert found["alerts"]["sent"] == 2
    assert "1.parquet: not a readable Parquet file: it has no end; it may be cut off, or being written" in shown.err
