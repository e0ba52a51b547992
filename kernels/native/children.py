"""Child processes: started as we were, told what to do on standard input, telling in lines of JSON."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ridgeline.kernels.native.seal import Known
from ridgeline.kernels.native.waiting import Patience

_PR_SET_PDEATHSIG: Final = 1
# Deaths that an entry's own code causes, and will cause again: another calling convention, an instruction that is not here.
_OWN_FAULT: Final = (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGILL, -signal.SIGABRT, -signal.SIGFPE)
# The child imports what the parent can import, from the same places.
_BOOTSTRAP: Final = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request.pop('path'); "
    "from importlib import import_module; import_module('{}').main(request)"
)


class BuildError(Exception):
    """A child process could not compile an entry."""


def command(module: str) -> list[str]:
    """What starts `MODULE.main(request)` in a process of its own, which is then `asked` on standard input."""
    # Its interpreter is started as ours was: isolated, without user site, without environment.
    flags = {"-I": sys.flags.isolated, "-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    switches = [switch for switch, given in flags.items() if given]
    return [sys.executable or "python3", "-P", *switches, "-c", _BOOTSTRAP.format(module)]


def asked(request: Mapping[str, Any]) -> bytes:
    """The request as the child reads it."""
    return json.dumps({**request, "path": sys.path}).encode()


def start(module: str, request: Mapping[str, Any], **options: Any) -> subprocess.Popen[bytes]:
    """Start `ridgeline.kernels.native.MODULE.main(request)` in a process of its own, its standard output a pipe.

    BuildError where no process can be started.
    """
    run = command(f"ridgeline.kernels.native.{module}")
    try:
        child = subprocess.Popen(run, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)  # noqa: S603 - our own
    except OSError as error:
        raise BuildError(f"cannot start {sys.executable}: {error.strerror}") from error
    assert child.stdin is not None
    with contextlib.suppress(BrokenPipeError), child.stdin:
        child.stdin.write(asked(request))
    child.stdin = None  # closed: `communicate` is not to flush it
    return child


def tell(channel: int, **what: Any) -> None:
    """One line of JSON to the parent; one that has gone hears nothing."""
    with contextlib.suppress(OSError):
        os.write(channel, json.dumps(what).encode() + b"\n")


def hear(line: bytes) -> dict[str, Any]:
    """What a child told in one line; {} where the line is something else, such as a traceback's."""
    with contextlib.suppress(ValueError):
        found = json.loads(line)
        if isinstance(found, dict):
            return found
    return {}


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we said so
        os._exit(1)


def run_builders(jobs: list[dict[str, Any]], most: int, environ: Mapping[str, str], waiting: Patience) -> Iterator[str]:
    """Run one builder per job, at most so many at once; yield each job's name as it ends.

    OSError where its folder takes no more, BuildError if one fails, StillCompiling where time is up. They end with us.
    """
    queue, running = list(jobs), dict[str, tuple[subprocess.Popen[bytes], Path]]()
    try:
        while queue or running:
            while queue and len(running) < most:
                job = queue.pop(0)
                log = Path(job["folder"]) / f"{job['name']}.log"
                with log.open("wb") as errors:
                    child = start("builder", {**job, "parent": os.getpid()}, stderr=errors, env=dict(environ))
                running[job["name"]] = child, log
            for name, (child, log) in list(running.items()):
                if child.poll() is None:
                    continue
                del running[name]
                judge(child, log)
                log.unlink()
                yield name
            waiting.pause()
    finally:
        for child, _ in running.values():
            child.kill()
            child.communicate()


def judge(child: subprocess.Popen[bytes], log: Path) -> None:
    """OSError or BuildError where a builder that has ended did not do its work."""
    told, _ = child.communicate()
    if child.returncode in _OWN_FAULT:
        # It would die again: keep that, and leave the entry to numba.
        why = f"kernel entry {log.stem}: its compiled code dies of signal {-child.returncode}"
        log.with_suffix(".json").write_bytes(Known(unbuildable=why).sealed())
    elif child.returncode != 0:
        said = log.read_text(errors="replace").split("\n")
        raise BuildError(f"{log.stem}: {next(filter(None, reversed(said)), f'exit code {child.returncode}')}")
    elif told:
        raise OSError(hear(told).get("unusable", "its folder takes no more"))
