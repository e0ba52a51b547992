"""Data in every shape gives the same verdicts as plain Parquet, whichever command reads it, by the same rules."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server
from rigs.shapes import NAMES, POINTS, SHAPES, T0, csv, flags, fleet, ipc, lines, parquet, text

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.cli.shapes import parse_columns
from ridgeline.io.errors import InputError


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return parquet(fleet(), tmp_path_factory.mktemp("plain") / "in.parquet")


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


def by_name(table):
    return table.take(pa.array(np.argsort(np.array(table["metric"].to_pylist()), kind="stable")))


def scores_of(folder):
    parts = [pq.read_table(path) for path in sorted((folder / "scores").glob("*.parquet"))]
    return by_name(pa.concat_tables(parts).combine_chunks())


@pytest.fixture(scope="module")
def expected(plain, tmp_path_factory, server):
    """What each command makes of plain Parquet."""
    folder = tmp_path_factory.mktemp("expected")
    assert main(["backtest", str(plain), "--output", str(folder / "out"), "--quiet"]) == 0
    return {
        "score": by_name(ridgeline.score(plain)),
        "backtest": scores_of(folder / "out"),
        "load": loaded(server, plain),
    }


def loaded(server, path, *options):
    server.client.flushall()
    assert main(["load", str(path), "--redis", server.url, "--quiet", *options]) == 0
    return {key: server.client.get(key) for key in server.client.keys("metrics.*") if b"unique" not in key}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_verdicts_of_plain_parquet(tmp_path, shape, expected, server, capsys):
    path, options = SHAPES[shape].write(fleet(), tmp_path), SHAPES[shape].options
    assert by_name(ridgeline.score(path, **options)).equals(expected["score"])
    assert main(["score", str(path), str(tmp_path / "v.parquet"), "--json", *flags(options)]) == 0
    assert json.loads(capsys.readouterr().out)["repairs"] == {}
    assert by_name(pq.read_table(tmp_path / "v.parquet")).equals(expected["score"])
    assert main(["backtest", str(path), "--output", str(tmp_path / "out"), "--quiet", *flags(options)]) == 0
    assert scores_of(tmp_path / "out").equals(expected["backtest"])
    assert loaded(server, path, *flags(options)) == expected["load"]


@pytest.mark.parametrize("shape", ["CSV", "CSV, wide", "Parquet, other names", "JSON lines", "Feather"])
def test_explain_reads_every_shape(tmp_path, shape, plain, capsys):
    path, options = SHAPES[shape].write(fleet(), tmp_path), SHAPES[shape].options
    cards = []
    for source, more in ((plain, []), (path, flags(options))):
        assert main(["explain", "web.requests", "--input", str(source), "--json", *more]) == 0
        cards.append(json.loads(capsys.readouterr().out))
    assert cards[0] == cards[1]
    assert cards[0]["anomalous"]


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
@pytest.mark.parametrize("form", ["long", "other names", "wide", "one series"])
def test_evaluate_reads_every_shape(tmp_path, write, form, capsys):
    scores = fleet().rename_columns(["metric", "timestamp", "score"])
    options = []
    if form == "other names":
        scores, options = scores.rename_columns(["id", "ds", "p"]), ["--columns", "metric=id,timestamp=ds,score=p"]
    if form == "wide":
        columns = {name: scores["score"][i * POINTS : (i + 1) * POINTS] for i, name in enumerate(NAMES)}
        scores, options = pa.table({"t": scores["timestamp"][:POINTS], **columns}), ["--wide"]
    if form == "one series":
        scores, options = scores.slice(2 * POINTS, POINTS).drop_columns("metric"), ["--series", "web.requests"]
    path = write(scores, tmp_path / "scores.any")
    labels = text(
        tmp_path / "labels.csv", f"metric,start,end\nweb.requests,{T0 + 60 * (POINTS - 4)},{T0 + 60 * POINTS}\n"
    )
    arguments = ["evaluate", str(path), "--labels", str(labels), "--metric", "events", "--threshold", "250", "--json"]
    assert main([*arguments, *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["alarms"], found["true_alarms"], found["found"]) == (1, 1, 1)


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
def test_labels_of_evaluate_come_in_every_format(tmp_path, write, capsys):
    scores = parquet(fleet().rename_columns(["metric", "timestamp", "score"]), tmp_path / "scores.parquet")
    labels = pa.table({"metric": ["web.requests"], "start": [T0 + 60 * (POINTS - 4)], "end": [T0 + 60 * POINTS]})
    path = write(labels, tmp_path / "labels.any")
    assert (
        main(["evaluate", str(scores), "--labels", str(path), "--metric", "events", "--threshold", "250", "--json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["found"] == 1


LABELLED = {
    "columns": pa.array,
    "structs": lambda hosts: pa.array([{"host": host} for host in hosts]),
    "maps": lambda hosts: pa.array([[("host", host)] for host in hosts], pa.map_(pa.string(), pa.string())),
}


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
@pytest.mark.parametrize("kind", LABELLED)
def test_labels_make_one_name_or_are_refused(tmp_path, write, kind):
    hosts = np.repeat(["a", 'b"', "c", None], POINTS).tolist()
    column = "host" if kind == "columns" else "labels"
    table = fleet().set_column(0, "metric", pa.array(["cpu"] * len(hosts))).append_column(column, LABELLED[kind](hosts))
    if write is csv and kind != "columns":
        return  # CSV has none
    if write is lines and kind == "maps":
        table = table.drop_columns(column).append_column(column, LABELLED["structs"](hosts))
    path = write(table, tmp_path / "in.any")
    with pytest.raises(InputError, match=f"would merge|tell series of one name apart.*--labels-from {column}"):
        ridgeline.score(path)
    names = ['cpu{host="a"}', r'cpu{host="b\""}', 'cpu{host="c"}', "cpu"]
    assert ridgeline.score(path, labels_from=[column])["metric"].to_pylist() == names
    assert ridgeline.score(path, labels_from=[])["metric"].to_pylist() == ["cpu"]
    assert ridgeline.score(table, labels_from=[column])["metric"].to_pylist() == names


def test_one_series_is_called_as_asked(tmp_path):
    table = fleet().slice(2 * POINTS, POINTS)
    for path in (
        csv(table.drop_columns("metric"), tmp_path / "a.csv"),
        parquet(table.drop_columns("metric"), tmp_path / "a.parquet"),
    ):
        assert ridgeline.score(path, metric="web.requests").equals(ridgeline.score(table))
    assert ridgeline.score(table.drop_columns("metric"), metric="web.requests").equals(ridgeline.score(table))


def test_tables_in_memory_take_the_same_shapes(plain):
    from rigs.shapes import iso, wide

    expected = ridgeline.score(plain)
    assert ridgeline.score(wide(fleet()), wide=True).equals(expected)
    assert ridgeline.score(iso(fleet())).equals(expected)
    renamed = fleet().rename_columns(["unique_id", "ds", "y"])
    assert ridgeline.score(renamed, columns={"metric": "unique_id", "timestamp": "ds", "value": "y"}).equals(expected)


def test_run_reads_csv_as_its_source(tmp_path, capsys):
    path = csv(fleet(), tmp_path / "in.csv")
    config = text(
        tmp_path / "ridgeline.toml",
        f'[source]\nkind = "parquet"\npath = "{path}"\n[output]\ndirectory = "{tmp_path}/out"\n',
    )
    at = str(T0 + 60 * (POINTS - 1))
    assert main(["run", "--config", str(config), "--as-of", at, "--dry-run", "--json"]) == 0
    assert [one["metric"] for one in json.loads(capsys.readouterr().out)["anomalies"]] == ["web.requests"]


REFUSED = {
    "a role that is none": (["--columns", "foo=bar"], "foo is none of metric, timestamp, value, as_of"),
    "one column for two": (["--columns", "timestamp=value"], "one column cannot be two things"),
    "a column that is not there": (["--columns", "metric=host"], "no column host (found: metric, timestamp, value)"),
    "a name for many": (["--metric", "x"], "it has a column metric: leave out --metric"),
    "wide with labels": (["--wide", "--labels-from", "host"], "it goes with no --labels-from"),
    "wide, of text": (["--wide", "--columns", "timestamp=timestamp"], "column metric holds string; in a wide table every column"),
    "a label that is not there": (["--labels-from", "rack"], "no column or folder is called rack"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("command", ["score", "backtest", "load", "explain"])
def test_what_cannot_be_read_so_is_refused_alike(tmp_path, case, command, plain, capsys):
    options, sentence = REFUSED[case]
    start = {
        "score": ["score", str(plain), str(tmp_path / "v.parquet")],
        "backtest": ["backtest", str(plain), "--output", str(tmp_path / "out")],
        "load": ["load", str(plain), "--redis", "redis://127.0.0.1:1"],
        "explain": ["explain", "web.requests", "--input", str(plain)],
    }[command]
    assert main([*start, *options]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text_of_columns", "columns"),
    [
        ("metric=a,timestamp=b", {"metric": "a", "timestamp": "b"}),
        ("value=a,b=c,timestamp=d", {"value": "a,b=c", "timestamp": "d"}),
    ],
)
def test_columns_as_they_are_written(text_of_columns, columns):
    assert parse_columns(text_of_columns) == columns


@pytest.mark.parametrize("wrong", ["metric", "metric=a,metric=b", ""])
def test_columns_that_are_written_wrong(wrong):
    with pytest.raises(InputError, match="write metric=NAME,timestamp=NAME, each once"):
        parse_columns(wrong)


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        (f"metric,timestamp,score\na,{T0},1\na,{T0 + 1},x\n", "1 of its rows are malformed, or hold what is no number"),
        (f"metric,timestamp,score\na,{T0},1\na\n", "1 of its rows are malformed"),
        (json.dumps({"metric": "a", "timestamp": [T0], "score": [1]}), "it has lists of points; give one point a row"),
        (f"metric,timestamp,value\na,{T0},1\n", "no column score"),
    ],
)
def test_evaluate_leaves_nothing_out(tmp_path, scores, sentence):
    labels = {"a": [[T0, T0 + 60]]}
    with pytest.raises(InputError, match=sentence):
        ridgeline.evaluate(text(tmp_path / "scores.csv", scores), labels)


def test_labels_with_malformed_rows_are_refused(tmp_path):
    scores = parquet(fleet().rename_columns(["metric", "timestamp", "score"]), tmp_path / "scores.parquet")
    labels = text(tmp_path / "labels.csv", f"metric,timestamp\na,{T0}\na\n")
    with pytest.raises(InputError, match=r"labels .* cannot be read: 1 of its rows are malformed"):
        ridgeline.evaluate(scores, labels)


def test_a_backtest_of_csv_resumes_and_knows_when_its_data_changed(tmp_path, capsys):
    path = csv(fleet(), tmp_path / "in.csv")
    command = ["backtest", str(path), "--quiet", "--output"]
    assert main([*command, str(tmp_path / "one")]) == 0
    assert main([*command, str(tmp_path / "one"), "--resume"]) == 0
    text(path, path.read_bytes().replace(b"web.requests", b"web.responses"))
    assert main([*command, str(tmp_path / "one"), "--resume"]) == 2
    assert "changed" in capsys.readouterr().err
