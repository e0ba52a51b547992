"""Finds the one series that is to be explained, without reading any other where that can be helped."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.config.model import Config
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.reasons import NO_KEY, WRONG_TYPE
from ridgeline.io.source import Reading
from ridgeline.io.sources import load
from ridgeline.io.text import escape

PATIENCE: Final = 60.0  # seconds for reading


def find_series(config: Config, metric: str) -> tuple[MetricMatrix, int | None]:
    """The series of a metric as a matrix of one row, and the newest timestamp of a source that is a file.

    Raises InputError where the source has no such metric; SourceUnavailable, AuthenticationFailed.
    """
    kind = load()[config.source.kind]
    settings = config.source.settings
    end = time.monotonic() + max(config.run.deadline, PATIENCE)
    reading = Reading(Picker(metric), lambda: end - time.monotonic(), config.run.max_memory, names=(metric,))
    source = kind.open(settings, reading)
    try:
        newest = source.newest()
        for matrix in source.chunks():
            rows = [row for row, name in enumerate(matrix.metrics.to_pylist()) if name == metric]
            reason = matrix.reasons[rows[0]] if rows else NO_KEY
            if reason == WRONG_TYPE:
                raise InputError(f"{escape(metric)} in {settings.identity()} is no series: its key is of another type")
            if reason != NO_KEY:
                return matrix.slice(rows[0], rows[0] + 1), newest
    finally:
        source.close()
    raise InputError(f"there is no metric {escape(metric)} in {settings.identity()}: its name is to be given in full")


def from_files(config: Config, path: str) -> Config:
    """The configuration with files at `path` as its source."""
    files = replace(config.source.each["parquet"], path=path)
    return replace(config, source=replace(config.source, kind="parquet", each={**config.source.each, "parquet": files}))


@dataclass(frozen=True, slots=True)
class Picker:
    """Picks one name of many."""

    metric: str

    def __call__(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """bool[n]: which of the names is the one."""
        return np.array([name == self.metric for name in names], np.bool_)
