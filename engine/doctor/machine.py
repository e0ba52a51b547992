"""Python, processors, and where compiled kernels are kept."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from typing import Final

from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.kernels.native import loader

NATIVE: Final = ("library", "object")  # how kernels are loaded that lie ready


def look_at_machine(threads: int) -> Iterator[Check]:
    """Python and CPUs; `threads` as configured, 0 for as many as there are."""
    version = platform.python_version()
    yield green("python", f"Python {version} at {sys.executable}, {platform.machine()}")
    available = len(os.sched_getaffinity(0))
    if threads > available:
        yield yellow(
            "cpu",
            f"[run] threads = {threads}, and this process may use {available} CPUs",
            "leave [run] threads out: it is as many as there are CPUs",
        )
    else:
        yield green("cpu", f"{threads or available} of {available} CPUs are used")


def look_at_kernels() -> Iterator[Check]:
    """The compiled kernels: ready, and in a folder that others cannot change."""
    warmed = loader.warmup(lambda _: None)
    if warmed.folder is None:
        yield red(
            "kernels",
            f"compiled kernels cannot be kept: {warmed.problem}",
            "set RIDGELINE_CACHE_DIR to a folder that you alone can write to; else every run compiles anew",
        )
        return
    slow = [name for name, origin in warmed.origins.items() if origin not in NATIVE]
    if warmed.compiled:
        seconds = sum(warmed.compiled.values())
        yield yellow(
            "kernels",
            f"they were compiled just now, in {seconds:.0f} s, into {warmed.folder}",
            "run `ridgeline warmup` after each update, as the user and on the kind of CPU that runs have",
        )
    elif slow:
        yield yellow(
            "kernels",
            f"{', '.join(slow)} are compiled by numba at each start",
            "look at what `ridgeline warmup` says",
        )
    else:
        yield green("kernels", f"ready in {warmed.folder}, which no other user can change")
