"""`ridgeline tune` end to end: what it writes goes through `config check`, `backtest` and `run`, and does what was promised."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from pyarrow import csv
from rigs.redis import redis_server
from rigs.runs import load

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.text import escape

END = 1_700_000_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three days of a small fleet of the demo's, a point every five minutes, judged by a consensus that pages too often."""
    folder = tmp_path_factory.mktemp("tune")
    fleet = build_fleet(24, points=864, step=300, end=END, seed=7, incidents=12, scattered=True)
    pq.write_table(fleet.table(), folder / "history.parquet")
    csv.write_csv(fleet.labels(), folder / "labels.csv")
    ridgeline.backtest(folder / "history.parquet", folder / "out", consensus=2, threads=1)
    return folder


@pytest.fixture
def tune(made, tmp_path, capsys):
    shutil.copytree(made / "out", tmp_path / "out")

    def call(*arguments):
        capsys.readouterr()
        code = main(["tune", str(tmp_path / "out"), *map(str, arguments)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_what_is_tuned_does_what_was_promised(made, tune, tmp_path, capsys):
    toml = tmp_path / "tuned.toml"
    code, out, _ = tune("--labels", made / "labels.csv", "--output", toml, "--json", "--threads", 1)
    found = json.loads(out)
    assert code == 0
    assert found == json.loads((tmp_path / "out" / "tune.json").read_text())
    assert found["recommended"]
    assert main(["config", "check", str(toml)]) == 0
    result = ridgeline.backtest(made / "history.parquet", tmp_path / "again", config=toml, threads=1)
    chosen = found["chosen"]
    assert result.manifest["pages"] == chosen["pages"]
    assert result.manifest["messages"] == chosen["messages"]
    scored = ridgeline.evaluate(
        result, str(made / "labels.csv"), metric="events", expiry=chosen["setting"]["expiration"]
    )
    if chosen["setting"]["m_of_n"] == [1, 1]:  # which `evaluate` does not ask for
        assert (scored.precision, scored.recall) == pytest.approx((chosen["precision"], chosen["recall"]))
    again = main(["tune", str(tmp_path / "again"), "--labels", str(made / "labels.csv"), "--json", "--threads", "1"])
    assert again == 0
    today = json.loads(capsys.readouterr().out.splitlines()[-1])["today"]
    assert today["f1"] == pytest.approx(chosen["f1"])
    assert today["pages_per_day"] == pytest.approx(chosen["pages_per_day"])
    with redis_server() as server:
        load(server.client, pq.read_table(made / "history.parquet"))
        here = tmp_path / "here.toml"
        here.write_text(toml.read_text().replace("redis://127.0.0.1:6379/0", server.url))
        capsys.readouterr()
        assert main(["run", "--config", str(here), "--as-of", str(END), "--json"]) == 0
    newest = result.scores().to_pylist()
    anomalous = {row["metric"] for row in newest if row["timestamp"] == END and row["anomalous"]}
    assert {row["metric"] for row in json.loads(capsys.readouterr().out)["anomalies"]} == anomalous


def test_it_reads_well(made, tune):
    code, out, err = tune("--labels", made / "labels.csv", "--folds", 8)
    assert code == 0
    for words in (
        "today ",
        "chosen ",
        "held out ",
        "optimism ",
        "gain ",
        "recommended: ",
        "without grubbs",
        "the best clock, an alarm every",
    ):
        assert words in out
    assert "settings in" in out
    assert not err


def test_without_labels_it_says_what_is_not_known(tune):
    code, out, _ = tune("--max-pages-per-day", 1, "--folds", 8)
    assert code == 0
    assert "Without labels nobody knows what is found or missed" in out
    assert "recall" not in out.split("Without")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give --labels FILE, or at least a budget"),
        (("--max-false-alarms", "1"), "give --labels FILE"),
        (("--max-pages-per-day", "1", "--metric", "nab"), "which alarms are false only labels can tell"),
        (("--labels", "/nowhere.csv"), "do not exist"),
        (("--max-pages-per-day", "nan"), "not a finite number"),
        (("--max-pages-per-day", "0"), "not above 0"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(tune, capsys, arguments, words):
    try:
        code, _, err = tune(*arguments)
    except SystemExit as ended:
        code, err = ended.code, capsys.readouterr().err
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_what_is_read_is_never_written_over(made, tune, tmp_path):
    labels = tmp_path / "labels.csv"
    shutil.copy(made / "labels.csv", labels)
    (tmp_path / "linked.toml").hardlink_to(labels)
    out = tmp_path / "out"
    read = [out / "manifest.json", out / "pages.parquet", *(out / "scores").iterdir()]
    for target in (labels, tmp_path / "linked.toml", *read):
        before = target.read_bytes()
        code, _, err = tune("--labels", labels, "--output", target)
        assert (code, err.count("\n")) == (2, 1), target
        assert "read" in err
        assert target.read_bytes() == before


def test_today_is_written_where_no_gain_is_proven(made, tune, tmp_path):
    one = tmp_path / "one.csv"
    one.write_text("\n".join((made / "labels.csv").read_text().splitlines()[:2]) + "\n")
    code, out, _ = tune("--labels", one, "--output", tmp_path / "t.toml")
    assert code == 0
    assert "nothing can be proven" in out
    assert main(["config", "check", str(tmp_path / "t.toml")]) == 0
    assert "consensus = 2" in (tmp_path / "t.toml").read_text()


def test_names_of_folders_cannot_write_to_the_terminal(made, tmp_path, capsys):
    strange = tmp_path / "out\x1b[31m"
    shutil.copytree(made / "out", strange)
    assert main(["tune", str(strange), "--max-pages-per-day", "5", "--folds", "2"]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.out + printed.err
    assert escape(str(strange)) in printed.out
