"""The metrics of a Parquet dataset: a first pass over the metric column alone, which costs a sixth of reading it all.

It tells whether each metric's rows stand together, in which order metrics were first seen, and how many rows each has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.names import Names, numbered
from ridgeline.io.arrow.runs import Runs, changes

Ints = NDArray[np.int64]
NAMELESS: Final = -1  # the code of rows without a name
NOT_WANTED: Final = -2  # the code of rows that nobody asked for, or that cannot be read
REMEMBERED: Final = 4_000_000  # runs; in datasets with more of them, the metric column is read a second time


@dataclass(frozen=True, slots=True)
class Catalog:
    """`names` string[m] in first-seen order, `counts` int64[m] rows of each.

    `codes` and `starts` are the runs of the whole dataset (as in `Runs`; `NOT_WANTED` where a run's metric is none of
    these), or None where there are too many to keep; `numbers` then gives each name's number, and `places` (int64,
    None: the same) what it is here.
    """

    names: pa.StringArray
    counts: Ints
    numbers: Names
    codes: Ints | None
    starts: Ints | None
    places: Ints | None = None

    @property
    def clustered(self) -> bool:
        """Each metric's rows stand together; between metrics may be rows without a name."""
        return self.codes is not None and int(np.count_nonzero(self.codes >= 0)) == len(self.names)

    def wanted_between(self, start: int, stop: int) -> bool:
        """Whether any of the rows start..stop is one of these metrics', or counts as a point without a name."""
        first, last = self._runs_between(start, stop)
        assert self.codes is not None
        return bool((self.codes[first:last] > NOT_WANTED).any())

    def runs_between(self, start: int, stop: int) -> tuple[Ints, Ints, bool]:
        """(codes, edges, goes on) of the runs of rows start..stop.

        `edges` are places in the dataset, the runs cut at both ends; the last one goes on if it is a metric's and has
        more rows behind them.
        """
        assert self.codes is not None
        assert self.starts is not None
        first, last = self._runs_between(start, stop)
        goes_on = bool(self.codes[last - 1] >= 0 and self.starts[last] > stop)
        return self.codes[first:last], np.clip(self.starts[first : last + 1], start, stop), goes_on

    def codes_between(self, start: int, stop: int) -> Ints:
        """The metric of each row start..stop of the dataset."""
        codes, edges, _ = self.runs_between(start, stop)
        return np.repeat(codes, np.diff(edges))

    def codes_of(self, runs: Runs) -> Ints:
        """The metric of each run."""
        codes = self.numbers.codes(runs)
        return codes if self.places is None else numbered(self.places, codes)

    def only(self, keep: NDArray[np.bool_]) -> Catalog:
        """The same dataset, as if it held only these of its metrics."""
        places = np.where(keep, np.cumsum(keep) - 1, NOT_WANTED)
        codes = None if self.codes is None else numbered(places, np.where(self.codes < 0, NOT_WANTED, self.codes))
        names = self.names.filter(arrow(keep))
        return replace(self, names=names, counts=self.counts[keep], codes=codes, places=places)

    def by_name(self) -> Catalog:
        """The same dataset with its metrics in the order of their names' bytes."""
        order = np.array(sorted(range(len(self.names)), key=self.names.to_pylist().__getitem__), np.int64)
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        codes = None if self.codes is None else numbered(places, self.codes)
        names, counts = self.names.take(arrow(order)), self.counts[order]
        before = places if self.places is None else numbered(places, self.places)
        return replace(self, names=names, counts=counts, codes=codes, places=before)

    def part(self, first: int, end: int, begin: int, stop: int) -> Catalog:
        """The runs first..end of a clustered dataset, among the rows begin..stop, as a catalogue of its own."""
        assert self.codes is not None
        assert self.starts is not None
        codes, starts = self.codes[first:end], np.clip(self.starts[first : end + 1], begin, stop) - begin
        named = codes[codes >= 0]
        low, high = (int(named[0]), int(named[-1]) + 1) if len(named) else (0, 0)
        return Catalog(
            strings(self.names.slice(low, high - low).to_pylist()),  # its own: a slice would bring along all names
            self.counts[low:high],
            Names(),
            np.concatenate([[NOT_WANTED], np.where(codes >= 0, codes - low, codes), [NOT_WANTED]]),
            np.concatenate([[0], starts, [stop - begin]]),
        )

    def starts_of(self, first: int, end: int) -> tuple[int, int]:
        """The rows of the runs first..end."""
        assert self.starts is not None
        return int(self.starts[first]), int(self.starts[end])

    def _runs_between(self, start: int, stop: int) -> tuple[int, int]:
        assert self.starts is not None
        first, last = np.searchsorted(self.starts, [start, stop - 1], side="right").tolist()
        return first - 1, last


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
