"""One fleet in every shape and format that is read: a writer for each, and the options that say how to read it."""

from __future__ import annotations

import bz2
import gzip
import json
from typing import NamedTuple

import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from pyarrow import feather

T0 = 1_700_000_000
POINTS = 160
ODD = 'a"b\\c\nd'
PARTS = [
    ('stats."a", b', {}),
    ("línea\ntwo", {"host": ODD, "job": "x,y=}"}),
    ("web.requests", {}),
    ("web.requests", {"host": "1"}),
]
NAMES = ['stats."a", b', r"línea" + "\n" + r'two{host="a\"b\\c\nd",job="x,y=}"}', "web.requests", 'web.requests{host="1"}']  # fmt: skip


class Shape(NamedTuple):
    """`write` puts the fleet into a folder and gives the file; `options` are those of `ridgeline.score`."""

    write: object
    options: dict = {}


def fleet():
    """Four metrics of 160 points, one with an outlier at its end."""
    values = np.round(np.random.default_rng(7).normal(100, 3, size=(len(NAMES), POINTS)), 6)
    values[2, -3:] = [300, 310.5, 290]
    return pa.table(
        {
            "metric": np.repeat(NAMES, POINTS),
            "timestamp": np.tile(T0 + 60 * np.arange(POINTS), len(NAMES)),
            "value": values.ravel(),
        }
    )


def scattered(table):
    return table.take(pa.array(np.argsort(np.array(table["timestamp"]), kind="stable")))


def iso(table):
    return table.set_column(1, "timestamp", table["timestamp"].cast(pa.timestamp("s")).cast(pa.string()))


def zoned(table):
    texts = [f"{text}Z" for text in iso(table)["timestamp"].to_pylist()]
    return table.set_column(1, "timestamp", pa.array(texts))


def mixed_times(table):
    """Every other time as a number, the others as text."""
    texts = [str(number) if at % 2 else text for at, (number, text) in enumerate(
        zip(table["timestamp"].to_pylist(), iso(table)["timestamp"].to_pylist(), strict=True))]  # fmt: skip
    return table.set_column(1, "timestamp", pa.array(texts))


def labelled(table, kind="columns", column="labels"):
    """Names as metrics and labels: columns of their own, a struct, a map, or objects without what is absent."""
    parts = [PARTS[NAMES.index(name)] for name in table["metric"].to_pylist()]
    table = table.set_column(0, "metric", pa.array([name for name, _ in parts]))
    if kind == "columns":
        for key in ("host", "job"):
            table = table.append_column(key, pa.array([labels.get(key) for _, labels in parts], pa.string()))
        return table
    if kind == "struct":
        return table.append_column(column, pa.array([labels for _, labels in parts]))
    return table.append_column(
        column, pa.array([[*labels.items()] for _, labels in parts], pa.map_(pa.string(), pa.string()))
    )


def objects(table):
    """Maps as the objects that JSON has."""
    return [row | {"labels": dict(row["labels"])} for row in table.to_pylist()]


def wide(table):
    stamps = np.array(table["timestamp"])[:POINTS]
    return pa.table(
        {"when": stamps, **{name: table["value"][i * POINTS : (i + 1) * POINTS] for i, name in enumerate(NAMES)}}
    )


def lists(table):
    rows = table.group_by("metric", use_threads=False).aggregate([("timestamp", "list"), ("value", "list")])
    return rows.rename_columns(["metric", "timestamp", "value"])


def csv(table, path, pack=lambda data: data, **options):
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(**options))
    path.write_bytes(pack(sink.getvalue().to_pybytes()))
    return path


def parquet(table, path):
    pq.write_table(table, path)
    return path


def ipc(table, path):
    feather.write_feather(table, path)
    return path


def stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)
    return path


def lines(table, path, pack=lambda data: data):
    rows = table if isinstance(table, list) else table.to_pylist()
    path.write_bytes(pack("\n".join(map(json.dumps, rows)).encode()))
    return path


