"""Patterns against names: many rules on many anomalies, some overrides on a whole fleet, against one pattern at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np

from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import repeat
from ridgeline.bench.patterns import metric_name, one_at_a_time, pattern_text
from ridgeline.bench.row import Row
from ridgeline.engine.rules.matching import Patterns

SUMMARY: Final = "1,000 rules on 10,000 names and 200 on 100,000, against one pattern at a time"
SMALL: Final = 1000  # metrics below which a hundredth is measured


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per number of patterns; a hundredth of the names where the axes ask for a tiny fleet."""
    share = 1 if axes.metrics >= SMALL else 100
    random = np.random.default_rng(axes.seed)
    for rules, names in ((1000, 10_000), (200, 100_000)):
        patterns = [pattern_text(random, at) for at in range(rules)]
        fleet = [metric_name(random, at) for at in range(names // share)]
        timing = repeat(partial(_together, patterns, fleet), runs=axes.runs)
        alone = one_at_a_time(patterns, fleet)
        yield Row(
            "rules", f"{rules:,} patterns, compiled and asked", timing,
            len(fleet), 0, sum(map(len, fleet)), None, ("one pattern at a time", alone),
            {"rules": rules, "names": len(fleet)},
        )  # fmt: skip


def _together(patterns: list[str], names: list[str]) -> None:
    many = Patterns(patterns)
    many.hits(names)
