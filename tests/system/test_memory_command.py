"""`ridgeline memory`: what it says of the file and of one metric, and that it drops this configuration's memory alone."""

import json
import os
import time

import numpy as np
import pytest

from ridgeline.alerters import utc
from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.engine.memory.sections import HOT, SECTIONS
from ridgeline.engine.run.place import place_of
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.kernels.memory import layout
from ridgeline.kernels.score.layout import ANALYSED, STALE

LAST = 1_700_000_000
GONE = int(time.time()) - 60


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "ridgeline.toml"
    path.write_text(
        f'[source]\nurl = "unix://{tmp_path}/redis.sock"\n[analysis]\nmemory = "{tmp_path}/m"\n[output]\ndirectory = "{tmp_path}"\n'
    )
    return path


def hot_row(state=layout.VALUES):
    row = np.zeros(HOT.row_bytes, np.uint8)
    words, numbers = row.view(np.int64), row.view(np.float64)
    words[layout.CHECK] = 5
    words[[layout.LAST, layout.COUNT, layout.STEP, layout.NEGATIVES]] = LAST, 5, 60, 1
    words[[layout.QUEUE_AT, layout.QUEUE_LENGTH]] = 3, 60
    numbers[layout.VALUE], numbers[layout.ORIGIN] = 12.5, 10.0
    history = np.array([9.0, 11.0, -2.0, 14.0])
    numbers[layout.SUM], numbers[layout.SQUARES] = (history - 10).sum(), ((history - 10) ** 2).sum()
    row[layout.MARKS_BYTE + layout.STATE] = state
    row[layout.MARKS_BYTE + layout.OUTCOME] = ANALYSED
    row[layout.MARKS_BYTE + layout.PREVIOUS] = STALE
    return row


def remember(config, *, now=None, write=()):
    place = place_of(load_config(config))
    with MemoryFile.open(place.path, place.owner, SECTIONS) as memory:
        if memory.anew:
            memory.add(Keys.of([b"metrics.cpu", b"metrics.disk", b"metrics.new", b"metrics.caf\xe9"]))
        memory.rows("hot")[0] = hot_row()
        memory.rows("hot")[1] = hot_row(layout.ODD)
        memory.rows("hot")[3] = hot_row(layout.WATCHED_DERIVED)
        memory.gone[1] = GONE
        memory.commit(np.ones(4, np.bool_), int(time.time()) if now is None else now)
    return place


def told(capsys, config, *words, expected=0):
    capsys.readouterr()
    assert main(["memory", *words, "-c", str(config)]) == expected
    answer = capsys.readouterr()
    return answer.out if expected == 0 else answer.err


def test_there_is_none_yet(config, capsys):
    place = place_of(load_config(config))
    assert told(capsys, config, "show") == f"there is no memory yet: the next run makes {place.path}\n"
    assert json.loads(told(capsys, config, "show", "--json")) == {"path": str(place.path)}
    assert told(capsys, config, "drop") == f"there is no memory at {place.path}\n"
    assert json.loads(told(capsys, config, "drop", "--json")) == {"path": str(place.path), "dropped": False}
    assert set(config.parent.iterdir()) == {config}


def test_the_file_is_described(config, capsys):
    place = remember(config)
    out = told(capsys, config, "show")
    assert (
        f"  of source redis {config.parent}/redis.sock, database 0, namespace metrics., configuration {config}\n" in out
    )
    assert "  4 metrics, 1 of them listed no more; room for 64 more\n" in out
    assert "  hot: 3 metrics known\n" in out
    assert "1 run has written it, the last " in out
    found = json.loads(told(capsys, config, "show", "--json"))
    assert (found["metrics"], found["gone"], found["spare"], found["runs"]) == (4, 1, 64, 1)
    assert found["known"] == {"hot": 3, "queue": None}
    assert found["owner"] == place.owner.as_json()
    assert found["bytes"] == place.path.stat().st_size
    assert found["disk_bytes"] < found["bytes"]


