"""Places where no memory is kept: what lies there is not touched, and one sentence says why."""

import ctypes
import os
import socket
from pathlib import Path

import pytest
from rigs.memory_files import OWNER, SECTIONS, begin, in_child

from ridgeline.io.memory import filesystem
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.unusable import Unusable

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")
NOBODY = 65534


def refused(path, *, writing=True):
    with pytest.raises(Unusable) as caught, MemoryFile.open(path, OWNER, SECTIONS, writing=writing):
        pass
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("writing", [True, False])
def test_what_is_no_regular_file(tmp_path, writing):
    begin(tmp_path / "real")
    before = (tmp_path / "real").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name, said in (
            ("link", "is a symbolic link"),
            ("dangling", "is a symbolic link"),
            ("folder", "is a folder"),
            ("pipe", "is a pipe"),
            ("socket", "is a socket"),
        ):
            assert said in refused(tmp_path / name, writing=writing)
    assert (tmp_path / "real").read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_devices():
    assert "is a device" in refused(Path(os.devnull))


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "cannot be locked" in refused(tmp_path / "file" / "sub" / "m")
    assert refused(tmp_path / ("x" * 300))
    assert refused(tmp_path / "m\0")


@pytest.mark.parametrize("kind", ["symlink", "folder", "pipe"])
def test_a_lock_that_is_something_else(tmp_path, kind):
    beside = tmp_path / "m.lock"
    {"symlink": lambda: beside.symlink_to(tmp_path / "x"), "folder": beside.mkdir, "pipe": lambda: os.mkfifo(beside)}[
        kind
    ]()
    if kind != "pipe":
        assert "cannot be locked" in refused(tmp_path / "m")
    else:  # locks like a file
        begin(tmp_path / "m")
    assert not (tmp_path / "x").exists()


@needs_root
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_or_a_file_that_may_not_be_written(reachable, there):
    path = reachable / "m"
    if there:
        begin(path)
    else:
        reachable.chmod(0o755)

    def act():
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        assert "Permission denied" in refused(path)

    assert in_child(act) == 0


@needs_root
def test_the_file_of_another_user(reachable):
    path = reachable / "m"
    begin(path)
    os.chown(path, NOBODY, NOBODY)
    assert "belongs to another user" in refused(path)
    with MemoryFile.open(path, OWNER, SECTIONS, writing=False) as memory:  # to look at it
        assert len(memory) == 100


def test_what_others_may_read_is_closed_to_them(tmp_path):
    begin(tmp_path / "m")
    (tmp_path / "m").chmod(0o644)
    with MemoryFile.open(tmp_path / "m", OWNER, SECTIONS):
        pass
    assert (tmp_path / "m").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("magic", filesystem._FAR)
@pytest.mark.parametrize("signed", [False, True])
def test_file_systems_that_may_hang(tmp_path, monkeypatch, magic, signed):
    def pretend(_descriptor, answer):
        value = magic - (1 << 32) if signed and magic >= 1 << 31 else magic
        ctypes.memmove(answer, ctypes.byref(ctypes.c_long(value)), ctypes.sizeof(ctypes.c_long))
        return 0

    begin(tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    monkeypatch.setattr(filesystem, "_fstatfs", lambda: pretend)
    for name, writing in (("m", True), ("m", False), ("new", True)):
        assert f"user-space file system ({filesystem._FAR[magic]})" in refused(tmp_path / name, writing=writing)
    assert (tmp_path / "m").read_bytes() == before
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.lock").exists()


def test_file_systems_are_told_by_the_system_itself(tmp_path):
    folder = os.open("/proc", os.O_RDONLY)
    try:
        assert filesystem.magic(folder) == 0x9FA0
        assert filesystem.far_kind(folder) is None
    finally:
        os.close(folder)
    with pytest.raises(OSError, match="Bad file descriptor"):
        filesystem.far_kind(folder)
