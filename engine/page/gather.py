"""Blocks cut anew, so that every metric in them is whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from ridgeline.engine.page.blocks import Block


def whole_metrics(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same steps; a metric that lies in several row groups is put together, and comes as a block of its own."""
    pieces: list[Block] = []  # of the metric that may go on
    for block in blocks:
        begin = 0
        if pieces and block.names[0] == pieces[0].names[0]:
            pieces.append(block.cut(0, 1))
            begin = 1
        if begin == len(block.names):
            continue
        if pieces:
            yield _joined(pieces)
        last = len(block.names) - 1
        if begin < last:
            yield block.cut(begin, last)
        pieces = [block.cut(last, last + 1)]
    if pieces:
        yield _joined(pieces)


def _joined(pieces: list[Block]) -> Block:
    if len(pieces) == 1:
        return pieces[0]
    table = pa.concat_tables([piece.table for piece in pieces]).unify_dictionaries().combine_chunks()
    return Block(pieces[0].names, np.array([0, table.num_rows]), table)
