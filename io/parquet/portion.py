"""Some metrics of a dataset whose metrics stand together, with all it takes to read them: small, and readable anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.catalog import Catalog
from ridgeline.io.parquet.clustered import Clustered, unread
from ridgeline.io.parquet.common import Common
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.listing import Problems
from ridgeline.io.parquet.reader import Reader

Ints = NDArray[np.int64]
# Points read at a time: portions end amid row groups, of which no more is read than they need.
AT_A_TIME: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Portion:
    """`files` with the row groups that hold the metrics of `catalog`, whose rows are those of these groups.

    `limit`: points of one metric that are read; `max_memory`: bytes.
    """

    files: tuple[DataFile, ...]
    common: Common
    catalog: Catalog
    limit: int
    max_memory: int

    @property
    def rows(self) -> int:
        """Rows of the metrics: points, or metrics where columns are lists."""
        return int(self.catalog.counts.sum())

    def matrices(self, problems: Problems) -> Iterator[MetricMatrix]:
        """The metrics in first-seen order, unreadable ones last; `problems` gets (path, sentence) of what is left out."""
        seconds = {"load": 0.0, "decode": 0.0}
        reader = Reader(self.files, self.common, self.max_memory, seconds, problems, most=AT_A_TIME)
        seen: NDArray[np.bool_] = np.zeros(len(self.catalog.names), np.bool_)
        yield from Clustered(reader, self.catalog, self.limit, seen).matrices()
        yield from unread(self.catalog.names, ~seen)


class Cutter:
    """Cuts the metrics of a dataset into portions."""

    def __init__(self, reader: Reader, catalog: Catalog, limit: int, max_memory: int) -> None:
        self._common = reader.common
        self._files = reader.files
        self._catalog = catalog
        self._limit = limit
        self._max_memory = max_memory
        self._groups = [(number, group) for number, file in enumerate(reader.files) for group in file.groups]
        self._places: Ints = np.append(0, np.cumsum([group.rows for _, group in self._groups], dtype=np.int64))

    def cut(self, first: int, end: int) -> Portion:
        """The portion of the runs first..end of the catalogue; rows without a name among them are its to count."""
        begin, stop = self._catalog.starts_of(first, end)
        low = int(np.searchsorted(self._places, begin, side="right")) - 1
        high = int(np.searchsorted(self._places, stop))
        files = tuple(
            self._files[number].travelling([group for _, group in pairs])
            for number, pairs in groupby(self._groups[low:high], key=lambda pair: pair[0])
        )
        catalog = self._catalog.part(first, end, int(self._places[low]), int(self._places[high]))
        return Portion(files, self._common, catalog, self._limit, self._max_memory)
