"""Puts the pieces of a metric together that lie in several row groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ridgeline.engine.page.blocks import Block


@dataclass(slots=True)
class Gathering:
    """Whole metrics out of blocks, of those that are `wanted`; only the one that may go on is kept."""

    wanted: Callable[[str], bool]
    _name: str = ""
    _pieces: list[pa.Table] = field(default_factory=list)

    def take(self, block: Block) -> Iterator[Block]:
        """The metrics that are whole with this block, each as a block of its own."""
        for name, start, stop in zip(block.names, block.bounds[:-1].tolist(), block.bounds[1:].tolist(), strict=True):
            if name != self._name:
                yield from self.finish()
                self._name = name
            if self.wanted(name):
                self._pieces.append(block.table.slice(start, stop - start))

    def finish(self) -> Iterator[Block]:
        """The last metric."""
        if self._pieces:
            table = pa.concat_tables(self._pieces).unify_dictionaries().combine_chunks()
            self._pieces = []
            yield Block((self._name,), np.array([0, table.num_rows]), table)
