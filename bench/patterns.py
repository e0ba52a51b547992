"""Names of metrics and patterns for them, as an operator of some thousand hosts would write both, and asked naively."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from ridgeline.engine.rules.pattern import Pattern

HOSTS: Final = 2500
KINDS: Final = ("timers", "counters", "gauges")
THINGS: Final = ("cpu", "mem", "disk.sda1", "nginx.requests", "api.latency")
ENDS: Final = ("count", "upper_90", "mean", "errors")
ASKED: Final = 1000  # names that the yardstick is measured on; it takes as long for each of them


def metric_name(random: np.random.Generator, at: int) -> str:
    """The name of a metric; `at` tells it from all others."""
    parts = (KINDS[random.integers(3)], f"web{at % HOSTS:04d}", THINGS[random.integers(5)], ENDS[random.integers(4)])
    return f"stats.{'.'.join(parts)}.{at // HOSTS}"


def pattern_text(random: np.random.Generator, at: int) -> str:
    """A pattern: parts of names, elements in any order, expressions, in turn."""
    host = random.integers(HOSTS)
    shapes = (
        f"stats.timers.web{host:04d}",
        f"web{host:04d}.cpu",
        f"web{host:04d}.api.latency.mean",
        f"gauges.web{host:04d}.errors",
        f"disk.sda1.{host % 40}",
        rf"^stats\.gauges\.web{host:04d}\..*",
        f".*web{host:04d}.*errors$",
        f"stats.*.web{host:04d}.mem",
        rf"(stats|carbon)\.timers\.web[0-9]*{host % 100:02d}\.cpu",
        ("nginx", "api.latency", ".*sda1.*", r"stats\.counters\.")[host % 4],
    )
    return shapes[at % len(shapes)]


def one_at_a_time(
    patterns: Sequence[str], names: Sequence[str], clock: Callable[[], float] = time.perf_counter
) -> float:
    """The yardstick: seconds to ask each pattern about each name alone, measured on some of the names."""
    some = names[:: max(len(names) // ASKED, 1)]
    began = clock()
    for pattern in map(Pattern, patterns):
        for name in some:
            pattern.matches(name)
    return (clock() - began) * len(names) / len(some)
