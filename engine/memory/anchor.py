"""Anchors rows of a memory anew, by series that were read whole and what was found of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.memory.layout import QUEUE_POINTS, QUEUE_WORDS, anchor_room
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from ridgeline.engine.memory.judging import Judging
    from ridgeline.engine.prepare.series import Prepared
    from ridgeline.engine.score.matrix import Judged

Ints = NDArray[np.int64]

LEAST: Final = QUEUE_POINTS // 4  # points of a queue where many are filled at once


@dataclass(slots=True)
class Anchor:
    """Writes rows hot int64[n, HOT_WORDS]; their queues are kept until they are written, `rows` int64[k] with int64[k, QUEUE_WORDS]."""

    hot: Ints
    judging: Judging
    rows: list[Ints] = field(default_factory=list)
    queues: list[Ints] = field(default_factory=list)

    def take(self, prepared: Prepared, judged: Judged, rows: Ints, odd: NDArray[np.bool_], *, many: bool) -> None:
        """Anchor the rows int64[m] of m series that were judged, below 0 where there is none; `odd`: never to be settled.

        many: whether most of the fleet is anchored in this run: then their queues are of unequal length.
        """
        judging, matrix, count = self.judging, prepared.cleaned, len(rows)
        done = np.zeros(count, np.uint8) if prepared.done is None else prepared.done
        own = np.maximum(rows, 0)
        longest = int(np.diff(matrix.offsets).max(initial=1))
        queue = np.empty((count, QUEUE_WORDS), np.int64)
        loader.entry("anchor")(
            matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates, odd.astype(np.uint8),
            judging.asks[own], done, judging.as_of, judging.meanings[own], judging.windows[own], judging.policies.of_row[own], judging.judgements,
            judging.switches, judging.weights(longest), judged.outcomes, judged.anomalous.view(np.uint8),
            judged.results.points, judged.results.facts, rows, queue_lengths(rows) if many else _full(count),
            self.hot, queue, np.empty(anchor_room(longest)), 0, count,
        )  # fmt: skip
        if (rows[:1] < 0).any() or (rows[1:] <= rows[:-1]).any():
            known = np.flatnonzero(rows >= 0)
            known = known[np.argsort(rows[known])]  # as the file wants them, in whatever order series were read
            rows, queue = rows[known], queue[known]
        self.rows.append(rows)
        self.queues.append(queue)


def queue_lengths(rows: Ints) -> Ints:
    """How many points the queues of rows int64[m] hold that are all filled in one run: some fewer, so that they do not all run out in one."""
    return LEAST + (rows * 40_503 >> 4) % (QUEUE_POINTS - LEAST + 1)


def _full(count: int) -> Ints:
    return np.full(count, QUEUE_POINTS)
