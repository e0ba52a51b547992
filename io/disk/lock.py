"""Locks on files, which free themselves when their holder dies, however it dies: one run at a time, and short waits."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ridgeline.io.disk.target import check_target
from ridgeline.io.errors import InputError, LockHeld, OutputError

_POLL: Final = 0.01  # seconds between two looks at a lock that another holds


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold `path` for the length of the block, or raise LockHeld at once; OutputError if the file cannot be made.

    What exists there must be a regular file: links are not followed, and devices and pipes not opened.

    The kernel frees a `flock` with its process, so a kill leaves no stale lock. The file itself stays: removing it
    would let two runs hold two different files of one name. It holds the last holder's process id, for people.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_target(path)
        descriptor = _open(path)
    except OSError as error:
        raise OutputError(f"cannot open the lock file {path}: {error.strerror}") from error
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock_in_turn(path: Path, patience: float) -> Iterator[None]:
    """Hold `path`, whose folder exists, for the length of the block, after at most `patience` seconds; else OSError.

    Threads take turns as well as processes. The file stays, as that of `lock` does.
    """
    descriptor = _open(path)
    try:
        wait_for(descriptor, time.monotonic() + patience)
        yield
    finally:
        os.close(descriptor)


def wait_for(descriptor: int, end: float) -> None:
    """Lock the file by `end` on the monotonic clock, or raise OSError. Nothing hangs: whoever holds it may never let go."""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise OSError("another process has locked it and does not let go") from None
            time.sleep(_POLL)
        else:
            return


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def _take(descriptor: int, path: Path) -> None:
    """Lock without waiting and sign with the process id."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        of = f" (process {holder})" if holder.isdigit() else ""
        raise LockHeld(f"another run{of} holds {path}; this one does nothing") from error
    except OSError as error:
        raise OutputError(f"cannot lock {path}: {error.strerror}; locks need a local disk") from error
    if os.fstat(descriptor).st_nlink == 1:  # the other name of a hard link may be dear to somebody
        with contextlib.suppress(OSError):  # a full disk keeps the lock without its signature
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def lock_path(
    command: str,
    source: str,
    directory: Path | None,
    *,
    shard: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Where `command` locks: `<command>-<hash of source and shard>.lock` in the output directory, else the state folder.

    So two configurations that share a folder but no source do not keep each other out.
    """
    folder = state_folder(environ) if directory is None else directory
    return folder / f"{command}-{source_hash(source, shard)}.lock"


def source_hash(source: str, part: str = "") -> str:
    """Sixteen hexadecimal digits that name a source, or a part of it, where its text cannot."""
    named = f"{len(source)} {source} {part}".encode("utf-8", "surrogatepass")  # the length parts the two
    return hashlib.sha256(named).hexdigest()[:16]


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The user's state folder for Ridgeline, with or without HOME (cron may start us without).

    `$XDG_STATE_HOME/ridgeline`, else `~/.local/state/ridgeline` (XDG Base Directory Specification 0.8). InputError for a
    user without either: a container may run under a number without a name, and what a run remembers needs a safe place.
    """
    named = environ.get("XDG_STATE_HOME", "")
    if named.startswith("/"):
        return Path(named) / "ridgeline"
    home = environ.get("HOME", "")
    if not home:
        with contextlib.suppress(KeyError):
            home = pwd.getpwuid(os.getuid()).pw_dir
    if not home.startswith("/"):
        raise InputError(
            f"no home folder is known for user number {os.getuid()}, so there is no place for locks and state; "
            "set HOME or XDG_STATE_HOME, or `[output] directory` in the configuration"
        )
    return Path(home) / ".local" / "state" / "ridgeline"
