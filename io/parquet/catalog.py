"""The metrics of a Parquet dataset: a first pass over the metric column alone, which costs a sixth of reading it all.

It tells whether each metric's rows stand together, in which order metrics were first seen, and how many rows each has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.runs import Runs, changes

Ints = NDArray[np.int64]
REMEMBERED: Final = 4_000_000  # runs; in datasets with more of them, the metric column is read a second time


class Names:
    """Numbers names in first-seen order."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._blocks: list[pa.StringArray] = []

    def __len__(self) -> int:
        return len(self._codes)

    def codes(self, runs: Runs) -> Ints:
        """The number of each run's metric, -1 where it has no name."""
        known = self._codes
        before = len(known)
        numbers = np.array([known.setdefault(name, len(known)) for name in runs.names.to_pylist()] + [-1], np.int64)
        if len(known) > before:
            fresh = len(known) - before == len(runs.names)
            self._blocks.append(runs.names if fresh else runs.names.take(arrow(np.flatnonzero(numbers >= before))))
        return numbers[runs.codes]

    def array(self) -> pa.StringArray:
        """All names, in order."""
        self._blocks = [pa.concat_arrays(self._blocks)] if self._blocks else [strings([])]
        return self._blocks[0]


@dataclass(frozen=True, slots=True)
class Catalog:
    """`names` string[m] in first-seen order, `counts` int64[m] rows of each.

    `codes` and `starts` are the runs of the whole dataset (as in `Runs`), or None where there are too many to keep;
    `numbers` then tells each name's place.
    """

    names: pa.StringArray
    counts: Ints
    numbers: Names
    codes: Ints | None
    starts: Ints | None

    @property
    def clustered(self) -> bool:
        """Each metric's rows stand together, and all have a name: run i is metric i."""
        return self.codes is not None and len(self.codes) == len(self.names) and bool((self.codes >= 0).all())

    def codes_between(self, start: int, stop: int) -> Ints:
        """The metric of each row start..stop of the dataset."""
        assert self.codes is not None
        assert self.starts is not None
        first, last = np.searchsorted(self.starts, [start, stop - 1], side="right") - 1
        edges = np.clip(self.starts[first : last + 2], start, stop)
        return np.repeat(self.codes[first : last + 1], np.diff(edges))


def catalogue(blocks: Iterable[Runs], remembered: int = REMEMBERED) -> Catalog:
    """Read the runs of a dataset's metric column, block after block; keep them if no more than `remembered`."""
    names = Names()
    codes: list[Ints] = []
    lengths: list[Ints] = []
    counts = np.zeros(1024, np.int64)
    total = 0
    for runs in blocks:
        block, rows = names.codes(runs), np.diff(runs.starts)
        counts = _counted(counts, block, rows)
        total += len(block)
        if total <= max(remembered, 2 * len(names)):
            codes.append(block)
            lengths.append(rows)
    found = names.array()
    counts = counts[: len(found)]
    if sum(map(len, codes)) < total:
        return Catalog(found, counts, names, None, None)
    code = np.concatenate([np.empty(0, np.int64), *codes])
    starts = np.append(0, np.cumsum(np.concatenate([np.empty(0, np.int64), *lengths])))
    fresh = changes(code)
    return Catalog(found, counts, names, code[fresh], np.append(starts[fresh], starts[-1]))


def constant(name: pa.StringArray, rows: int) -> Iterator[Runs]:
    """The one run of a file whose folder names its metric."""
    if rows:
        absent = name.null_count
        yield Runs(name.drop_null(), np.array([-absent]), np.array([0, rows]))


def _counted(counts: Ints, codes: Ints, rows: Ints) -> Ints:
    """Counts with these runs added; touches only the metrics from the block's lowest to its highest number."""
    named = codes >= 0
    if not named.any():
        return counts
    codes, rows = codes[named], rows[named]
    low, high = int(codes.min()), int(codes.max()) + 1
    if high > len(counts):
        counts = np.append(counts, np.zeros(max(high, 2 * len(counts)) - len(counts), np.int64))
    counts[low:high] += np.bincount(codes - low, rows, high - low).astype(np.int64)
    return counts
