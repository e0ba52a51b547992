"""Files that appear in watched folders: whole, alone, never over another."""

import errno
import os
import threading

import pytest

from ridgeline.io.disk import publish as module
from ridgeline.io.disk.publish import publish
from ridgeline.io.errors import OutputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_with_its_mode_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        assert publish(tmp_path / "check.txt", b"whole")
    finally:
        os.umask(before)
    assert (tmp_path / "check.txt").read_bytes() == b"whole"
    assert (tmp_path / "check.txt").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["check.txt"]


def test_what_is_there_stays(tmp_path):
    (tmp_path / "check.txt").write_text("theirs")
    (tmp_path / "link.txt").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    assert [publish(tmp_path / name, b"ours") for name in names(tmp_path)] == [False] * 4
    assert (tmp_path / "check.txt").read_text() == "theirs"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "missing/check.txt"])
def test_what_cannot_be_written_is_one_sentence(tmp_path, name):
    with pytest.raises(OutputError, match="cannot write"):
        publish(tmp_path / name, b"")


def test_a_watcher_sees_nothing_but_whole_files(tmp_path):
    seen, over = set(), threading.Event()

    def watch():
        while not over.is_set():
            for name in names(tmp_path):
                seen.add((name.split(".")[0], (tmp_path / name).stat().st_size))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for number in range(300):
            publish(tmp_path / f"check{number}.txt", b"x" * 100_000)
    finally:
        over.set()
        watcher.join(60)
    assert {size for _, size in seen} <= {100_000}
    assert {name for name, _ in seen} <= {f"check{number}" for number in range(300)}


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        publish(tmp_path / "check.txt", b"whole")
    assert names(tmp_path) == []


def test_a_file_system_without_nameless_files(tmp_path, monkeypatch):
    real = os.open

    def without(path, flags, *rest, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(module.os, "open", without)
    assert publish(tmp_path / "check.txt", b"whole")
    assert not publish(tmp_path / "check.txt", b"another")
    assert (tmp_path / "check.txt").read_bytes() == b"whole"


def test_content_that_can_be_written_once_only_is_written_once(tmp_path, monkeypatch):
    def unsupported(*_, **__):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    pieces = iter([b"wh", b"ole"])
    monkeypatch.setattr(module.os, "link", unsupported)
    assert publish(tmp_path / "check.txt", lambda file: file.writelines(pieces), durable=True)
    assert (tmp_path / "check.txt").read_bytes() == b"whole"
    assert names(tmp_path) == ["check.txt"]


def test_content_that_breaks_off_leaves_nothing(tmp_path):
    def broken(file):
        file.write(b"half")
        raise LookupError

    with pytest.raises(LookupError):
        publish(tmp_path / "check.txt", broken)
    assert names(tmp_path) == []
