"""Stored scores, read in bounded blocks: a row group at a time, its rows told apart by metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ridgeline.engine.page.stored import Stored, opened
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.io.errors import InputError


@dataclass(frozen=True, slots=True)
class Block:
    """Steps of some metrics, each metric's in time order; rows `bounds[k]` up to `bounds[k + 1]` are those of `names[k]`.

    A metric that lies in two row groups comes in two blocks, one after the other.
    """

    names: tuple[str, ...]
    bounds: npt.NDArray[np.int64]
    table: pa.Table

    def cut(self, begin: int, end: int) -> Block:
        """The metrics from place `begin` up to `end`."""
        start, stop = int(self.bounds[begin]), int(self.bounds[end])
        return Block(self.names[begin:end], self.bounds[begin : end + 1] - start, self.table.slice(start, stop - start))

    def timestamps(self) -> npt.NDArray[np.int64]:
        """int64[n], epoch seconds."""
        found: npt.NDArray[np.int64] = self.table["timestamp"].to_numpy()
        return found

    def numbers(self, column: str) -> npt.NDArray[np.float64]:
        """float64[n]; NaN where the column is null."""
        found: npt.NDArray[np.float64] = self.table[column].to_numpy().astype(np.float64)
        return found

    def truths(self, column: str) -> npt.NDArray[np.bool_]:
        """bool[n]; False where the column is null."""
        found: npt.NDArray[np.bool_] = pc.fill_null(self.table[column], False).to_numpy()
        return found

    def fired(self, algorithms: Sequence[str]) -> npt.NDArray[np.bool_]:
        """bool[n, algorithms]: who voted at each step."""
        return np.stack([self.numbers(name + SCORE) > 1 for name in algorithms], axis=1)


def blocks(stored: Stored, columns: Sequence[str]) -> Iterator[Block]:
    """All steps of a backtest, only these columns of them and `metric`. Raises InputError for what cannot be read."""
    for path in stored.parts:
        file = opened(path)
        for group in range(file.num_row_groups):
            try:
                table = file.read_row_group(group, columns=["metric", *columns]).combine_chunks()
            except (pa.ArrowException, OSError, KeyError) as error:
                raise InputError(f"{path} cannot be read: {error}; run the backtest anew") from error
            if table.num_rows:
                yield _block(table)


def _block(table: pa.Table) -> Block:
    encoded = table["metric"].combine_chunks()
    codes = encoded.indices.to_numpy()
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    names = encoded.dictionary.take(pa.array(codes[starts])).to_pylist()
    return Block(tuple(names), np.append(starts, len(codes)).astype(np.int64), table)
