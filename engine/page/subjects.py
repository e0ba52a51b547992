"""One metric of the page: its columns, packed, and the few facts that the script shows beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ridgeline.engine.evaluate.labels import Window
from ridgeline.engine.page.blocks import Block
from ridgeline.engine.page.chosen import POINTS
from ridgeline.engine.page.packed import Packer, outcome_codes
from ridgeline.engine.rules.judgement import EXPECTED_HIGH, EXPECTED_LOW
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.text import escape

CODES: Final = {name: code for code, name in enumerate(OUTCOMES)}
CHANNELS: Final = "channels"


@dataclass(frozen=True, slots=True)
class Shown:
    """A metric in the page: `facts` go into its summary, `columns` (base64) into an element of their own."""

    facts: Mapping[str, Any]
    columns: str


def shown(
    block: Block, algorithms: Sequence[str], score: str, labels: Sequence[Window], pages: npt.NDArray[np.int64]
) -> Shown:
    """Pack a block of one metric; of very long metrics the newest steps.

    `score` is the column of the rule in force, `pages` int64[p] the instants at which the metric paged.
    """
    left_out = max(0, block.table.num_rows - POINTS)
    rows = Block(block.names, np.array([0, block.table.num_rows - left_out]), block.table.slice(left_out))
    stamps = rows.timestamps()
    packer = Packer()
    packer.add("delta", np.diff(stamps, prepend=stamps[0]).astype(np.uint32), base=int(stamps[0]))
    packer.values(rows.numbers("value"))
    packer.score(rows.numbers(score))
    packer.add("outcome", outcome_codes(rows.table["outcome"].combine_chunks(), CODES))
    packer.bits("anomalous", rows.truths("anomalous")[:, None], ("anomalous",))
    packer.bits("votes", rows.fired(algorithms), algorithms)
    if CHANNELS in rows.table.column_names:
        packer.bits("channels", *_channels(rows.table[CHANNELS].combine_chunks()))
    if EXPECTED_LOW in rows.table.column_names:
        packer.bounds(rows.numbers(EXPECTED_LOW), rows.numbers(EXPECTED_HIGH))
    packer.add("pages", pages.astype(np.uint32))
    facts = {
        "name": escape(block.names[0]),
        "left_out": left_out,
        "sections": packer.layout,
        "labels": [list(window) for window in _within(labels, int(stamps[0]), int(stamps[-1]))],
    }
    return Shown(facts, packer.text())


def _within(windows: Sequence[Window], first: int, last: int) -> list[Window]:
    """The windows that touch what is drawn, cut to it: their ends may be open."""
    return [(max(start, first), min(end, last)) for start, end in windows if start <= last and end >= first]


def _channels(column: pa.Array) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """bool[n, channels] of a column of lists, and the channels' names in order."""
    spoken = pc.list_flatten(column)
    names = sorted(pc.unique(spoken).to_pylist())
    rows = pc.list_parent_indices(column).to_numpy()
    truths = np.zeros((len(column), len(names)), np.bool_)
    for place, name in enumerate(names):
        truths[rows[pc.equal(spoken, name).to_numpy(zero_copy_only=False)], place] = True
    return truths, names
