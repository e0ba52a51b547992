"""What a memory that is only read says of series in files: as a run would that came now, and nothing is kept."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ridgeline.engine.score.plan import resolve_as_of
from ridgeline.engine.walks.kept import ENTRY, HOT, SECTIONS, Pieces
from ridgeline.engine.walks.said import NEVER, Said, thresholds_of
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.summary import owner_of
from ridgeline.io.memory.unusable import Unusable
from ridgeline.io.redis.source import key_of
from ridgeline.kernels.native import loader
from ridgeline.kernels.paging.layout import WALKED

if TYPE_CHECKING:
    from pathlib import Path

    from ridgeline.engine.score.plan import ScorePlan
    from ridgeline.engine.score.scorer import Assigned, Scorer
    from ridgeline.engine.walks.kept import Ints
    from ridgeline.io.matrix import MetricMatrix


@dataclass(eq=False)
class Recalled:
    """Rules by walks for the rows of a matrix: what the memory learned of each, and the points that came since.

    A metric that the memory does not know is walked from its first point. `counts`: points that were `walked`, and
    metrics `unknown` to the memory.
    """

    file: MemoryFile
    plan: ScorePlan
    counts: dict[str, int] = field(default_factory=lambda: {"walked": 0, "unknown": 0})

    def __call__(self, matrix: MetricMatrix, assigned: Assigned) -> Said:
        """Of each row: its newest point not later than its own as-of is judged, or what the memory says of it stands.

        Nothing is known of a row where the memory has walked on beyond that point.
        """
        count = len(matrix)
        thresholds = thresholds_of(assigned.policies, assigned.of_row, count)
        walked = np.flatnonzero(thresholds < NEVER)
        keys = Keys.of([key_of(matrix.name(row), self.file.owner.namespace) for row in walked.tolist()])
        known = self.file.rows_of(keys)
        pieces = Pieces.copied(self.file, known)
        places = np.full(count, -1)
        places[walked] = np.arange(len(walked))
        newest = self._walk(matrix, pieces, places)
        self.counts["unknown"] += int(np.count_nonzero(known < 0))
        return Said.by(pieces.hot, places, thresholds, newest)

    def _walk(self, matrix: MetricMatrix, pieces: Pieces, places: Ints) -> Ints:
        """Walk what is new of each row, the newest point by itself; return when that is, int64[n]."""
        starts, stamps = matrix.offsets[:-1], matrix.timestamps
        as_of = resolve_as_of(matrix, self.plan)
        row_of = np.repeat(np.arange(len(matrix)), np.diff(matrix.offsets))
        here = (stamps <= as_of[row_of]) | (as_of[row_of] == NO_AS_OF)
        ends = starts + np.bincount(row_of[here], minlength=len(matrix))
        newest = np.full(len(matrix), NO_AS_OF)
        some = ends > starts
        newest[some] = stamps[ends[some] - 1]
        for chosen in (here & (stamps < newest[row_of]), here & (stamps == newest[row_of])):
            offsets = np.zeros(len(matrix) + 1, np.int64)
            np.cumsum(np.bincount(row_of[chosen], minlength=len(matrix)), out=offsets[1:])
            latest = int(newest.max(initial=0))
            facts = pieces.walk(places, offsets, stamps[chosen], matrix.values[chosen], latest, whole=True)
            self.counts["walked"] += int(facts[:, WALKED].sum())
        return newest


@contextlib.contextmanager
def recalling(scorer: Scorer, path: Path | None) -> Iterator[tuple[Scorer, Recalled | None]]:
    """A scorer that judges by the memory at `path` what a rule by walks is for, for the length of the block.

    Raises Unusable where the memory says nothing, and InputError where no rule would ask it; None: there is none to ask.
    """
    if path is None:
        yield scorer, None
        return
    if not scorer.plan.walks:
        raise InputError('no metric is judged by a memory: no rule here goes by walks, as `rule = "pages"` does')
    loader.prepare(ENTRY)
    with MemoryFile.open(path, owner_of(path), SECTIONS, writing=False) as file:
        if file.anew is not None or HOT.name in file.dropped:
            raise Unusable(
                f"{path} holds nothing that walks of this version of Ridgeline learned: runs write it that judge by a "
                "rule that goes by walks, or `ridgeline memory learn`"
            )
        known = Recalled(file, scorer.plan)
        yield replace(scorer, ruling=known), known
