"""Files as people have them: broken, mislabelled, packed, enormous. Good rows go on, bad ones are counted by reason."""

import bz2
import csv
import gzip
import io
import json
import os
import random
import tempfile
from collections import Counter
from pathlib import Path

import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather, fs

from ridgeline.io.errors import InputError, OutputError, SourceUnavailable
from ridgeline.io.parquet.listing import Listing
from ridgeline.io.tables import content, csv_table, dataset, staging
from ridgeline.io.tables.dataset import open_dataset
from ridgeline.io.tables.shape import Shape

T0 = 1_700_000_000
HEAD = "metric,timestamp,value\n"
GOOD = "".join(f"a,{T0 + 60 * i},{i % 7}\n" for i in range(50))


def read(path, **shape):
    """({name: points}, repairs, sentences of what was left out)."""
    source = open_dataset(path, Shape.of(**shape))
    found, repairs = {}, Counter()
    for matrix in source.chunks():
        repairs.update(matrix.repairs)
        for row in range(len(matrix)):
            begin, end = matrix.offsets[row], matrix.offsets[row + 1]
            points = zip(matrix.timestamps[begin:end].tolist(), matrix.values[begin:end].tolist(), strict=True)
            assert matrix.name(row) not in found
            found[matrix.name(row)] = list(points)
    return found, dict(repairs), [sentence for _, sentence in source.unreadable]


