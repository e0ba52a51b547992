"""Cuts a dataset into parts: whole metrics, in first-seen order, of about equal size.

The cut depends on the data alone, never on threads or workers, and so do the names and bytes of what is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.parquet.portion import Cutter, Portion
from ridgeline.io.parquet.source import ParquetSource

TARGET_POINTS: Final = 1 << 18  # so that a few metrics make several parts: one is written while another is replayed


@dataclass(frozen=True, slots=True)
class Part:
    """Whole metrics, and where their rows are: all that a worker needs to read them."""

    number: int
    portion: Portion

    @property
    def rows(self) -> int:
        """Rows of its metrics."""
        return self.portion.rows

    @property
    def file_name(self) -> str:
        """Name of the part's file of scores."""
        return f"part-{self.number:05d}.parquet"


def scan(source: ParquetSource, target: int = TARGET_POINTS) -> tuple[Part, ...] | None:
    """The parts of a dataset, of at least `target` points each but the last; None where a metric lies in several places."""
    catalog = source.selected
    if not catalog.clustered or catalog.codes is None:
        return None
    cutter = Cutter(source.reader, catalog, source.max_points, source.max_memory)
    runs = np.append(np.flatnonzero(catalog.codes >= 0), len(catalog.codes))  # where each metric's rows are
    points = catalog.counts * (source.reader.points / max(source.reader.rows, 1))
    bounds = [0, *(int(runs[metric]) for metric in _bounds(points, target))]
    return tuple(Part(number, cutter.cut(first, end)) for number, (first, end) in enumerate(pairwise(bounds)))


def _bounds(points: NDArray[Any], target: int) -> Iterator[int]:
    """The number of metrics before the end of each part."""
    sums = np.cumsum(points)
    metrics = 0
    while metrics < len(points):
        before = sums[metrics - 1] if metrics else 0.0
        metrics = min(int(np.searchsorted(sums, before + target)) + 1, len(points))
        yield metrics
