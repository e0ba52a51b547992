"""Files are whole or absent, locks free themselves, orphans are swept: under kills, full disks and power cuts."""

import contextlib
import errno
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ridgeline.io.disk import atomic
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.disk.lock import lock, lock_path, state_folder
from ridgeline.io.errors import LockHeld, OutputError

LARGE = 2_000_000


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def temporary(folder):
    return [name for name in names(folder) if name.endswith(".tmp")]


def test_bytes_and_writers(tmp_path):
    path = tmp_path / "a.json"
    write_atomic(path, b"old")
    write_atomic(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    write_atomic(path, b"mine", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["a.json"]


def test_the_temporary_file_lies_beside_and_bears_a_name_of_our_own(tmp_path):
    seen = []
    write_atomic(tmp_path / "a.json", lambda _file: seen.extend(temporary(tmp_path)))
    assert len(seen) == 1
    assert seen[0].startswith(".a.json.ridgeline-")


def test_a_long_name(tmp_path):
    path = tmp_path / ("\u00e5" * 125 + ".json")
    write_atomic(path, b"x")
    assert path.read_bytes() == b"x"


def test_the_order_survives_a_power_cut(tmp_path, monkeypatch):
    """fsync of the file, close, rename, fsync of the folder: no other order is safe."""
    calls = []
    kinds = {}

    def recording(name, real):
        def call(*args, **kwargs):
            if name == "fsync":
                calls.append("fsync folder" if Path(f"/proc/self/fd/{args[0]}").is_dir() else "fsync file")
            elif name == "replace":
                calls.append("rename")
                assert kinds["file"].closed
            return real(*args, **kwargs)

        return call

    def fdopen(*args, **kwargs):
        kinds["file"] = os_fdopen(*args, **kwargs)
        return kinds["file"]

    os_fdopen = os.fdopen
    monkeypatch.setattr(os, "fsync", recording("fsync", os.fsync))
    monkeypatch.setattr(os, "replace", recording("replace", os.replace))
    monkeypatch.setattr(os, "fdopen", fdopen)
    write_atomic(tmp_path / "a", b"x")
    assert calls == ["fsync file", "rename", "fsync folder"]


class Failing:
    """A file that fails at one call, after doing what it was asked where a real disk would have."""

    def __init__(self, file, call, code):
        self._file, self._call, self._code = file, call, code

    def __getattr__(self, name):
        if name == self._call:
            return self._fail
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._file.close()

    def _fail(self, *_args):
        raise OSError(self._code, os.strerror(self._code))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "flush", "close"])
def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch, call, code):
    path = tmp_path / "a"
    write_atomic(path, b"old")
    real = os.fdopen
    monkeypatch.setattr(atomic.os, "fdopen", lambda *args: Failing(real(*args), call, code))
    with pytest.raises(OutputError, match=r"cannot write .*old file, if any, is untouched") as caught:
        write_atomic(path, b"new")
    assert os.strerror(code) in str(caught.value)
    assert caught.value.exit_code == 74
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod", "dup"])
def test_a_failing_system_call_leaves_the_old_file(tmp_path, monkeypatch, call):
    path = tmp_path / "a"
    write_atomic(path, b"old")

    def fail(*_args, **_kwargs):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(OutputError):
            write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_really_full_file_system(tmp_path):
    """The kernel itself refuses: a limit on file size stands in for a full disk."""
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from ridgeline.io.disk.atomic import write_atomic; from ridgeline.io.errors import OutputError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try: write_atomic(Path(sys.argv[1]), b'x' * 1_000_000)\n"
        "except OutputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "a"], capture_output=True, text=True, check=True)
    assert "File too large" in done.stdout
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_interrupted_writer_leaves_the_old_file(tmp_path, stop):
    path = tmp_path / "a"
    write_atomic(path, b"old")

    def writer(file):
        file.write(b"half")
        raise stop

    with pytest.raises(stop):
        write_atomic(path, writer)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_no_descriptor_leaks(tmp_path, monkeypatch):
    def count():
        return len(names(Path("/proc/self/fd")))

    before = count()
    for _ in range(5):
        write_atomic(tmp_path / "a", b"x")
        with pytest.raises(ZeroDivisionError):
            write_atomic(tmp_path / "a", lambda _file: 1 / 0)
        with pytest.raises(OutputError):
            write_atomic(tmp_path / "none" / "a", b"x")
        sweep_orphans(tmp_path)
    assert count() == before


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "a", b"x")
    assert temporary(tmp_path) == []


# Sweeping -------------------------------------------------------------------------------------------------------------


def test_sweeping_takes_orphans_and_nothing_else(tmp_path):
    (tmp_path / ".anomalies.json.ridgeline-abcd_123.tmp").write_bytes(b"torn")
    (tmp_path / ".a\nb.ridgeline-abcdefgh.tmp").write_bytes(b"torn")
    (tmp_path / "anomalies.json").write_bytes(b"whole")
    others = [
        "thesis-draft.tmp",
        "notes.tmp.txt",
        ".vim.tmp",
        "anomalies.json.abcdefgh.tmp",
        "a.ridgeline-abcdefgh.tmp",
    ]
    others += [".a.ridgeline-abcdefgh.tmp.gz", ".a.ridgeline-ABCDEFGH.tmp", ".a.ridgeline-abcdefghi.tmp"]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    special = [f".{kind}.ridgeline-abcdefgh.tmp" for kind in ("folder", "link", "pipe")]
    (tmp_path / special[0]).mkdir()
    (tmp_path / special[1]).symlink_to(tmp_path / "anomalies.json")
    os.mkfifo(tmp_path / special[2])
    assert sweep_orphans(tmp_path) == 2
    assert names(tmp_path) == sorted(["anomalies.json", *others, *special])
    assert sweep_orphans(tmp_path / "absent") == 0


