"""Patterns against names: many rules on many anomalies, some overrides on a whole fleet, against one pattern at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import repeat
from ridgeline.bench.row import Row
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.rules.pattern import Pattern

SUMMARY: Final = "1,000 rules on 10,000 names and 200 on 100,000, against one pattern at a time"
ASKED_ALONE: Final = 1000  # names that the yardstick is measured on; it takes as long for each of them
HOSTS: Final = 2500
KINDS: Final = ("timers", "counters", "gauges")
THINGS: Final = ("cpu", "mem", "disk.sda1", "nginx.requests", "api.latency")
ENDS: Final = ("count", "upper_90", "mean", "errors")


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per number of patterns; a hundredth of the names where the axes ask for a tiny fleet."""
    share = 1 if axes.metrics >= ASKED_ALONE else 100
    random = np.random.default_rng(axes.seed)
    for rules, names in ((1000, 10_000), (200, 100_000)):
        patterns = [_pattern(random, at) for at in range(rules)]
        fleet = [_name(random, at) for at in range(names // share)]
        timing = repeat(partial(_together, patterns, fleet), runs=axes.runs)
        some = fleet[:: max(len(fleet) // ASKED_ALONE, 1)]
        alone = repeat(partial(_alone, patterns, some), runs=1, warmup=0).median * len(fleet) / len(some)
        yield Row(
            "rules", f"{rules:,} patterns, compiled and asked", timing,
            len(fleet), 0, sum(map(len, fleet)), None, ("one pattern at a time", alone),
            {"rules": rules, "names": len(fleet)},
        )  # fmt: skip


def _together(patterns: list[str], names: list[str]) -> None:
    many = Patterns(patterns)
    many.hits(names)


def _alone(patterns: list[str], names: list[str]) -> None:
    for pattern in map(Pattern, patterns):
        for name in names:
            pattern.matches(name)


def _name(random: np.random.Generator, at: int) -> str:
    parts = (KINDS[random.integers(3)], f"web{at % HOSTS:04d}", THINGS[random.integers(5)], ENDS[random.integers(4)])
    return f"stats.{'.'.join(parts)}.{at // HOSTS}"


def _pattern(random: np.random.Generator, at: int) -> str:
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
