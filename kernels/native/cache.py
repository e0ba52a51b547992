"""Where native objects and tables are kept between processes, and when they may be trusted.

One folder per user holds a sub-folder per *stamp*. The stamp is a hash of everything that the machine code depends on:
the sources, the versions of Python, numba, numpy, llvmlite and scipy, the CPU, numba's flags. So nothing is ever stale: what
changes gets another stamp, and several machines may share one home. Native code is run as we are, so a folder that
another user owns or can write to is refused (root's own is fine: a container image may bring it along).
Every file is published by an atomic rename and checked against a SHA-256 before use.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_KEPT: Final = 3  # stamps that a sweep leaves, the newest
_IN_USE: Final = 3600.0  # seconds for which a folder counts as in use; a start renews it
_VERSIONED: Final = ("numba", "numpy", "llvmlite", "scipy")
# What tells one CPU from another, on x86 and on ARM.
_CPU: Final = (
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
    "Features", "CPU implementer", "CPU architecture", "CPU variant", "CPU part",
)  # fmt: skip
# numba's settings that change no code.
_HARMLESS: Final = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_THREADING_LAYER_PRIORITY")
_STAMP: Final = re.compile(r"[0-9a-f]{24}")


def stamp(sources: Iterable[Path], extra: str, environ: Mapping[str, str]) -> str:
    """Hash of all that the machine code depends on; `sources` are Python files and folders of them."""
    digest = hashlib.sha256(extra.encode())
    for source in sources:
        for path in _python_files(source):
            digest.update(f"\0{os.path.relpath(path, source)}\0".encode())
            digest.update(Path(path).read_bytes())
    flags = sorted((k, v) for k, v in environ.items() if k.startswith("NUMBA_") and k not in _HARMLESS)
    versions = [(package, _version(package)) for package in _VERSIONED]
    facts = (flags, versions, sys.implementation.cache_tag, sys.version_info[:3], sys.platform, cpu())
    digest.update(repr(facts).encode())
    return digest.hexdigest()[:24]


def _python_files(source: Path) -> list[str]:
    if source.is_file():
        return [str(source)]
    found = [os.path.join(folder, name) for folder, _, names in os.walk(source) for name in names]  # noqa: PTH118 - speed
    return sorted(path for path in found if path.endswith(".py"))


def _version(package: str) -> str:
    """Version by the name of the dist-info folder, without importing anything; else by the package's own file."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return "none"
    site = Path(spec.origin).parent.parent
    for name in sorted(os.listdir(site)):  # noqa: PTH208 - speed
        if name.startswith(f"{package}-") and name.endswith((".dist-info", ".egg-info")):
            return name
    found = Path(spec.origin).stat()
    return f"{found.st_size}-{found.st_mtime_ns}"


def cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Model and flags of the first CPU; elsewhere than on Linux what `uname` says."""
    try:
        first = cpuinfo.read_text(errors="replace").split("\n\n", 1)[0]
    except OSError:
        return repr(os.uname()[-1:])
    pairs = (line.partition(":") for line in first.splitlines())
    return "\n".join(f"{key.strip()}={value.strip()}" for key, _, value in pairs if key.strip() in _CPU) or repr(
        os.uname()[-1:]
    )


def candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Cache folders in the order in which they are tried: the configured or home one, then one under /tmp."""
    if environ.get("RIDGELINE_CACHE_DIR"):
        yield Path(environ["RIDGELINE_CACHE_DIR"]).absolute()
    elif environ.get("XDG_CACHE_HOME", "").startswith("/"):
        yield Path(environ["XDG_CACHE_HOME"]) / "ridgeline"
    elif (home := _home(environ)) is not None:
        yield home / ".cache" / "ridgeline"
    yield Path(environ.get("TMPDIR") or "/tmp") / f"ridgeline-{os.geteuid()}"  # noqa: S108 - 0700 and ours, else refused


def _home(environ: Mapping[str, str]) -> Path | None:
    """Our home folder: HOME if it is ours (sudo keeps the caller's), else what the password database says."""
    home = environ.get("HOME", "")
    with contextlib.suppress(OSError):
        if home.startswith("/") and Path(home).stat().st_uid == os.geteuid():
            return Path(home)
    with contextlib.suppress(KeyError):  # a container may run under a number without a name
        return Path(pwd.getpwuid(os.geteuid()).pw_dir)
    return None


def refusal(folder: Path) -> str | None:
    """Why code in this folder may not be run, or None; a folder that does not exist holds nothing to refuse."""
    try:
        found = folder.lstat()
    except OSError:
        return None
    owners = {found.st_uid}
    if stat.S_ISLNK(found.st_mode):
        with contextlib.suppress(OSError):
            found = folder.stat()
        owners.add(found.st_uid)
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a folder"
    if not owners <= {os.geteuid(), 0}:
        return "it belongs to another user"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users can write to it"
    return None


def make_folder(folder: Path) -> None:
    """Create the folder, 0700, with its parents; OSError where that cannot be done or it is not writable."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} is not writable")


@contextlib.contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold an exclusive lock; go on without it after `seconds`, or where the file system has none: renames are atomic."""
    with path.open("a") as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.05)
                continue
            except OSError:
                pass
            break
        yield


def seal(payload: Any) -> str:
    """JSON text under a first line with its SHA-256."""
    body = json.dumps(payload, indent=1)
    return f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}"


def unseal(text: str) -> Any:
    """Payload of a sealed text; ValueError where it is truncated or changed."""
    digest, _, body = text.partition("\n")
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise ValueError("the checksum does not match")
    return json.loads(body)


def write_atomically(path: Path, content: bytes) -> None:
    """Publish a file in one rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def mark_used(folder: Path) -> None:
    """Renew the folder's time, at most once an hour, so that a sweep leaves it."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime > _IN_USE:
            os.utime(folder)


def sweep(root: Path) -> None:
    """Remove old stamps (the newest three and those in use stay) and what crashed builders left behind."""
    aged = []
    for path in root.iterdir():
        with contextlib.suppress(OSError):
            aged.append((path.stat().st_mtime, path))
    aged.sort(reverse=True)
    stamps = [(used, path) for used, path in aged if _STAMP.fullmatch(path.name)]
    for used, path in stamps[_KEPT:]:
        if time.time() - used > _IN_USE:
            shutil.rmtree(path, ignore_errors=True)
    for used, path in aged:
        if time.time() - used < _IN_USE:
            continue
        if path.name.startswith(".build-"):
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".lock" and _STAMP.fullmatch(path.stem) and not (root / path.stem).exists():
            path.unlink(missing_ok=True)
