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
from ridgeline.engine.walks.kept import ENTRIES, SECTIONS, Kept
from ridgeline.engine.walks.said import NEVER, Said, thresholds_of
from ridgeline.io.errors import InputError
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.place import held
from ridgeline.io.redis.source import key_of
from ridgeline.kernels.native import loader
from ridgeline.kernels.paging.layout import WALKED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ridgeline.engine.config.model import Config
    from ridgeline.engine.run.place import Place
    from ridgeline.io.matrix import MetricMatrix
    from ridgeline.io.parquet.source import ParquetSource
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
    config: Config, place: Place, source: ParquetSource, now: int, told: Callable[[int], None] | None = None
) -> Learned:
    """Walk what a dataset holds that is newer than what the memory knows, matrix by matrix, each written before the next.

    So no more than a matrix is held at once, and what was learned stays whatever ends it: done again, it goes on from there.
    Points after `now`, epoch seconds, are left out. `told` of metrics as they are learned. Raises Unusable, and what reading
    raises.
    """
    loader.prepare(*ENTRIES)
    scorer = Scorer.of(config.analysis, config.overrides, user=())
    found = Learned(place.path)
    with held(place.path):
        _make_rows(scorer, place, source.selected.names.to_pylist(), now, found)
        for matrix in source.chunks():
            with MemoryFile.open(place.path, place.owner, SECTIONS, locked=True) as memory:
                _learn(scorer, memory, matrix, now, found)
            if told is not None:
                told(len(matrix))
    return found


def _make_rows(scorer: Scorer, place: Place, names: Sequence[str], now: int, found: Learned) -> None:
    """Let every metric that is walked have a row, all at once: a memory that grew matrix by matrix were written as often."""
    with MemoryFile.open(place.path, place.owner, sections(walks=True), locked=True) as memory:
        rows = memory.rows_of(_keys_of(memory, names))
        new = (_thresholds(scorer, names) < NEVER) & (rows < 0)
        found.new = int(np.count_nonzero(new))
        if found.new:
            added = memory.add(_keys_of(memory, [names[at] for at in np.flatnonzero(new).tolist()]))
            memory.gone[added] = now  # until a run finds them listed
        if found.new or memory.dropped or memory.anew is not None:
            memory.commit(np.zeros(len(memory), np.bool_), now)


def _learn(scorer: Scorer, memory: MemoryFile, matrix: MetricMatrix, now: int, found: Learned) -> None:
    """Learn one matrix, and write that."""
    names = matrix.metrics.to_pylist()
    thresholds = _thresholds(scorer, names)
    walked = thresholds < NEVER
    rows = np.where(walked, memory.rows_of(_keys_of(memory, names)), -1)
    kept = Kept(memory)
    facts = kept.walk(rows, matrix.offsets, matrix.timestamps, matrix.values, now, whole=True)
    said = Said.by(kept.hot, rows[walked], thresholds[walked], now)
    found.metrics += int(np.count_nonzero(walked))
    found.points += int(facts[:, WALKED].sum())
    found.learning += int(np.count_nonzero(said.learning))
    if kept.changed.any():
        memory.commit(kept.touch(), now)


def _thresholds(scorer: Scorer, names: Sequence[str]) -> NDArray[np.float64]:
    """What scores of walks are divided by, NEVER where the walks do not judge."""
    of_row = scorer.overrides.assign(names)  # which learns the policies
    return thresholds_of(scorer.overrides.policies, of_row, len(names))


def _keys_of(memory: MemoryFile, names: Sequence[str]) -> Keys:
    return Keys.of([key_of(name, memory.owner.namespace) for name in names])