def test_a_metric_is_described(config, capsys):
    remember(config)
    assert told(capsys, config, "show", "cpu").splitlines() == [
        "cpu",
        "  newest point 12.5 at 2023-11-14 22:13:20 UTC; 5 points in the window, mostly one each 1 min",
        "  mean 8, standard deviation 6.04152 without the newest, 1 below 0",
        "  analysed when last judged, stale the run before",
        "  read in full after 57 more points have left the window, or before",
    ]
    odd = told(capsys, config, "show", "disk")
    assert "read in full in each run" in odd
    assert f"listed no more since {utc(GONE)}" in odd
    counter = told(capsys, config, "show", r"caf\xe9")
    assert counter.startswith(r"caf\xe9")
    assert "a counter: judged by how much it rises" in counter
    assert "a counter" not in odd
    found = json.loads(told(capsys, config, "show", "cpu", "--json"))
    assert (found["timestamp"], found["value"], found["count"], found["mean"]) == (LAST, 12.5, 5, 8.0)
    assert (found["outcome"], found["previous"], found["gone"], found["odd"]) == ("analysed", "stale", None, False)


@pytest.mark.parametrize("name", ["new", "nobody", "metrics.cpu", ""])
def test_nothing_is_known_of_it(config, capsys, name):
    remember(config)
    assert "the memory knows nothing of" in told(capsys, config, "show", name, expected=2)


def test_what_is_shown_is_not_changed(config, capsys):
    place = remember(config)
    place.path.chmod(0o640)
    before = place.path.stat()
    told(capsys, config, "show")
    told(capsys, config, "show", "cpu")
    after = place.path.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ino) == (before.st_mode, before.st_mtime_ns, before.st_ino)


def test_only_ours_is_dropped(config, capsys):
    place = remember(config)
    other = config.with_name("other.toml")
    other.write_bytes(config.read_bytes())
    assert "is the memory of another" in told(capsys, other, "drop", expected=2)
    assert "which is not this configuration" in told(capsys, other, "show")
    assert "is the memory of another" in told(capsys, other, "show", "cpu", expected=2)
    with MemoryFile.open(place.path, place.owner, SECTIONS):
        assert "another process has locked it" in told(capsys, config, "drop", expected=2)
    assert place.path.exists()
    assert told(capsys, config, "drop").startswith(f"dropped {place.path}: ")
    assert not place.path.exists()


def test_what_is_damaged_is_dropped_and_what_is_no_memory_is_not(config, capsys):
    place = remember(config)
    os.truncate(place.path, 100_000)
    assert "it is truncated" in told(capsys, config, "show", expected=2)
    told(capsys, config, "drop")
    place.path.write_bytes(b"precious")
    for words in (["drop"], ["show"], ["show", "cpu"]):
        assert "no memory file of Ridgeline" in told(capsys, config, *words, expected=2)
    assert place.path.read_bytes() == b"precious"


def test_a_configuration_without_memory(config, capsys):
    config.write_text(config.read_text().replace("memory = ", "memory = false # "))
    for words in (["drop"], ["show"], ["show", "cpu"]):
        assert "keeps no memory" in told(capsys, config, *words, expected=2)


def checked(capsys, config):
    capsys.readouterr()
    main(["doctor", "-c", str(config), "--json"])
    return [check for check in json.loads(capsys.readouterr().out)["checks"] if check["name"] == "memory"]


def test_doctor_looks_at_it(config, capsys):
    place = place_of(load_config(config))
    (check,) = checked(capsys, config)
    assert (check["status"], check["detail"]) == ("green", f"{place.path}: none yet, the next run makes it")
    assert not place.path.exists()
    assert not place.path.with_name("m.lock").exists()
    remember(config)
    (check,) = checked(capsys, config)
    assert check["status"] == "green"
    assert "4 metrics" in check["detail"]
    remember(config, now=int(time.time()) - 7200)
    (check,) = checked(capsys, config)
    assert (check["status"], "written 2 h" in check["detail"]) == ("yellow", True)
    other = config.with_name("other.toml")
    other.write_bytes(config.read_bytes())
    (check,) = checked(capsys, other)
    assert (check["status"], "memory of another" in check["detail"]) == ("yellow", True)
    place.path.unlink()
    place.path.mkdir()
    (check,) = checked(capsys, config)
    assert (check["status"], "is a folder" in check["detail"]) == ("yellow", True)
    config.write_text(config.read_text().replace("memory = ", "memory = false # "))
    (check,) = checked(capsys, config)
    assert (check["status"], check["detail"][:5]) == ("green", "none,")
