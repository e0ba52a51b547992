"""The process that compiles what a start misses: it outlives that start if it must, so that the next one finds it done.

It inherits the cache's lock as an open file: the lock is held for as long as it lives, and is free when it ends, however
it ends. What it makes appears by rename, whole. It lives ten minutes at most; its own children end with it; a start that
comes after a crash removes the folder that was left.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ridgeline.kernels.native.children import BuildError, run_builders, tell
from ridgeline.kernels.native.folder import Folder, opened
from ridgeline.kernels.native.seal import MOST_TEXT, Known
from ridgeline.kernels.native.stamp import stamp
from ridgeline.kernels.native.sweep import building, sweep, sweep_orphans
from ridgeline.kernels.native.waiting import MOST, Patience, StillCompiling

_STDOUT: Final = 1


def main(request: dict[str, Any]) -> None:
    """Compile `entries` and publish them under `stamp` in the cache folder `place`, telling of every step.

    It tells `compiled` and `seconds` per entry, at last `kept`; or `changed` (the sources are not what they were),
    `unusable` (the folder takes no more) or `failed`.
    """
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was begun is cleared away
    try:
        with opened(Path(request["place"]), create=True) as place:
            _build(request, place)
    except OSError as error:
        tell(_STDOUT, unusable=error.strerror or str(error))
    except (BuildError, StillCompiling) as error:
        tell(_STDOUT, failed=str(error))


def _build(request: dict[str, Any], place: Folder) -> None:
    sweep_orphans(place, held=request["stamp"])
    name = building(request["stamp"])
    try:
        with place.inner(name, create=True) as folder:
            for entry, seconds in compile_into(
                folder, request["entries"], request["facts"], os.environ, Patience(MOST)
            ):
                tell(_STDOUT, compiled=entry, seconds=seconds)
            sources = [Path(source) for source in request["sources"]]
            if stamp(sources, request["extra"], os.environ) != request["stamp"]:
                tell(_STDOUT, changed=True)  # somebody edits them: such code must not be kept under the stamp
                return
            with place.inner(request["stamp"], create=True) as kept:
                _publish(folder, kept)
            tell(_STDOUT, kept=str(place.path / request["stamp"]))
    finally:
        place.remove(name)
    sweep(place)


def _publish(folder: Folder, kept: Folder) -> None:
    """Rename what was made into its place; a NAME.json vouches for what was published before it."""
    for name in sorted(folder.names(), key=lambda name: name.endswith(".json")):
        folder.move(name, kept, name)


def compile_into(
    folder: Folder, entries: Mapping[str, str], facts: str, environ: Mapping[str, str], waiting: Patience
) -> Iterator[tuple[str, float]]:
    """Compile entries (name -> module) into the folder, in as many processes as there are CPUs, two at most.

    Yields each name and its seconds. OSError where the folder takes no more, BuildError where a process fails,
    StillCompiling where time is up: then nothing goes on.
    """
    jobs: list[dict[str, Any]] = [
        {"name": name, "module": module, "folder": str(folder.path)} for name, module in entries.items()
    ]
    jobs[-1]["facts"] = facts
    for name in run_builders(jobs, min(2, len(os.sched_getaffinity(0))), environ, waiting):
        yield name, Known.read(folder.read(f"{name}.json", MOST_TEXT)).seconds
