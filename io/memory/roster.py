"""Who has a row: keys, their hashes, and the columns that the file itself knows about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.bulk import checksum
from ridgeline.io.memory.hashing import hashes
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.sections import COLUMNS


@dataclass(frozen=True, slots=True)
class Roster:
    """`keys` of n rows, `hashed` uint64[n], and each column by its name."""

    keys: Keys
    hashed: NDArray[np.uint64]
    columns: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, keys: Keys, hashed: NDArray[np.uint64] | None = None) -> Roster:
        """A roster of these keys; columns say nothing."""
        columns = {column.name: np.full(len(keys), column.nothing, column.dtype) for column in COLUMNS}
        return cls(keys, hashes(keys) if hashed is None else hashed, columns)

    def __len__(self) -> int:
        return len(self.keys)

    def plus(self, others: Roster) -> Roster:
        """These rows, then the others."""
        columns = {name: np.concatenate([values, others.columns[name]]) for name, values in self.columns.items()}
        return Roster(self.keys.plus(others.keys), np.concatenate([self.hashed, others.hashed]), columns)

    def take(self, rows: NDArray[np.int64]) -> Roster:
        """Some of the rows, in this order."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Roster(self.keys.take(rows), self.hashed[rows], columns)

    def keys_sum(self, first: int, last: int) -> int:
        """The checksum of the keys from row `first` to before `last`: where they end, their hashes, their bytes."""
        ends = self.keys.offsets[first : last + 1]
        return checksum(ends[1:], self.hashed[first:last], self.keys.data[ends[0] : ends[-1]])

    def sums(self) -> dict[str, int]:
        """The checksum of each column."""
        return {name: checksum(values) for name, values in self.columns.items()}
