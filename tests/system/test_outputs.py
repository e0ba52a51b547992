"""Every command that writes a file: devices, pipes, links and its own input stay untouched, exit 2."""

import json
import os

import pyarrow.parquet as pq
import pytest

from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.parquet.write import write_parquet


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "data" / "fleet.parquet"
    path.parent.mkdir()
    write_parquet(build_fleet(20, points=200, end=1_700_000_000, incidents=2).table(), path)
    return path


def commands(fleet, target):
    return {
        "score": ["score", str(fleet), str(target)],
        "bench": ["bench", "kernels", "--metrics", "10", "--runs", "1", "--no-yardsticks", "--json", str(target)],
        "config init": ["config", "init", str(target)],
    }


@pytest.mark.parametrize("command", ["score", "bench", "config init"])
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_no_command_replaces_a_pipe_or_a_link(tmp_path, capsys, fleet, command, kind):
    target = tmp_path / "target"
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    if kind == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to(victim)
    before = target.lstat().st_ino
    assert main(commands(fleet, target)[command]) == 2
    assert str(target) in capsys.readouterr().err
    assert target.lstat().st_ino == before
    assert victim.read_bytes() == b"precious"


def test_score_never_writes_over_what_it_reads(tmp_path, capsys, fleet):
    before = fleet.read_bytes()
    (tmp_path / "hard.parquet").hardlink_to(fleet)
    other = tmp_path / "data" / "other.parquet"
    assert main(["score", str(fleet.parent), str(other)]) == 2
    assert "lies within" in capsys.readouterr().err
    assert not other.exists()
    for source, target in [
        (fleet, fleet),
        (f"{tmp_path}/data/*.parquet", fleet),
        (tmp_path / "data", fleet),
        (fleet, tmp_path / "hard.parquet"),
        (tmp_path / "hard.parquet", fleet),
    ]:
        assert main(["score", str(source), str(target)]) == 2
        assert "is also read" in capsys.readouterr().err
    assert fleet.read_bytes() == before
    assert main(["score", str(fleet), str(other)]) == 0, "a new name beside the data is no input yet"
    assert pq.read_metadata(other).num_rows == 20


def test_score_to_standard_output_is_refused(tmp_path, capsys, fleet, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["score", str(fleet), "-"]) == 2
    assert "name a file" in capsys.readouterr().err
    assert not (tmp_path / "-").exists()


def test_backtest_keeps_its_results_apart_from_the_data(tmp_path, capsys, fleet):
    for output in (tmp_path / "data", tmp_path / "data" / "out", tmp_path):
        assert main(["backtest", str(fleet.parent), "--output", str(output)]) == 2
        assert "results" in capsys.readouterr().err
    assert sorted(path.name for path in fleet.parent.iterdir()) == ["fleet.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize("command", ["backtest", "demo", "bench"])
@pytest.mark.parametrize("kind", ["pipe", "file"])
def test_what_is_no_folder_takes_no_folder_of_results(tmp_path, capsys, fleet, command, kind):
    target = tmp_path / "target"
    os.mkfifo(target) if kind == "pipe" else target.write_text("mine")
    arguments = {
        "backtest": ["backtest", str(fleet), "--output", str(target)],
        "demo": ["demo", "--save", str(target)],
        "bench": ["bench", "--plot", str(target)],
    }[command]
    before = target.lstat().st_ino
    assert main(arguments) == 2
    assert f"{target} is in the way" in capsys.readouterr().err
    assert target.lstat().st_ino == before


@pytest.mark.parametrize("existing", [False, True])
def test_a_run_keeps_its_anomalies_apart_from_the_data(tmp_path, capsys, fleet, existing):
    data = fleet.parent
    if existing:
        fleet.rename(data / "anomalies.parquet")
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    config = tmp_path / "ridgeline.toml"
    rows = f'[source]\nkind = "parquet"\npath = "{data}"\n[output]\ndirectory = "{data}"\n'
    config.write_text(rows)
    command = ["run", "--config", str(config), "--as-of", "1700000000"]
    assert main(command) == 2
    assert "name" in capsys.readouterr().err
    data_files = {path.name: path.read_bytes() for path in data.iterdir() if path.suffix != ".lock"}
    assert data_files == before
    assert main([*command, "--dry-run"]) == 0
    config.write_text(rows.replace(f'path = "{data}"', f'path = "{data / next(iter(before))}"'))
    assert main(command) == (2 if existing else 0), "beside a single file there is room"


def test_demo_save_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "labels.csv").write_text("mine")
    assert main(["demo", "--save", str(tmp_path), "--metrics", "20", "--incidents", "2"]) == 2
    assert "labels.csv exists already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv"]
    assert (tmp_path / "labels.csv").read_text() == "mine"


def test_a_pipe_among_the_outputs_of_a_run_keeps_no_alert_back(tmp_path, capsys, fleet):
    out = tmp_path / "out"
    out.mkdir()
    os.mkfifo(out / "anomalies.json")
    config = tmp_path / "ridgeline.toml"
    config.write_text(
        f'[source]\nkind = "parquet"\npath = "{fleet}"\n[[alert]]\nmatch = "."\nstrategy = "console"\n'
        f'[alerters.console]\nstream = "stderr"\n[output]\ndirectory = "{out}"\n'
    )
    code = main(["run", "--config", str(config), "--as-of", "1700000000", "--json"])
    printed = capsys.readouterr()
    assert code == 74
    assert "is a pipe" in printed.err
    assert json.loads(printed.out)["alerts"]["sent"] == 2
