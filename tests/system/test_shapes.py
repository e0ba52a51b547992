"""Data in every shape gives the same verdicts as plain Parquet, whichever command reads it, by the same rules."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server
from rigs.shapes import ALONE, NAMES, POINTS, SHAPES, T0, csv, flags, fleet, ipc, lines, parquet, text

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


def loaded(server, path, *options):
    server.client.flushall()
    assert main(["load", str(path), "--redis", server.url, "--quiet", *options]) == 0
    return {key: server.client.get(key) for key in server.client.keys("metrics.*") if b"unique" not in key}


def explained(names, path, capsys, *options):
    cards = []
    for name in names:
        assert main(["explain", name, "--input", str(path), "--json", *options]) == 0
        cards.append(json.loads(capsys.readouterr().out))
    return cards


def evaluated(path, truth, capsys, *options):
    start = ["evaluate", str(path), "--labels", str(truth), "--metric", "events", "--threshold", "250", "--json"]
    assert main([*start, *options]) == 0
    return json.loads(capsys.readouterr().out)


def verdicts_of(path, folder, capsys, *options):
    assert main(["score", str(path), str(folder / "v.parquet"), "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["repairs"] == {}
    return by_name(pq.read_table(folder / "v.parquet"))


def replayed(path, folder, *options):
    assert main(["backtest", str(path), "--output", str(folder / "out"), "--quiet", *options]) == 0
    return scores_of(folder / "out")


# What reads a file: given the file, options of `ridgeline.score`, a folder, a server and what is printed.
COMMANDS = {
    "score": lambda path, options, folder, _, capsys: verdicts_of(path, folder, capsys, *flags(options)),
    "in Python": lambda path, options, *_: by_name(ridgeline.score(path, **options)),
    "backtest": lambda path, options, folder, *_: replayed(path, folder, *flags(options)),
    "load": lambda path, options, _, server, __: loaded(server, path, *flags(options)),
    "explain --input": lambda path, options, _, __, capsys: explained(
        by_name(ridgeline.score(path, **options))["metric"].to_pylist(), path, capsys, *flags(options)
    ),
    "evaluate": lambda path, options, folder, _, capsys: evaluated(
        path, folder / "truth.csv", capsys, *flags(options, "score", "--series")
    ),
}


def every_command(path, options, folder, server, capsys, commands=tuple(COMMANDS)):
    """What commands make of a file: all of it by name, in the names' order."""
    return {command: COMMANDS[command](path, options, folder, server, capsys) for command in commands}


def truth(folder):
    """Windows of two metrics, one of which has an odd name."""
    windows = pa.table({"metric": NAMES[1:3], "start": [T0, T0 + 60 * (POINTS - 4)], "end": [T0 + 60 * POINTS] * 2})
    csv(windows, folder / "truth.csv")


@pytest.fixture(scope="module")
def expected(tmp_path_factory, server):
    """What each command makes of plain Parquet: of the whole fleet, and of one series."""

    def of(table, capsys):
        key = table.num_rows
        if key not in made:
            folder = tmp_path_factory.mktemp("expected")
            truth(folder)
            made[key] = every_command(parquet(table, folder / "in.parquet"), {}, folder, server, capsys)
            assert sum(card["anomalous"] for card in made[key]["explain --input"]) == 1
            assert (made[key]["evaluate"]["true_alarms"], made[key]["evaluate"]["found"]) == (1, 1)
        return made[key]

    made = {}
    return of


def some_commands(shape):
    """Two of the six for each shape, each of them for every third: they read by one reader."""
    at = list(SHAPES).index(shape)
    return list(COMMANDS)[at % 3 :: 3]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_verdicts_of_plain_parquet(tmp_path, shape, expected, server, capsys):
    by_commands(some_commands(shape), tmp_path, shape, expected, server, capsys)


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_every_command_the_verdicts_of_plain_parquet(tmp_path, shape, expected, server, capsys):
    by_commands(COMMANDS, tmp_path, shape, expected, server, capsys)


def by_commands(commands, folder, shape, expected, server, capsys):
    truth(folder)
    path = SHAPES[shape].write(fleet(), folder)
    found = every_command(path, SHAPES[shape].options, folder, server, capsys, commands)
    wanted = expected(fleet(), capsys)
    assert wanted.keys() == COMMANDS.keys()
    for command in commands:
        assert found[command] == wanted[command], command


