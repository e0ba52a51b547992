"""What a user could pick instead, doing as much of the same work as it can. Each says exactly what it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ridgeline.engine.demo.fleet import Fleet
from ridgeline.engine.score.plan import algorithm_names


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A tool's way of doing the work; `prepare` gives the timed call, its data already in the tool's own form."""

    name: str
    work: str
    needs: tuple[str, ...]
    prepare: Callable[[Fleet], Callable[[], Any]]
    series: int = 500

    @property
    def available(self) -> bool:
        """Whether its libraries are installed."""
        return all(find_spec(name) for name in self.needs)


def _polars(fleet: Fleet) -> Callable[[], Any]:
    from ridgeline.bench.polars_votes import frame_of, votes

    frame = frame_of(fleet)
    return lambda: votes(frame)


def _pandas(fleet: Fleet) -> Callable[[], Any]:
    import pandas as pd

    rows, points = fleet.values.shape
    frame = pd.DataFrame({"metric": np.repeat(np.arange(rows), points), "value": fleet.values.ravel()})

    def work() -> Any:
        grouped = frame.groupby("metric", sort=False)["value"]
        return grouped.mean(), grouped.std(), grouped.median(), grouped.tail(3)

    return work


def _bottleneck(fleet: Fleet) -> Callable[[], Any]:
    import bottleneck
    import numbagg

    values = fleet.values

    def work() -> Any:
        middle = bottleneck.median(values, axis=1)
        deviation = bottleneck.median(np.abs(values - middle[:, None]), axis=1)
        smooth = numbagg.move_exp_nanmean(values, alpha=1 / 51)[:, -1]
        return values.mean(axis=1), values.std(axis=1, ddof=1), deviation, smooth

    return work


YARDSTICKS = (
    Yardstick(
        "polars",
        "eight of the nine votes and their consensus, as hand-written expressions (no ks_test)",
        ("polars",),
        _polars,
    ),
    Yardstick(
        "bottleneck+numbagg",
        "inputs of four of the nine: mean, std, MAD, EWM mean; no votes",
        ("bottleneck", "numbagg"),
        _bottleneck,
    ),
    Yardstick(
        "pandas", "inputs of three of the nine by groupby: mean, std, median, tail; no votes", ("pandas",), _pandas
    ),
)


def oracle_yardstick(folder: str) -> Yardstick:
    """Our own slow twins (plain loops and exact fractions) from the tests of a checkout."""

    def prepare(fleet: Fleet) -> Callable[[], Any]:
        return lambda: oracle_votes(fleet, folder)

    work = "eight of the nine votes (no ks_test), one series at a time, by the tests' twins in exact fractions"
    return Yardstick("oracle", work, (), prepare, series=10)


def oracle_votes(fleet: Fleet, folder: str) -> dict[str, list[bool]]:
    """The `native` vote of every algorithm that the oracle in `folder` has, by name, in the order of the fleet."""
    import sys

    sys.path.insert(0, folder)
    try:
        oracle = import_module("twins.votes")
    finally:
        sys.path.remove(folder)
    stamps = fleet.timestamps.tolist()
    twins = {name: getattr(oracle, name) for name in algorithm_names() if hasattr(oracle, name)}
    return {
        name: [twin(stamps, x.tolist(), "native", stamps[-1], 86400) > 1 for x in fleet.values]
        for name, twin in twins.items()
    }