def test_sweeping_spares_a_living_writer(tmp_path):
    removed = []
    write_atomic(tmp_path / "a", lambda file: (removed.append(sweep_orphans(tmp_path)), file.write(b"x")))
    assert removed == [0]
    assert (tmp_path / "a").read_bytes() == b"x"


def test_writing_beside_a_constant_sweep(tmp_path):
    stop = threading.Event()

    def sweep():
        while not stop.is_set():
            sweep_orphans(tmp_path)

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        for n in range(60):
            write_atomic(tmp_path / "a", str(n).encode())
            assert (tmp_path / "a").read_bytes() == str(n).encode()
    finally:
        stop.set()
        thread.join()


# Killing --------------------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.disk.lock import lock
folder = Path(sys.argv[1])
with lock(folder / "run.lock"):
    sweep_orphans(folder)
    print("ready", flush=True)
    n = 0
    while True:
        n = (n + 1) % 256
        write_atomic(folder / "a", bytes([n]) * int(sys.argv[2]))
"""


def check_after_kills(folder, kills, seed=7):
    """Kill a writer at random moments; after each, the file is whole and the next start is clean."""
    rng = random.Random(seed)
    orphans = 0
    for _ in range(kills):
        command = [sys.executable, "-c", WRITER, folder, str(LARGE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            assert temporary(folder) == [] or len(temporary(folder)) == 1, "the start sweeps"
            time.sleep(rng.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
        if (folder / "a").exists():
            content = (folder / "a").read_bytes()
            assert len(content) == LARGE
            assert content.count(content[0]) == LARGE
        orphans += len(temporary(folder))
        with lock(folder / "run.lock"):
            pass
    sweep_orphans(folder)
    assert temporary(folder) == []
    return orphans


def test_kills(tmp_path):
    assert check_after_kills(tmp_path, 10) > 0, "no kill fell into a write: this test proves nothing"


@pytest.mark.long
def test_five_hundred_kills(tmp_path):
    assert check_after_kills(tmp_path, 500, seed=random.randrange(10**6)) > 0


# Locking --------------------------------------------------------------------------------------------------------------


def test_the_second_of_two_is_told_at_once(tmp_path):
    path = tmp_path / "state" / "run.lock"
    with lock(path):
        started = time.monotonic()
        with pytest.raises(LockHeld, match=rf"another run \(process {os.getpid()}\)") as caught, lock(path):
            pytest.fail("two hold one lock")
        assert time.monotonic() - started < 10
        assert caught.value.exit_code == 75
    with lock(path):
        pass
    with pytest.raises(ZeroDivisionError), lock(path):
        raise ZeroDivisionError
    with lock(path):
        pass


def test_exactly_one_of_many_processes_runs(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from ridgeline.io.disk.lock import lock; from ridgeline.io.errors import LockHeld\n"
        "sys.stdin.readline()\n"
        "try:\n"
        "  with lock(Path(sys.argv[1])): print('ran'); time.sleep(1.5)\n"
        "except LockHeld: print('held')\n"
    )
    command = [sys.executable, "-c", code, tmp_path / "l"]
    with contextlib.ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(4)
        ]
        time.sleep(0.5)
        said = [(process.stdin.write("\n"), process.stdin.close(), process)[2] for process in running]
        assert sorted(process.stdout.read().strip() for process in said) == ["held", "held", "held", "ran"]


def test_a_lock_file_of_old_is_no_lock(tmp_path):
    (tmp_path / "l").write_text("12345\n")
    with lock(tmp_path / "l"):
        assert (tmp_path / "l").read_text() == f"{os.getpid()}\n"


def test_a_lock_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"), lock(tmp_path / "file" / "l"):
        pass


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "folder", "device"])
def test_a_lock_file_is_a_regular_file_or_refused_untouched(tmp_path, kind):
    path, target = tmp_path / "l", tmp_path / "target"
    if kind == "device":
        path = Path("/dev/null")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
    if kind == "link":
        target.write_text("dear")
    with pytest.raises(OutputError, match=str(path)), lock(path):
        pytest.fail("locked")
    assert not target.exists() if kind == "dangling" else True
    assert target.read_text() == "dear" if kind == "link" else True


def test_the_other_name_of_a_lock_file_is_not_written_to(tmp_path):
    (tmp_path / "dear").write_text("content")
    (tmp_path / "l").hardlink_to(tmp_path / "dear")
    with lock(tmp_path / "l"):
        assert (tmp_path / "dear").read_text() == "content"


def test_where_the_lock_lies(tmp_path):
    environ = {"HOME": "/home/x"}
    first = lock_path("run", "redis a", None, environ=environ)
    assert first.parent == Path("/home/x/.local/state/ridgeline")
    assert re.fullmatch(r"run-[0-9a-f]{16}\.lock", first.name)
    assert lock_path("run", "redis a", tmp_path) == tmp_path / first.name
    others = [
        lock_path("run", "redis b", None, environ=environ),
        lock_path("batch", "redis a", None, environ=environ),
        lock_path("run", "redis a", None, shard="1 of 2", environ=environ),
        lock_path("run", "redis a 1 of", None, shard="2", environ=environ),
    ]
    assert len({first.name, *(other.name for other in others)}) == 5
    assert state_folder({"XDG_STATE_HOME": "/s"}) == Path("/s/ridgeline")
    assert state_folder({"XDG_STATE_HOME": "relative", "HOME": "/h"}) == Path("/h/.local/state/ridgeline")
    assert state_folder({}).is_absolute()
