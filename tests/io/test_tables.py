"""Files as people have them: broken, mislabelled, packed, enormous. Good rows go on, bad ones are counted by reason."""

import bz2
import csv
import gzip
import io
import json
import os
import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import feather

from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.tables import content, delimited
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
    "texts for times": (HEAD + GOOD + "a,yesterday,1\na,0x10,1\n", {"a": 50}, {"non_numeric": 2}),
    "NaN and infinity": (HEAD + GOOD + f"a,{T0},NaN\na,{T0},-inf\na,{T0},1e999\n", {"a": 50}, {"non_finite": 3}),
    "a metric of texts alone": (HEAD + GOOD + f"b,{T0},?\n", {"a": 50, "b": 0}, {"non_numeric": 1}),
    "times beyond measure": (HEAD + GOOD + "a,99999999999999999999,1\na,5,1\n", {"a": 50}, {"bad_timestamp": 2}),
    "Latin-1": ((HEAD + GOOD).replace("a,", "\xe4,").encode("latin-1"), {"\\xe4": 50}, {}),
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


LONG = (HEAD + "".join(f"m{random.Random(i).random()},{T0},{i}\n" for i in range(60_000))).encode()
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
    "bzip2": bz2.compress(LONG)[:-20_000],
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


def test_very_wide_tables_are_read_row_by_row(tmp_path, monkeypatch):
    data = "time,a,b,,c\n" + "".join(f"{T0 + 60 * i},{i},{i if i % 2 else ''},9,\n" for i in range(6)) + "1,2\n"
    path = write(tmp_path / "in.csv", data)
    expected = read(path, wide=True)
    assert {name: len(points) for name, points in expected[0].items()} == {"a": 6, "b": 3, "c": 0}
    assert expected[1:] == ({"malformed": 1, "null": 1}, [])
    monkeypatch.setattr(delimited, "WIDEST", 2)
    assert read(path, wide=True) == expected


WIDE = {
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
def test_what_was_written_is_read_back(tmp_path_factory, form, rows):
    folder = tmp_path_factory.mktemp("round")
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
