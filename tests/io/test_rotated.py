"""A file that grows by whole entries: rotated by size, by several processes at once, on a full disk."""

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from ridgeline.io.disk import rotated
from ridgeline.io.disk.rotated import append, names
from ridgeline.io.errors import OutputError, UnsafeTarget


def contents(path, keep):
    return [file.read_text() if file.exists() else None for file in names(path, keep)]


def test_entries_follow_one_another_until_the_file_is_full(tmp_path):
    log = tmp_path / "run.log"
    for entry in ("aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n"):
        append(log, entry.encode(), largest=10, keep=2)
    assert contents(log, 2) == ["eeee\n", "cccc\ndddd\n", "aaaa\nbbbb\n"]
    for entry in ("ffff\n", "gggg\n"):
        append(log, entry.encode(), largest=10, keep=2)
    assert contents(log, 3) == ["gggg\n", "eeee\nffff\n", "cccc\ndddd\n", None]


def test_without_any_to_keep_the_file_is_begun_anew(tmp_path):
    log = tmp_path / "run.log"
    for entry in (b"aaaa\n", b"bbbb\n"):
        append(log, entry, largest=6, keep=0)
    assert [file.name for file in tmp_path.iterdir()] == ["run.log"]
    assert log.read_bytes() == b"bbbb\n"


def test_an_entry_larger_than_a_file_may_be_has_one_of_its_own(tmp_path):
    log = tmp_path / "run.log"
    for entry in (b"a" * 50, b"b\n", b"c" * 50):
        append(log, entry, largest=10, keep=5)
    assert contents(log, 3) == ["c" * 50, "b\n", "a" * 50, None]


def test_only_its_owner_and_group_may_read_it(tmp_path):
    log = tmp_path / "run.log"
    append(log, b"a", largest=10, keep=1)
    assert log.stat().st_mode & 0o777 & ~0o640 == 0


def test_several_processes_lose_no_entry_and_tear_none(tmp_path):
    log = tmp_path / "run.log"
    script = (
        "import sys; from pathlib import Path; from ridgeline.io.disk.rotated import append\n"
        "for n in range(15): append(Path(sys.argv[1]), f'{sys.argv[2]}-{n:02}-{\"x\" * 60}\\n'.encode(), largest=500, keep=80)"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script, str(log), str(who)]) for who in range(3)]
    assert [writer.wait(120) for writer in writers] == [0] * 3
    found = [text for text in contents(log, 80) if text is not None]
    assert all(len(text) <= 500 for text in found)
    lines = [line for text in reversed(found) for line in text.splitlines()]
    assert sorted(lines) == sorted(f"{who}-{n:02}-{'x' * 60}" for who in range(3) for n in range(15))
    for who in range(3):
        assert [line for line in lines if line.startswith(f"{who}-")] == [f"{who}-{n:02}-{'x' * 60}" for n in range(15)]


def test_one_that_waited_while_the_file_was_renamed_writes_to_the_new_one(tmp_path):
    log = tmp_path / "run.log"
    log.write_bytes(b"old\n")
    with log.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=append, args=(log, b"new\n"), kwargs={"largest": 100, "keep": 1}, daemon=True)
        waiting.start()
        time.sleep(0.2)
        log.rename(tmp_path / "run.log.1")
    waiting.join(120)
    assert contents(log, 1) == ["new\n", "old\n"]


def test_one_that_never_lets_go_is_not_waited_for(tmp_path, monkeypatch):
    log = tmp_path / "run.log"
    log.write_bytes(b"old\n")
    monkeypatch.setattr(rotated, "PATIENCE", 0.1)
    with log.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another process has locked it and does not let go"):
            append(log, b"new\n", largest=100, keep=1)
    assert log.read_bytes() == b"old\n"


def test_a_full_disk_takes_no_half_entry(tmp_path, monkeypatch):
    log = tmp_path / "run.log"
    append(log, b"before\n", largest=100, keep=1)
    real = os.write

    def full(descriptor, data):
        if len(data) <= 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[: len(data) - 3])

    monkeypatch.setattr(rotated.os, "write", full)
    with pytest.raises(OutputError, match=r"cannot write to .*run\.log: No space left on device"):
        append(log, b"0123456789\n", largest=100, keep=1)
    assert log.read_bytes() == b"before\n"


@pytest.mark.parametrize("name", ["run.log", "run.log.1", "run.log.2"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_regular_file_is_refused_under_all_names(tmp_path, name, kind):
    log, taken = tmp_path / "run.log", tmp_path / name
    if kind == "pipe":
        os.mkfifo(taken)
    elif kind == "link":
        taken.symlink_to(tmp_path / "elsewhere")
    else:
        taken.mkdir()
    with pytest.raises(UnsafeTarget, match=f"{taken} is a "):
        append(log, b"a", largest=1, keep=2)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        append(tmp_path / "none" / "run.log", b"a", largest=1, keep=1)