@pytest.mark.parametrize("shape", ALONE)
def test_one_series_is_called_as_asked(tmp_path, shape, expected, server, capsys):
    truth(tmp_path)
    alone = fleet().slice(2 * POINTS, POINTS)
    found = every_command(
        ALONE[shape].write(alone.drop_columns("metric"), tmp_path), ALONE[shape].options, tmp_path, server, capsys
    )
    for command, result in expected(alone, capsys).items():
        assert found[command] == result, command
    assert ridgeline.score(alone.drop_columns("metric"), metric=NAMES[2]).equals(found["in Python"])


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
        (json.dumps({"metric": "a", "timestamp": [T0], "score": [1, 2]}), "1 of its rows are malformed"),
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


def scored(tmp_path, name, write, **columns):
    """Scores of which the last point of m detects; and a window there."""
    table = pa.table({"metric": ["m"] * 9, "timestamp": T0 + 60 * np.arange(9), "score": [0.0] * 8 + [1.0], **columns})
    return write(table, tmp_path / name), {"m": [[T0 + 60 * 8, T0 + 60 * 8]]}


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
def test_detectors_may_say_true_and_false(tmp_path, write):
    path, labels = scored(tmp_path, "s.any", write, score=[False] * 8 + [True])
    assert ridgeline.evaluate(path, labels, metric="events").true_alarms == 1
    with pytest.raises(InputError, match="column score holds"):
        ridgeline.score(path, columns={"value": "score"})  # values are numbers


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
def test_absent_scores_are_none_and_whole_numbers_are_names(tmp_path, write):
    path, labels = scored(tmp_path, "s.any", write, metric=[12] * 9, score=[None] * 8 + [1.0])
    found = ridgeline.evaluate(path, {"12": labels["m"]}, metric="events")
    assert (found.alarms, found.found) == (1, 1)
    assert ridgeline.score(path, columns={"value": "score"})["metric"].to_pylist() == ["12"]


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
def test_evaluate_refuses_to_merge_series_too(tmp_path, write):
    path, labels = scored(tmp_path, "s.any", write, host=["a"] * 8 + ["b"])
    with pytest.raises(InputError, match="m has points of host=a and of host=b, which would merge"):
        ridgeline.evaluate(path, labels)
    windows = pa.table({"metric": ["m"], "host": ["b"], "start": [T0 + 60 * 8], "end": [T0 + 60 * 8]})
    for labelled in (
        {'m{host="b"}': labels["m"]},
        windows,
        csv(windows, tmp_path / "l.csv"),
        lines(windows, tmp_path / "l.json"),
    ):
        found = ridgeline.evaluate(path, labelled, metric="events", labels_from=["host"])
        assert (found.alarms, found.found) == (1, 1)


def test_scores_may_be_a_folder_a_glob_or_a_table_of_any_shape(tmp_path):
    (tmp_path / "days").mkdir()
    path, labels = scored(tmp_path, "days/1.csv", csv)
    csv(pq.read_table(scored(tmp_path, "2.parquet", parquet)[0]).slice(0, 3), tmp_path / "days" / "2.csv")
    wide = pa.table({"t": T0 + 60 * np.arange(9), "m": [0.0] * 8 + [1.0]})
    expected = ridgeline.evaluate(path, labels, metric="events")
    assert expected.true_alarms == 1
    for source, options in (
        (tmp_path / "days", {}),
        (f"{tmp_path}/days/*.csv", {}),
        (f"file://{tmp_path}/days", {}),
        (wide, {"wide": True}),
        (wide, {"columns": {"timestamp": "t", "score": "m"}, "series": "m"}),
    ):
        assert ridgeline.evaluate(source, labels, metric="events", **options) == expected


@pytest.mark.parametrize("name", ["l.json", "l.txt", "l.json.gz"])
@pytest.mark.parametrize("indent", [None, 1])
def test_labels_of_nab_are_known_by_what_they_are(tmp_path, name, indent):
    path, labels = scored(tmp_path, "s.csv", csv)
    written = json.dumps(labels | {"other": []}, indent=indent).encode()
    file = text(tmp_path / name, gzip.compress(written) if name.endswith("gz") else written)
    assert ridgeline.evaluate(path, file, metric="events").found == 1


@pytest.mark.parametrize("write", [csv, ipc, lines, parquet])
def test_sentences_name_columns_as_the_file_does(tmp_path, write):
    path, _ = scored(tmp_path, "s.any", write)
    with pytest.raises(
        InputError, match=r"no column host \(found: metric, timestamp, score\); needed are host, timestamp"
    ):
        ridgeline.score(path, columns={"metric": "host", "value": "score"})
    table = pa.table({"id": ["m"], "ds": [T0], "y": ["high"]})
    with pytest.raises(InputError, match="column y holds"):
        ridgeline.score(write(table, path), columns={"metric": "id", "timestamp": "ds", "value": "y"})
