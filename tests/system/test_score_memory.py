"""`score --memory`: verdicts by walks of files, from what runs learned and what the files hold beyond; the memory stays."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.walking import BEGIN, DAY, NAMESPACE, Rates, configured, memory_of

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.memory.sections import SECTIONS
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.owner import Owner

OUTAGE = BEGIN + 8 * DAY + 12 * 3600
NOW = OUTAGE + 10 * 60
QUIET, UNKNOWN = "web2.requests", "web7.requests"


@pytest.fixture(scope="module")
def rates():
    return Rates(outage=OUTAGE)


@pytest.fixture(scope="module")
def truth(rates):
    """What a replay of everything makes of the newest step of each metric."""
    steps = ridgeline.replay(rates.table(BEGIN, NOW + 60), rule="pages", start=NOW, end=NOW + 60)
    return {row["metric"]: row for row in steps.to_pylist()}


@pytest.fixture(scope="module")
def config(rates, tmp_path_factory):
    """Of runs that learned eight days of all metrics but one."""
    folder = tmp_path_factory.mktemp("learned")
    config = configured(folder, "redis://localhost:1")
    days = rates.table(BEGIN, BEGIN + 8 * DAY)
    pq.write_table(days.filter(pa.compute.not_equal(days["metric"], UNKNOWN)), folder / "days.parquet")
    assert main(["memory", "learn", "-c", str(config), "--input", str(folder / "days.parquet"), "--json"]) == 0
    return config


def score(tmp_path, config, table, *arguments):
    pq.write_table(table, tmp_path / "fleet.parquet")
    target = tmp_path / "verdicts.parquet"
    path = memory_of(config).path
    before = path.read_bytes()
    asked = ["score", str(tmp_path / "fleet.parquet"), str(target), "-c", str(config), "--memory", str(path)]
    assert main([*asked, "--json", *arguments]) == 0
    assert path.read_bytes() == before
    return {row["metric"]: row for row in pq.read_table(target).to_pylist()}


def agree(row, step):
    assert row["outcome"] == "analysed"
    assert (row["anomalous"], row["channels"]) == (step["anomalous"], step["channels"])
    for name in ("rule_score", "expected_low", "expected_high"):
        assert (row[name] is None) == (step[name] is None)
        assert row[name] is None or np.float32(row[name]) == np.float32(step[name])


@pytest.mark.parametrize("since", [BEGIN + 8 * DAY, BEGIN + 3 * DAY], ids=["what came since", "all over again"])
def test_verdicts_are_those_of_a_walk_through_everything(tmp_path, config, rates, truth, capsys, since):
    found = score(tmp_path, config, rates.table(since, NOW + 60))
    told = json.loads(capsys.readouterr().out)
    learned = [name for name in rates.names if name != UNKNOWN]
    for name in learned:
        agree(found[name], truth[name])
    assert {name for name in learned if found[name]["anomalous"]} == {QUIET}
    assert "outage" in found[QUIET]["channels"]
    assert found[QUIET]["rule_score"] > 1
    assert told["walks"]["unknown"] == 1
    if since == BEGIN + 8 * DAY:
        new = rates.until(NOW) - rates.until(BEGIN + 8 * DAY - 60)
        assert told["walks"]["walked"] == 8 * new
        assert told["learning"] == 1  # twelve hours are too little to learn what is unknown from


def test_what_the_memory_does_not_know_is_learned_from_the_files(tmp_path, config, rates, truth, capsys):
    found = score(tmp_path, config, rates.table(BEGIN, NOW + 60), "--as-of", "last")
    assert json.loads(capsys.readouterr().out)["learning"] == 0
    agree(found[UNKNOWN], truth[UNKNOWN])


def test_an_instant_that_the_memory_has_walked_beyond_is_told_as_learning(tmp_path, config, rates, capsys):
    found = score(tmp_path, config, rates.table(BEGIN + 6 * DAY, NOW), "--as-of", str(BEGIN + 7 * DAY))
    assert json.loads(capsys.readouterr().out)["learning"] == 8
    assert {row["rule_score"] for row in found.values()} == {0.0}


def test_overrides_mix_rules(tmp_path, config, rates, capsys):
    text = config.read_text() + '\n[[override]]\nmatch = "web[01]"\nrule = "consensus"\n'
    mixed = config.with_name("mixed.toml")
    mixed.write_text(text)
    pq.write_table(rates.table(BEGIN + 7 * DAY, NOW + 60), tmp_path / "fleet.parquet")
    arguments = ["score", str(tmp_path / "fleet.parquet"), str(tmp_path / "out.parquet"), "-c", str(mixed), "--scores"]
    assert main([*arguments, "--memory", str(memory_of(config).path)]) == 0
    rows = {row["metric"]: row for row in pq.read_table(tmp_path / "out.parquet").to_pylist()}
    nine = rows["web0.requests"]
    assert (nine["rule_score"], nine["channels"], nine["expected_low"]) == (nine["consensus_score"], [], None)
    assert "outage" in rows[QUIET]["channels"]
    assert rows[QUIET]["rule_score"] != rows[QUIET]["consensus_score"]
    assert main([*arguments[:-1], "--memory", str(memory_of(config).path), "-q"]) == 0
    rows = {row["metric"]: row for row in pq.read_table(tmp_path / "out.parquet").to_pylist()}
    assert rows["web0.requests"]["rule_score"] is None


def test_python_has_the_same(config, rates):
    path = memory_of(config).path
    table = ridgeline.score(rates.table(BEGIN + 8 * DAY, NOW + 60), rule="pages", memory=path)
    found = {row["metric"]: row for row in table.to_pylist()}
    assert [name for name, row in found.items() if row["anomalous"]] == [QUIET]
    with pytest.raises(ridgeline.InputError, match="score cannot judge by the rule"):
        ridgeline.score(rates.table(NOW, NOW + 60), rule="pages")


def test_what_it_cannot_do_it_says_in_a_sentence(tmp_path, config, rates, capsys):
    pq.write_table(rates.table(NOW, NOW + 60), tmp_path / "fleet.parquet")
    start = ["score", str(tmp_path / "fleet.parquet"), str(tmp_path / "out.parquet")]
    pages, learned = ["-c", str(config)], str(memory_of(config).path)
    (tmp_path / "ridgeline.toml").write_text(config.read_text().replace('"pages"', '"ridgeline"'))
    (tmp_path / "text").write_text("no memory\n")
    (tmp_path / "damaged").write_bytes(memory_of(config).path.read_bytes()[:-65536])
    with MemoryFile.open(tmp_path / "nine", Owner("redis"), SECTIONS) as nine:
        nine.add(Keys.of([f"{NAMESPACE}{QUIET}".encode()]))
        nine.commit(np.ones(1, bool), NOW)
    for arguments, said in (
        ([*pages], "use `score --memory` and `run` and `explain`"),
        ([*pages, "--memory", str(tmp_path / "none")], f"there is no memory at {tmp_path}/none"),
        ([*pages, "--memory", str(tmp_path / "text")], "is no memory file of Ridgeline"),
        ([*pages, "--memory", str(tmp_path / "damaged")], "cannot be used: it is truncated"),
        ([*pages, "--memory", str(tmp_path / "nine")], "holds nothing that walks of this version of Ridgeline learned"),
        ([*pages, "--memory", str(tmp_path)], "is a folder: name a file"),
        (["--memory", learned], 'no rule here goes by walks, as `rule = "pages"` does'),
        (
            ["-c", str(tmp_path / "ridgeline.toml"), "--memory", learned],
            'score --memory cannot judge by the rule "ridgeline", which looks 28 days back ("pages"',
        ),
    ):
        assert main([*start, *arguments]) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1
        assert not (tmp_path / "out.parquet").exists()
