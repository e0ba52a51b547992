"""Running the child processes that compile: the parent stays without numba, and compiles two entries at once."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_PATIENCE: Final = 240.0  # seconds for all children together
# The child imports what the parent can import, from the same places.
_BOOTSTRAP: Final = (
    "import json, sys; request = json.load(sys.stdin); sys.path[:] = request.pop('path'); "
    "from ridgeline.kernels.native import builder; builder.build(request)"
)


class BuildError(Exception):
    """A child process could not compile an entry."""


def run_children(jobs: list[dict[str, Any]], most: int, environ: Mapping[str, str]) -> Iterator[str]:
    """Run one child per job, at most so many at once, and yield each job's name as it ends; BuildError if one fails."""
    # The child's interpreter is started as ours was: isolated, without user site, without environment.
    flags = {"-I": sys.flags.isolated, "-E": sys.flags.ignore_environment, "-s": sys.flags.no_user_site}
    command = [sys.executable, "-P", *(switch for switch, given in flags.items() if given), "-c", _BOOTSTRAP]
    waiting, running = list(jobs), dict[str, tuple[subprocess.Popen[bytes], Path]]()
    end = time.monotonic() + _PATIENCE
    try:
        while waiting or running:
            while waiting and len(running) < most:
                job = waiting.pop(0)
                log = Path(job["folder"]) / f"{job['name']}.log"
                with log.open("wb") as errors:
                    child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=dict(environ)
                    )
                running[job["name"]] = child, log
                assert child.stdin is not None
                with contextlib.suppress(BrokenPipeError), child.stdin:
                    child.stdin.write(json.dumps(job | {"path": sys.path}).encode())
            for name, (child, log) in list(running.items()):
                if child.poll() is None:
                    continue
                del running[name]
                if child.returncode != 0:
                    said = log.read_text(errors="replace").split("\n")
                    raise BuildError(f"{name}: {next(filter(None, reversed(said)), f'exit code {child.returncode}')}")
                log.unlink()
                yield name
            if time.monotonic() > end:
                raise BuildError(f"no end after {_PATIENCE:.0f} s")
            time.sleep(0.02)
    finally:
        for child, _ in running.values():
            child.kill()
            child.wait()