def packed(codec):
    return lambda data: pa.Codec(codec).compress(data, asbytes=True)


def text(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def series(table):
    return [(row["metric"], row["timestamp"], row["value"]) for row in lists(table).to_pylist()]


def rendered(table):
    return [
        {
            "target": name,
            "datapoints": [[value, time] for time, value in zip(times, values, strict=True)] + [[None, T0]],
        }
        for name, times, values in series(table)
    ]


def rendered_steps(table):
    return [
        {"name": name, "start": T0, "end": T0 + 60 * POINTS, "step": 60, "values": values, "pathExpression": name}
        for name, _, values in series(table)
    ]


def exported(table):
    return "\n".join(
        json.dumps(
            {
                "metric": {"__name__": PARTS[NAMES.index(name)][0], **PARTS[NAMES.index(name)][1]},
                "values": values,
                "timestamps": [1000 * time for time in times],
            }
        )
        for name, times, values in series(table)
    )


def two_files(table, folder):
    (folder / "days").mkdir()
    csv(table.slice(0, POINTS + 7), folder / "days" / "1.csv")
    csv(table.slice(POINTS + 7), folder / "days" / "2.csv.gz", gzip.compress)
    return folder / "days"


CALLED = {"columns": {"metric": "unique_id", "timestamp": "ds", "value": "y"}}
LABELLED = {"labels_from": ["host", "job"]}
WITHIN = {"labels_from": ["labels"]}
SHAPES = {
    "CSV": Shape(lambda t, d: csv(t, d / "in.csv")),
    "CSV, scattered": Shape(lambda t, d: csv(scattered(t), d / "in.csv")),
    "CSV, BOM and CRLF": Shape(lambda t, d: csv(t, d / "in.csv", lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n").replace(b"nea\r\n", b"nea\n"))),
    "TSV": Shape(lambda t, d: csv(t, d / "in.tsv", delimiter="\t")),
    "CSV, semicolons, by a wrong name": Shape(lambda t, d: csv(t, d / "in.parquet.bak", delimiter=";")),
    "CSV of other columns too": Shape(lambda t, d: csv(t.append_column("n", pa.array(range(len(t)))), d / "in.csv")),
    "CSV, gzip": Shape(lambda t, d: csv(t, d / "in.csv.gz", gzip.compress)),
    "CSV, bzip2": Shape(lambda t, d: csv(t, d / "in.csv.bz2", bz2.compress)),
    "CSV, zstd": Shape(lambda t, d: csv(t, d / "in.csv.zst", packed("zstd"))),
    "CSV, LZ4": Shape(lambda t, d: csv(t, d / "in.csv.lz4", packed("lz4"))),
    "CSV, labels": Shape(lambda t, d: csv(labelled(t), d / "in.csv"), LABELLED),
    "CSV, ISO times": Shape(lambda t, d: csv(iso(t), d / "in.csv")),
    "CSV, zones": Shape(lambda t, d: csv(zoned(t), d / "in.csv")),
    "CSV, times of two forms": Shape(lambda t, d: csv(mixed_times(t), d / "in.csv")),
    "CSV, other names": Shape(lambda t, d: csv(t.rename_columns(["unique_id", "ds", "y"]), d / "in.csv"), CALLED),
    "CSV, wide": Shape(lambda t, d: csv(wide(t), d / "in.csv"), {"wide": True}),
    "CSV, a folder of two": Shape(two_files),
    "Feather": Shape(lambda t, d: ipc(t, d / "in.feather")),
    "Arrow stream": Shape(lambda t, d: stream(t, d / "in.arrows")),
    "Feather of lists": Shape(lambda t, d: ipc(lists(t), d / "in.feather")),
    "Feather, labels in a struct": Shape(lambda t, d: ipc(labelled(t, "struct"), d / "in.feather"), WITHIN),
    "Feather, labels in a map": Shape(lambda t, d: ipc(labelled(t, "map"), d / "in.feather"), WITHIN),
    "Feather, wide": Shape(lambda t, d: ipc(wide(t), d / "in.feather"), {"wide": True}),
    "Parquet, other names": Shape(lambda t, d: parquet(t.rename_columns(["unique_id", "ds", "y"]), d / "in.parquet"), CALLED),
    "Parquet, labels": Shape(lambda t, d: parquet(labelled(t), d / "in.parquet"), LABELLED),
    "Parquet, labels in a struct": Shape(lambda t, d: parquet(labelled(t, "struct"), d / "in.parquet"), WITHIN),
    "Parquet, labels in a map": Shape(lambda t, d: parquet(labelled(t, "map"), d / "in.parquet"), WITHIN),
    "Parquet, ISO times": Shape(lambda t, d: parquet(iso(t), d / "in.parquet")),
    "Parquet, wide, the time named": Shape(
        lambda t, d: parquet(wide(t).select([1, 2, 0, 3, 4]), d / "in.parquet"), {"wide": True, "columns": {"timestamp": "when"}}
    ),
    "JSON lines": Shape(lambda t, d: lines(t, d / "in.jsonl")),
    "JSON lines, gzip": Shape(lambda t, d: lines(t, d / "in.jsonl.gz", gzip.compress)),
    "JSON lines, zstd": Shape(lambda t, d: lines(t, d / "in.jsonl.zst", packed("zstd"))),
    "JSON lines, labels": Shape(lambda t, d: lines(labelled(t), d / "in.jsonl"), LABELLED),
    "JSON lines, labels in an object": Shape(lambda t, d: lines(objects(labelled(t, "map")), d / "in.jsonl"), WITHIN),
    "JSON lines, zones": Shape(lambda t, d: lines(zoned(t), d / "in.jsonl")),
    "JSON lines of lists": Shape(lambda t, d: lines(lists(t), d / "in.json")),
    "JSON lines, wide": Shape(lambda t, d: lines(wide(t), d / "in.jsonl"), {"wide": True}),
    "JSON array": Shape(lambda t, d: text(d / "in.json", json.dumps(t.to_pylist()))),
    "Graphite's JSON": Shape(lambda t, d: text(d / "in.json", json.dumps(rendered(t)))),
    "Graphite's msgpack": Shape(lambda t, d: text(d / "in.msgpack", msgpack.packb(rendered_steps(t)))),
    "VictoriaMetrics' export": Shape(lambda t, d: text(d / "in.jsonl", exported(t))),
}  # fmt: skip


ONE = NAMES[2]
ALONE = {
    "CSV": Shape(lambda t, d: csv(t, d / "in.csv"), {"metric": ONE}),
    "CSV, bzip2": Shape(lambda t, d: csv(t, d / "in.csv.bz2", bz2.compress), {"metric": ONE}),
    "Feather": Shape(lambda t, d: ipc(t, d / "in.feather"), {"metric": ONE}),
    "JSON lines": Shape(lambda t, d: lines(t, d / "in.jsonl"), {"metric": ONE}),
    "Parquet": Shape(lambda t, d: parquet(t, d / "in.parquet"), {"metric": ONE}),
}


def flags(options, value="value", series="--metric"):
    """The options of `ridgeline.score` as those of the commands; `value` and `series` are what a command calls these."""
    found = ["--wide"] if options.get("wide") else []
    columns = {value if role == "value" else role: name for role, name in options.get("columns", {}).items()}
    if value != "value" and not options.get("wide"):
        columns = {value: "value"} | columns
    if columns:
        found += ["--columns", ",".join(f"{role}={name}" for role, name in columns.items())]
    if "labels_from" in options:
        found += ["--labels-from", ",".join(options["labels_from"])]
    return found + ([series, options["metric"]] if "metric" in options else [])