def write(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def counts(path, **shape):
    found, repairs, told = read(path, **shape)
    return {name: len(points) for name, points in found.items()}, repairs, told


def line(**members):
    return json.dumps(members) + "\n"


GOOD_LINES = "".join(line(metric="a", timestamp=T0 + 60 * i, value=i % 7) for i in range(50))
DEEP = "[" * 100_000 + "]" * 100_000
ROWS = {
    "CRLF and BOM": ("\ufeff" + (HEAD + GOOD).replace("\n", "\r\n"), {"a": 50}, {}),
    "CR alone": ((HEAD + GOOD).replace("\n", "\r"), {"a": 50}, {}),
    "no line feed at the end": ((HEAD + GOOD).rstrip(), {"a": 50}, {}),
    "blank lines": (HEAD + "\n\n" + GOOD + "\n\n", {"a": 50}, {}),
    "ragged rows": (HEAD + GOOD + "a,1\nb,2,3,4\nc\n", {"a": 50}, {"malformed": 3}),
    "a quote never closed": (HEAD + GOOD + '"x,1,2\n' + GOOD.replace("a,", "b,"), {"a": 50, "b": 50}, {"malformed": 1}),
    "a quote within": (HEAD + f'5" disk,{T0},1\n' + GOOD, {'5" disk': 1, "a": 50}, {}),
    "line feeds within quotes": (HEAD + f'"x\n""y""\n",{T0},1\n' + GOOD, {'x\n"y"\n': 1, "a": 50}, {}),
    "no name": (HEAD + GOOD + f",{T0},1\n", {"a": 50}, {"null": 1}),
    "no value, no time": (HEAD + GOOD + f"a,{T0},\na,,1\n", {"a": 50}, {"null": 2}),
    "texts for values": (HEAD + GOOD + f"a,{T0},abc\na,{T0},true\na,{T0},1;5\n", {"a": 50}, {"non_numeric": 3}),
    "texts for times": (HEAD + GOOD + "a,yesterday,1\na,tomorrow,1\n", {"a": 50}, {"non_numeric": 2}),
    "NaN and infinity": (HEAD + GOOD + f"a,{T0},NaN\na,{T0},-inf\na,{T0},1e999\n", {"a": 50}, {"non_finite": 3}),
    "a metric of texts alone": (HEAD + GOOD + f"b,{T0},?\n", {"a": 50, "b": 0}, {"non_numeric": 1}),
    "times beyond measure": (HEAD + GOOD + "a,99999999999999999999,1\na,5,1\n", {"a": 50}, {"bad_timestamp": 2}),
    "Latin-1": ((HEAD + GOOD).replace("a,", "\xe4,").encode("latin-1"), {"\\xe4": 50}, {}),
    "Latin-1, ragged": ((HEAD + GOOD + "\xe4\n" + GOOD.replace("a,", "\xe4,")).encode("latin-1"), {"a": 50, "\\xe4": 50}, {"malformed": 1}),
    "JSON: Latin-1": ((GOOD_LINES + f'{{"metric":"\xe4","timestamp":{T0},"value":1}}\n' + "{}\n[]\n").encode("latin-1"), {"a": 50, "\\xe4": 1}, {"malformed": 1, "null": 1}),
    "spaces": (HEAD + GOOD.replace(",", " , "), {"a ": 50}, {}),
    "JSON: junk": (GOOD_LINES + "junk\n[1]\nnull\n" + line(timestamp=T0, value=1), {"a": 50}, {"malformed": 3, "null": 1}),
    "JSON: any types": (
        GOOD_LINES + line(metric="b", timestamp=T0, value="5") + line(metric="b", timestamp=str(T0 + 60), value=None)
        + line(metric="b", timestamp=[1], value={"a": 1}) + line(metric=12, timestamp=T0, value=True)
        + line(metric="b", timestamp=2**80, value=1),
        {"a": 50, "b": 1, "12": 0}, {"non_numeric": 2, "null": 1, "bad_timestamp": 1},
    ),
    "JSON: nested": (GOOD_LINES + line(metric="a", timestamp=T0 + 9000, value=1, x={"y": [1, {"z": 2}]}), {"a": 51}, {}),
    "JSON: deep": (GOOD_LINES + f'{{"metric":"a","x":{DEEP}}}\n' + GOOD_LINES.replace('"a"', '"b"'), {"a": 50, "b": 50}, {"malformed": 1}),
    "JSON: deep first": (f'{{"x":{DEEP}}}\n' + GOOD_LINES, {"a": 50}, {"malformed": 1}),
    "JSON: lone surrogate": (GOOD_LINES + f'{{"metric":"\\ud800x","timestamp":{T0},"value":1}}\n', {"a": 50, "\\ud800x": 1}, {}),
    "JSON: ever so many digits": (GOOD_LINES + f'{{"metric":"a","timestamp":{"9" * 5000},"value":1}}\n', {"a": 50}, {"malformed": 1}),
    "JSON array": ("[" + ",\n".join(GOOD_LINES.split("\n")[:-1]) + ", 7, null]", {"a": 50}, {"malformed": 2}),
    "Graphite: odd points": (
        json.dumps([{"target": "a", "datapoints": [[1, T0], [2], None, ["x", T0], [None, T0]]}, {"target": "e", "datapoints": []}, 7]),
        {"a": 1, "e": 0}, {"malformed": 3, "non_numeric": 1, "null": 1},
    ),
    "VictoriaMetrics: odd lines": (
        line(metric={"__name__": "up", "job": "x"}, values=[1, None, "Infinity"], timestamps=[T0 * 1000, T0 * 1000 + 1000, T0 * 1000 + 2000])
        + line(metric={"__name__": "u"}, values=[1], timestamps=[]) + "zzz\n",
        {'up{job="x"}': 1}, {"malformed": 2, "null": 1, "non_finite": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_bad_rows_are_counted_and_good_ones_go_on(tmp_path, case):
    data, names, repairs = ROWS[case]
    assert counts(write(tmp_path / "in.any", data), labels_from=[]) == (names, repairs, [])


SHUFFLED = random.Random(1)
LONG = (HEAD + "".join(f"m{SHUFFLED.random()},{T0},{i}\n" for i in range(12_000))).encode()
PACKED = gzip.compress(LONG)
REFUSED = {
    "empty": (b"", "it is empty; it may be being written"),
    "header of another table": ("a,b\n1,2\n", r"no column metric or timestamp or value \(found: a, b\).*--columns, --wide or --metric"),
    "no header": (GOOD, r"found: a, 1700000000, 0"),
    "plain text": ("hello\nworld\n", "no column metric"),
    "binary": (bytes(range(256)) * 100, "does not look like a table"),
    "UTF-16": ((HEAD + GOOD).encode("utf-16"), "text in UTF-16: save it as UTF-8"),
    "a spreadsheet": (b"PK\x03\x04" + b"x" * 100, "a zip archive or a spreadsheet"),
    "packed twice": (gzip.compress(gzip.compress(b"x")), "compressed twice"),
    "packed, cut at once": (PACKED[:12], "not one row can be read.*ends in the middle"),
    "days before months": (HEAD + "".join(f"a,{d:02}/02/2024,1\n" for d in range(1, 28)), "column timestamp holds '01/02/2024', and not one"),
    "words for values": (HEAD + "".join(f"a,{T0 + i},x{i}\n" for i in range(9)), "column value holds 'x0'"),
    "decimal commas": ((HEAD + GOOD).replace(",", ";") + f"a;{T0};1,5\n", "writes a number as '1,5'; numbers are read with a decimal point"),
    "decimal commas in quotes": (HEAD + "".join(f'a,{T0 + i},"{i},5"\n' for i in range(9)), "writes a number as '0,5'"),
    "decimal commas, JSON": (GOOD_LINES + line(metric="a", timestamp=T0, value="1,5"), "writes a number as '1,5'"),
    "commas out of quotes": (HEAD + "".join(f"a,{T0 + i},{i},5\n" for i in range(9)), "not one of its 9 rows has 3 cells, as the header has"),
    "names with blanks": ("metric, timestamp,value\n" + GOOD, r"found: metric, ' timestamp', value"),
    "names without end": ("x" * 5000 + "\n" + GOOD, r"found: x{77}\.\.\.\)"),
    "a column twice": ("metric,timestamp,value,value\n", "column value is there 2 times; keep one"),
    "an object over several lines": ('{\n "a": 1\n}\n', "not one of its lines is a JSON object"),
    "an array of numbers": ("[1, 2]", "not one item of its JSON array is an object"),
    "an array without end": ("[" * 100_000, "nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_table_is_refused_with_one_sentence(tmp_path, case):
    data, sentence = REFUSED[case]
    with pytest.raises(InputError, match=sentence) as refused:
        read(write(tmp_path / "in.any", data))
    assert "\n" not in str(refused.value)


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    assert open_dataset(write(tmp_path / "in.csv", HEAD)).rows == 0


CUT = {
    "gzip": PACKED[:-5000],
    "bzip2": bz2.compress(LONG, 1)[:-20_000],
    "gzip with a tail": PACKED + b"junk",
    "zstd": pa.Codec("zstd").compress(LONG, asbytes=True)[:-3000],
    "a JSON array": "[" + ",".join(GOOD_LINES.split("\n")[:-1]),
    "Graphite's JSON": json.dumps([{"target": "a", "datapoints": [[1, T0]]}, {"target": "b", "datapoints": [[1, T0]]}])[:-9],
}  # fmt: skip


@pytest.mark.parametrize("case", CUT)
def test_of_what_is_cut_off_the_beginning_is_read(tmp_path, case):
    found, repairs, told = read(write(tmp_path / "in.any", CUT[case]))
    assert found
    assert len(told) == 1
    assert set(repairs) <= {"malformed", "duplicate_timestamp", "null"}


def test_members_of_a_packed_file_are_one_content(tmp_path):
    packed = gzip.compress(HEAD.encode()) + gzip.compress(GOOD.encode())
    assert counts(write(tmp_path / "in.csv.gz", packed)) == ({"a": 50}, {}, [])


@pytest.mark.parametrize("kind", ["fifo", "/dev/zero", "/dev/null"])
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path, kind):
    path = kind
    if kind == "fifo":
        path = tmp_path / "fifo"
        os.mkfifo(path)
    with pytest.raises(InputError, match="not a regular file"):
        read(path)


def test_a_line_without_end_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "HEAD", 1 << 10)
    monkeypatch.setattr(content, "BLOCK", 1 << 12)
    monkeypatch.setattr(content, "LONGEST", 1 << 14)
    data = HEAD + GOOD + "b," + "9" * 60_000 + ",1\n" + GOOD.replace("a,", "c,")
    assert counts(write(tmp_path / "in.csv", data)) == ({"a": 50, "c": 50}, {"malformed": 1}, [])
    lines = GOOD_LINES + '{"metric": "' + "x" * 60_000 + '"}\n' + GOOD_LINES.replace('"a"', '"c"')
    assert counts(write(tmp_path / "in.jsonl", lines)) == ({"a": 50, "c": 50}, {"malformed": 1}, [])
    with pytest.raises(InputError, match="its first line is longer than"):
        read(write(tmp_path / "in.csv", "x" * 60_000 + "\n" + GOOD))


def test_blocks_may_end_anywhere(tmp_path, monkeypatch):
    table = io.StringIO()
    rows = [(random.Random(i).choice(["a\nb", 'q"x', "p,q", "plain"]), T0 + i, float(i)) for i in range(300)]
    csv.writer(table).writerows([("metric", "timestamp", "value"), *rows])
    path = write(tmp_path / "in.csv", table.getvalue())
    expected = read(path)
    monkeypatch.setattr(content, "HEAD", 100)
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(content, "BLOCK", size)
        assert read(path) == expected
    assert sum(map(len, expected[0].values())) == 300


def test_a_column_may_change_its_mind(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "HEAD", 1 << 8)
    monkeypatch.setattr(content, "BLOCK", 1 << 8)
    cells = ["1", "2.5", " 3 ", "x", "", "NaN", "4"]
    times = [str(T0), f"{T0}.5", "2023-11-14T22:13:20Z"]
    rows = [(times[i // 40 % 3], cells[i // 11 % 7]) for i in range(400)]
    path = write(tmp_path / "in.csv", HEAD + "".join(f"m{i},{time},{cell}\n" for i, (time, cell) in enumerate(rows)))
    found, repairs, _ = read(path)
    kept = {"1": 1.0, "2.5": 2.5, " 3 ": 3.0, "4": 4.0}
    assert found == {f"m{i}": [(T0, kept[cell])] if cell in kept else [] for i, (_, cell) in enumerate(rows)}
    assert repairs == {
        reason: sum(cell == which for _, cell in rows)
        for reason, which in (("non_numeric", "x"), ("null", ""), ("non_finite", "NaN"))
    }


def test_very_wide_tables_are_read_row_by_row(tmp_path, monkeypatch):
    data = "time,a,b,,c\n" + "".join(f"{T0 + 60 * i},{i},{i if i % 2 else ''},9,\n" for i in range(6)) + "1,2\n"
    path = write(tmp_path / "in.csv", data)
    expected = read(path, wide=True)
    assert {name: len(points) for name, points in expected[0].items()} == {"a": 6, "b": 3, "c": 0}
    assert expected[1:] == ({"malformed": 1, "null": 1}, [])
    monkeypatch.setattr(csv_table, "WIDEST", 2)
    assert read(path, wide=True) == expected


def test_of_very_many_columns_the_needed_are_read(tmp_path):
    others = [f"c{i}" for i in range(csv_table.WIDEST + 5)]
    head = ",".join(["metric", "timestamp", "value", *others])
    numbers = ",".join("1" for _ in others)
    path = write(tmp_path / "in.csv", head + "\n" + "".join(f"a,{T0 + i},{i},{numbers}\n" for i in range(5)))
    assert counts(path) == ({"a": 5}, {}, [])
    path = write(
        tmp_path / "in.csv", head + "\n" + "".join(f"a,{T0 + i},{i},{numbers.replace('1', 'x')}\n" for i in range(5))
    )
    with pytest.raises(InputError, match="2,005 columns of text may tell series of one name apart: name those"):
        read(path)
    assert counts(path, labels_from=["c7"]) == ({'a{c7="x"}': 5}, {}, [])


@pytest.mark.parametrize("blocks", [1 << 23, 100, 1000])
def test_labels_of_objects_are_the_same_however_they_are_read(tmp_path, monkeypatch, blocks):
    labels = [
        {"host": "a"},
        {"host": "b", "job": "x"},
        {},
        None,
        {"host": None, "rack": "2024-01-01"},
        {"n": 3},
        {"n": 3.0},
        {"n": True},
        {"n": "3"},
    ]
    names = [
        'm{host="a"}',
        'm{host="b",job="x"}',
        "m",
        "m",
        'm{rack="2024-01-01"}',
        'm{n="3"}',
        'm{n="3.0"}',
        'm{n="true"}',
        'm{n="3"}',
    ]
    rows = [i // 7 % len(labels) for i in range(200)]
    data = "".join(
        line(metric="m", labels=labels[row], timestamp=T0 + i, value=1, junk=[{"x": i}]) for i, row in enumerate(rows)
    )
    monkeypatch.setattr(content, "HEAD", min(blocks, content.HEAD))
    monkeypatch.setattr(content, "BLOCK", blocks)
    found, repairs, _ = counts(write(tmp_path / "in.jsonl", data), labels_from=["labels"])
    assert found == Counter(names[row] for row in rows)
    assert not repairs


def test_a_label_that_turns_into_a_list_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "HEAD", 1 << 10)
    data = "".join(line(metric="a", timestamp=T0 + i, value=1, host="x") for i in range(300))
    data += "".join(line(metric="a", timestamp=T0 + 300 + i, value=1, host=["x"]) for i in range(9))
    monkeypatch.setattr(content, "BLOCK", 1 << 9)
    with pytest.raises(InputError, match=r"column host holds list.*; a label must be a plain value, a struct or a map"):
        read(write(tmp_path / "in.jsonl", data), labels_from=["host"])


WIDE = {
    "decimal commas": (f"time;a;b\n{T0};1,5;2\n", "writes a number as '1,5'"),
    "one name twice": ("time,a,a\n1,2,3\n", "two columns are called a"),
    "no column beside the time": (f"time\n{T0}\n", "no column beside the time"),
    "no time": ("a,b\n1,2\n", "column a holds no times between 2000 and 2100; .*--columns timestamp=NAME"),
    "words for times": ("a,b\nx,2\n", "column a holds 'x'"),
}


@pytest.mark.parametrize("case", WIDE)
def test_wide_tables_that_are_none(tmp_path, case):
    with pytest.raises(InputError, match=WIDE[case][1]):
        read(write(tmp_path / "in.csv", WIDE[case][0]), wide=True)


def test_folders_hold_one_format_or_parquet(tmp_path):
    for name in ("1.csv", "2.csv.gz"):
        write(tmp_path / name, gzip.compress((HEAD + GOOD).encode()))
    write(tmp_path / "notes.txt", "x")
    assert counts(tmp_path) == ({"a": 100}, {"duplicate_timestamp": 50, "reordered": 1}, [])
    write(tmp_path / "3.jsonl", GOOD_LINES)
    with pytest.raises(
        InputError, match=r"files of several formats \(2 of CSV and 1 of JSON lines\): say which by a glob"
    ):
        read(tmp_path)
    pq.write_table(pa.table({"metric": ["p"], "timestamp": [T0], "value": [1.0]}), tmp_path / "4.parquet")
    assert counts(tmp_path) == ({"p": 1}, {}, [])
    assert counts(f"{tmp_path}/*.[cp]*")[0] == {"a": 100, "p": 1}


def test_one_bad_file_of_several_is_left_out_and_named(tmp_path):
    write(tmp_path / "1.csv", HEAD + GOOD)
    write(tmp_path / "2.csv", "a,b\n")
    write(tmp_path / "3.csv", b"")
    found, _, told = counts(tmp_path)
    assert found == {"a": 50}
    assert [sentence.partition(": ")[2][:14] for sentence in told] == ["no column metr", "it is empty; i"]


def test_files_with_and_without_as_of_go_together(tmp_path):
    write(tmp_path / "1.csv", HEAD + GOOD)
    write(tmp_path / "2.csv", "metric,timestamp,value,as_of\n" + f"b,{T0},1,{T0 + 60}\n")
    rows = [row for matrix in open_dataset(tmp_path).chunks() for row in matrix.batch.to_pylist()]
    assert {row["metric"]: row["as_of"] for row in rows} == {"a": None, "b": T0 + 60}


def test_folders_of_labels_count_for_every_format(tmp_path):
    for host in ("a", "b"):
        (tmp_path / f"host={host}").mkdir()
        write(tmp_path / f"host={host}" / "in.csv", HEAD + GOOD)
    with pytest.raises(InputError, match="its folders host=a and host=b tell series of one name apart"):
        read(tmp_path)
    assert counts(tmp_path, labels_from=["host"])[0] == {'a{host="a"}': 50, 'a{host="b"}': 50}


def test_a_damaged_batch_of_an_arrow_file_is_left_out(tmp_path):
    table = pa.table({"metric": ["a"] * 400, "timestamp": range(T0, T0 + 400), "value": np.arange(400.0)})
    path = tmp_path / "in.feather"
    feather.write_feather(table, path, chunksize=100, compression="uncompressed")
    whole = path.read_bytes()
    rng = random.Random(3)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(8):
            data[rng.randrange(8, len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            found, _, _ = read(path, labels_from=[])
        except InputError as refused:
            assert "\n" not in str(refused)  # noqa: PT017 - either is right
        else:
            assert sum(map(len, found.values())) <= 400


def test_no_room_for_the_copy_is_one_sentence(tmp_path, monkeypatch):
    path = write(tmp_path / "in.csv", HEAD + GOOD)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    with pytest.raises(OutputError, match="cannot hold the temporary copy of what is read"):
        open_dataset(path)


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    path = write(tmp_path / "in.csv", HEAD + GOOD)
    (tmp_path / "room").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "room"))
    source = open_dataset(path)
    assert not list((tmp_path / "room").iterdir())
    assert sum(len(matrix) for matrix in source.chunks()) == 1


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
POINTS = st.lists(
    st.tuples(NAMES, st.integers(T0, T0 + 10**6), st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1,
    max_size=40,
)


@pytest.mark.parametrize("form", ["csv", "jsonl", "feather"])
@given(rows=POINTS)
def test_what_was_written_is_read_back(form, rows):
    with tempfile.TemporaryDirectory() as folder:
        written_and_read_back(Path(folder), form, rows)


def written_and_read_back(folder, form, rows):
    table = pa.table(dict(zip(("metric", "timestamp", "value"), map(list, zip(*rows, strict=True)), strict=True)))
    plain, path = folder / "in.parquet", folder / f"in.{form}"
    pq.write_table(table, plain)
    if form == "feather":
        feather.write_feather(table, path)
    elif form == "jsonl":
        write(path, "".join(line(**row) for row in table.to_pylist()))
    else:
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows([table.column_names, *rows])
        write(path, text.getvalue())
    assert read(path) == read(plain)


def test_a_file_that_lies_about_its_name(tmp_path):
    for name in ("in.parquet", "in.gz", "in.jsonl", "in"):
        assert counts(write(tmp_path / name, HEAD + GOOD)) == ({"a": 50}, {}, [])
    (tmp_path / "both").mkdir()
    write(tmp_path / "both" / "1.parquet", HEAD + GOOD)
    pq.write_table(pa.table({"metric": ["p"], "timestamp": [T0], "value": [1.0]}), tmp_path / "both" / "2.parquet")
    assert counts(tmp_path / "both")[0] == {"a": 50, "p": 1}


def table(**columns):
    return pa.table({"metric": ["a", "a"], "timestamp": [T0, T0 + 60], "value": [1.0, 2.0], **columns})


@pytest.mark.parametrize("write_table", [feather.write_feather, pq.write_table])
def test_a_column_may_take_the_place_of_another(tmp_path, write_table):
    path = tmp_path / "in"
    write_table(table(metric=["cpu", "mem"], host=["web1", "web1"]), path)
    with pytest.raises(InputError, match="web1 has points of metric=cpu and of metric=mem, which would merge"):
        read(path, columns={"metric": "host"})
    named = counts(path, columns={"metric": "host"}, labels_from=["metric"])[0]
    assert named == {'web1{metric="cpu"}': 1, 'web1{metric="mem"}': 1}


DAY = 1_704_067_200
TYPES = {
    "dates": table(timestamp=pa.array([DAY // 86400, DAY // 86400 + 1], pa.date32())),
    "dates in ms": table(timestamp=pa.array([DAY * 1000, (DAY + 86400) * 1000], pa.date64())),
    "timestamps of a zone": table(timestamp=pa.array([DAY * 10**9, (DAY + 86400) * 10**9], pa.timestamp("ns", "Europe/Madrid"))),
    "decimals": table(value=pa.array([1, 2], pa.decimal128(5, 1)), timestamp=[DAY, DAY + 86400]),
    "views": table(metric=pa.array(["a", "a"], pa.string_view()), timestamp=pa.array(["2024-01-01", "2024-01-02"], pa.large_string())),
    "a dictionary": table(metric=pa.array(["a", "a"]).dictionary_encode(), timestamp=[float(DAY), DAY + 86400.5]),
    "lists of texts": pa.table({"metric": ["a"], "timestamp": [["2024-01-01", "2024-01-02"]], "value": [[1, 2]]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_columns_of_many_types(tmp_path, kind):
    feather.write_feather(TYPES[kind], tmp_path / "in.feather")
    assert read(tmp_path / "in.feather") == ({"a": [(DAY, 1.0), (DAY + 86400, 2.0)]}, {}, [])


def test_lists_of_two_lengths_are_malformed_as_in_parquet(tmp_path):
    rows = pa.table({"metric": ["a", "b"], "timestamp": [[T0, T0 + 1], [T0]], "value": [[1.0], [2.0]]})
    reasons = []
    for name, write_table in (("in.parquet", pq.write_table), ("in.feather", feather.write_feather)):
        write_table(rows, tmp_path / name)
        (matrix,) = open_dataset(tmp_path / name).chunks()
        reasons.append((matrix.metrics.to_pylist(), matrix.reasons.tolist(), dict(matrix.repairs)))
    assert reasons[0] == reasons[1]


def test_of_a_damaged_row_group_the_rest_is_left_out_and_others_are_read(tmp_path):
    path = tmp_path / "in.parquet"
    pq.write_table(
        pa.table({"time": range(T0, T0 + 300), "a": np.arange(300.0)}), path, row_group_size=100, compression="none"
    )
    chunk = pq.read_metadata(path).row_group(1).column(1)
    data = bytearray(path.read_bytes())
    first = chunk.dictionary_page_offset or chunk.data_page_offset
    data[first : first + 40] = b"\xff" * 40
    found, _, told = counts(write(path, bytes(data)), wide=True)
    assert found == {"a": 200}
    assert "row group 1 cannot be read, the file is damaged" in told[0]


@pytest.mark.parametrize("cell", ["soon", "2024-13-01"])
def test_an_as_of_that_is_no_time_is_refused(tmp_path, cell):
    with pytest.raises(InputError, match=f"column as_of holds '{cell}'"):
        read(write(tmp_path / "in.csv", "metric,timestamp,value,as_of\n" + f"a,{T0},1,{cell}\n"))


PACKED_SERIES = msgpack.packb(
    [{"name": name, "start": T0, "end": T0 + 60, "step": 60, "values": [1.5, None], "more": {"x": [True, -7, -300, 2**40, "y" * 40, "z" * 300]}}
     for name in ("a", "b")]
)  # fmt: skip


def test_msgpack_of_graphite(tmp_path):
    assert counts(write(tmp_path / "in", PACKED_SERIES)) == ({"a": 1, "b": 1}, {}, [])
    found, _, told = counts(write(tmp_path / "in", PACKED_SERIES[:-5]))
    assert found == {"a": 1}
    assert "damaged or cut off at byte" in told[0]
    with pytest.raises(InputError, match=r"not one row can be read.*nested too deeply"):
        read(write(tmp_path / "in", b"\x91\x81\xa1x" + b"\x91" * 99 + b"\x01"))
    with pytest.raises(InputError, match="ends too early"):
        read(write(tmp_path / "in", b"\xdd\xff\xff\xff\xff\x81\xa1x\xdf\xff\xff\xff\xff"))


def test_of_packed_msgpack_all_that_stands_before_the_damage_is_read(tmp_path):
    noise = random.Random(3)
    series = [
        {"name": f"m{at}", "start": T0, "step": 60, "values": [noise.random() for _ in range(200)]} for at in range(20)
    ]
    packed = gzip.compress(msgpack.packb(series))
    found, repairs, told = counts(write(tmp_path / "in.msgpack.gz", packed[: len(packed) // 2]))
    assert found == {f"m{at}": 200 for at in range(len(found))}
    assert 6 < len(found) < 11
    assert (repairs, len(told)) == ({}, 1)
    assert "it is cut off or damaged, nothing can be read beyond" in told[0]


def test_msgpack_that_is_too_large_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("ridgeline.io.tables.msgpack.LARGEST", len(PACKED_SERIES) - 1)
    with pytest.raises(InputError, match="holds more than 0 MiB; render it in parts, or as JSON"):
        read(write(tmp_path / "in", PACKED_SERIES))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ({"columns": {"metric": ""}}, "metric is given no column"),
        ({"metric": ""}, "the name of the series is empty"),
        ({"metric": "x", "columns": {"metric": "y"}}, "give one of the two"),
        ({"wide": True, "metric": "x"}, "it goes with no --metric"),
        ({"wide": True, "columns": {"value": "y"}}, "it goes with no --columns value="),
    ],
)
def test_shapes_that_contradict_themselves(shape, sentence):
    with pytest.raises(InputError, match=sentence):
        Shape.of(**shape)


def test_a_disk_that_fills_up_is_one_sentence(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device; set TMPDIR to a folder with more room"):
        open_dataset(write(tmp_path / "in.csv", HEAD + GOOD))


def test_files_elsewhere_are_read_through_their_file_system(tmp_path, monkeypatch):
    elsewhere = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    for number, packed in enumerate((False, True)):
        data = (HEAD + GOOD.replace("a,", f"m{number},")).encode()
        write(tmp_path / f"{number}.csv", gzip.compress(data) if packed else data)
    write(tmp_path / "2.csv", "nothing\n")
    listing = Listing(elsewhere, ["0.csv", "1.csv", "2.csv", "3.csv"], "", [])
    monkeypatch.setattr(dataset, "list_files", lambda *_: listing)
    found, _, told = counts("s3://bucket")
    assert found == {"m0": 50, "m1": 50}
    assert "2.csv: no column metric" in told[0]
    assert "3.csv: no such file" in told[1]
    assert open_dataset("s3://bucket").local_paths == []

    def broken(*_):
        raise OSError("connection reset")

    monkeypatch.setattr(content.Content, "_parts", broken)
    with pytest.raises(SourceUnavailable, match=r"0.csv: cannot be reached: connection reset"):
        open_dataset("s3://bucket")


def test_numbers_with_commas_are_bad_rows_where_others_have_points(tmp_path):
    path = write(tmp_path / "in.csv", HEAD + GOOD + f'a,{T0 + 9000},1.5\na,{T0 + 9001},"1,000"\n')
    assert counts(path) == ({"a": 51}, {"non_numeric": 1}, [])


def test_more_columns_than_memory_holds_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_table, "MOST", 10)
    path = write(tmp_path / "in.csv", "t" + ",c" * 10 + "\n")
    with pytest.raises(InputError, match="more than 10 columns: give a point a row"):
        read(path, wide=True)


def test_a_file_of_malformed_rows_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "HEAD", 1 << 8)
    monkeypatch.setattr(content, "BLOCK", 1 << 8)
    monkeypatch.setattr(csv_table, "FRUITLESS", 100)
    path = write(tmp_path / "in.csv", HEAD + "1,2\n" * 1000 + GOOD)
    with pytest.raises(InputError, match=r"not one of its 1\d\d rows has 3 cells"):
        read(path)
    assert counts(write(path, HEAD + GOOD + "1,2\n" * 1000)) == ({"a": 50}, {"malformed": 1000}, [])


def test_a_quote_before_many_lines_costs_one_line_and_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "HEAD", 1 << 8)
    monkeypatch.setattr(content, "BLOCK", 1 << 8)
    monkeypatch.setattr(content, "LONGEST", 1 << 13)
    path = write(tmp_path / "in.csv", HEAD + '"x,1,2\n' + GOOD * 20)
    with content.Content(str(path)) as opened:
        sizes = [len(block) for block, _ in opened.blocks(quotes=True)]
    assert sum(sizes) == path.stat().st_size - len('"x,1,2\n')
    assert max(sizes) <= 3 << 8
    found, repairs, _ = counts(path)
    assert found == {"a": 1000}
    assert repairs["malformed"] == 1


def test_a_long_item_of_an_array_is_tried_a_few_times_only(tmp_path, monkeypatch):
    tried = []
    decode = json.JSONDecoder.raw_decode
    monkeypatch.setattr(json.JSONDecoder, "raw_decode", lambda self, *given: tried.append(1) or decode(self, *given))
    monkeypatch.setattr(content, "HEAD", 1 << 8)
    monkeypatch.setattr(content, "BLOCK", 1 << 8)
    series = [{"target": "a", "datapoints": [[1.5, T0 + 60 * i] for i in range(5000)]}]
    assert counts(write(tmp_path / "in.json", json.dumps(series))) == ({"a": 5000}, {}, [])
    assert len(tried) < 20
    monkeypatch.setattr("ridgeline.io.tables.json_array.LONGEST", 1 << 12)
    with pytest.raises(InputError, match="has no end, or is no JSON"):
        read(tmp_path / "in.json")


def test_a_large_copy_leaves_room_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "ROWS", 10)
    monkeypatch.setattr(staging, "SPARE", 1 << 62)
    path = write(tmp_path / "in.csv", HEAD + GOOD)
    assert counts(path)[0] == {"a": 50}  # a small one does not ask
    monkeypatch.setattr(staging.os, "fstatvfs", lambda _: os.statvfs_result((1, 1, 1, 0, 0, 0, 0, 0, 0, 255)))
    monkeypatch.setattr(staging, "SPARE", 100)
    with pytest.raises(OutputError, match=r"the disk less than 0; set TMPDIR to a folder with more room"):
        read(path)
