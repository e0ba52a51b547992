"""Repeated timing on a shared, noisy machine: median, spread, and peak memory."""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ridgeline.engine.cli.sparing import SPARED

RESET_PEAK: Final = "5"  # what /proc/self/clear_refs takes to forget the peak (proc(5))


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each repetition, and the process's peak memory meanwhile (None where the system does not tell)."""

    seconds: tuple[float, ...]
    peak: int | None = None

    @property
    def median(self) -> float:
        """The middle of the repetitions."""
        return statistics.median(self.seconds)

    @property
    def error(self) -> float:
        """Standard error of the median, as a share of it; infinite for fewer than three repetitions.

        1.2533 s / sqrt(n) for a normal sample, s estimated by the interquartile range / 1.349, which one interrupted
        repetition does not move.
        """
        n = len(self.seconds)
        if n < 3:
            return math.inf
        first, _, third = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return 1.2533 * (third - first) / 1.349 / math.sqrt(n) / self.median


def repeat(
    work: Callable[[], object], *, runs: int, warmup: int = 1, clock: Callable[[], float] = time.perf_counter
) -> Timing:
    """Time `work` `runs` times after `warmup` uncounted ones."""
    for _ in range(warmup):
        work()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text(RESET_PEAK, encoding="ascii")
    seconds = []
    for _ in range(runs):
        began = clock()
        work()
        seconds.append(clock() - began)
    return Timing(tuple(seconds), peak_memory())


def alternate(
    works: dict[str, Callable[[], object]], *, runs: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Timing]:
    """Time several works in turn (A B A B ...), so that their ratios hold on a machine whose speed drifts."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(runs):
        for name, work in works.items():
            began = clock()
            work()
            seconds[name].append(clock() - began)
    return {name: Timing(tuple(taken)) for name, taken in seconds.items()}


def process(
    command: list[str], environment: Mapping[str, str] | None = None, *, ends: Collection[int] = (0,)
) -> Callable[[], object]:
    """A command to be timed as a process of its own; `ends`: the exit codes that it may have.

    Its environment is the user's, as it is from cron, not what the command line has made of it for itself. It keeps what
    Python compiles: where the environment forbids that, each start would do it anew.
    """
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", *SPARED}}

    def work() -> None:
        done = subprocess.run(command, check=False, capture_output=True, env={**kept, **(environment or {})})  # noqa: S603 - our own command
        if done.returncode not in ends:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)

    return work


def spent_by_children() -> float:
    """Seconds of CPU of the processes that have ended: a clock for commands."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def peak_memory() -> int | None:
    """Peak resident bytes of this process, since the last reset."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)
