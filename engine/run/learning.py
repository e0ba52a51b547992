"""Teaches a memory from a dataset what walks would otherwise learn in days of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.memory.sections import sections
from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import rules_of
from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.walks.kept import ENTRY, Kept
from ridgeline.engine.walks.said import NEVER, Said, thresholds_of
from ridgeline.io.errors import InputError
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.redis.source import key_of
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ridgeline.engine.config.model import Config
    from ridgeline.engine.run.place import Place
    from ridgeline.io.matrix import MetricMatrix
    from ridgeline.io.source import Select


@dataclass(slots=True)
class Learned:
    """What a memory was taught: of how many metrics, `new` ones among them, how many points; who is still `learning`."""

    path: Path
    metrics: int = 0
    new: int = 0
    points: int = 0
    learning: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the object of `memory learn --json`."""
        return {"path": str(self.path), **{name: getattr(self, name) for name in self.__slots__[1:]}}


def selection_of(config: Config) -> Select:
    """Which metrics of a dataset are learned: none that is skipped. Raises InputError where no rule goes by walks."""
    if NEEDS_WALKS.isdisjoint(rules_of(config.analysis.rule, config.overrides)):
        raise InputError(
            'there is nothing to learn: no rule of this configuration goes by walks, as `rule = "pages"` does'
        )
    return Selection(skip=config.analysis.skip)


def learn(
    config: Config, place: Place, matrices: Iterable[MetricMatrix], now: int, told: Callable[[int], None] | None = None
) -> Learned:
    """Walk what is in matrices, cleaned series that are whole each, and newer than what the memory knows; write it at the end.

    Points after `now`, epoch seconds, are left out. `told` of metrics as they are learned. Raises Unusable, and what reading
    raises: then nothing is written.
    """
    loader.prepare(ENTRY)
    scorer = Scorer.of(config.analysis, config.overrides, user=())
    found = Learned(place.path)
    with MemoryFile.open(place.path, place.owner, sections(walks=True)) as memory:
        changed = np.zeros(0, np.bool_)
        for matrix in matrices:
            changed = _learn(scorer, memory, matrix, now, found, changed)
            if told is not None:
                told(len(matrix))
        memory.commit(changed, now)
    return found


def _learn(
    scorer: Scorer, memory: MemoryFile, matrix: MetricMatrix, now: int, found: Learned, changed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Learn one matrix; return the rows that changed so far, bool[n]."""
    names = matrix.metrics.to_pylist()
    of_row = scorer.overrides.assign(names)  # which learns the policies
    thresholds = thresholds_of(scorer.overrides.policies, of_row, len(names))
    walked = thresholds < NEVER
    rows, new = _rows_of(memory, names, walked, now)
    kept = Kept(memory)
    facts = kept.walk(rows, matrix.offsets, matrix.timestamps, matrix.values, now, whole=True)
    said = Said.by(kept.hot, rows[walked], thresholds[walked], now)
    found.metrics += int(np.count_nonzero(walked))
    found.new += new
    found.points += int(facts[:, 0].sum())
    found.learning += int(np.count_nonzero(said.learning))
    every = kept.touch()
    every[: len(changed)] |= changed
    return every


def _rows_of(
    memory: MemoryFile, names: Sequence[str], walked: NDArray[np.bool_], now: int
) -> tuple[NDArray[np.int64], int]:
    """The row of each name that is walked, -1 of others, and how many are new: gone, until a run finds them listed."""
    keys = Keys.of([key_of(name, memory.owner.namespace) for name in names])
    rows = memory.rows_of(keys)
    new = walked & (rows < 0)
    if new.any():
        rows[new] = memory.add(keys.take(new))
        memory.gone[rows[new]] = now
    rows[~walked] = -1
    return rows, int(np.count_nonzero(new))
