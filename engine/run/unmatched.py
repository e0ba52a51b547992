"""What the configuration names in vain: a pattern that matches no metric is mostly a slip of the pen."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ridgeline.engine.config.model import Config
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn


@dataclass(slots=True)
class UnmatchedSink:
    """Tells the report which patterns matched no listed metric, once the alerts are out."""

    patterns: tuple[str, ...]
    wants_series: bool = False
    wants_all: bool = False
    _names: list[pa.StringArray] = field(default_factory=list)
    _settled: list[Settled] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep the names: a column that the verdicts hold already."""
        self._names.append(verdicts.column("metric"))

    def settle(self, settled: Settled) -> None:
        """Keep whom to ask for the names."""
        self._settled.append(settled)

    def finish(self, turn: Turn) -> None:
        """Look for each pattern among all names; not where some are unknown: not read, or other hosts'."""
        if not (turn.whole and turn.share.whole):
            return
        memory = turn.memory
        if memory is not None and memory.unmatched is not None:
            turn.report.unmatched = memory.unmatched
            return
        skipped = () if turn.selection is None else turn.selection.skipped
        settled = (some.names(np.ones(len(some), np.bool_)) for some in self._settled)
        names = [*(name for part in self._names for name in part.to_pylist()), *chain(*settled), *skipped]
        turn.report.unmatched = list(Patterns(self.patterns).unmatched(names))
        if memory is not None:
            memory.unmatched = turn.report.unmatched


def patterns_of(config: Config) -> tuple[str, ...]:
    """Every pattern of the configuration, once each, in its order."""
    matches = [*(row.match for row in config.overrides), *(row.match for row in config.alerts)]
    excluded = () if config.stale_digest is None else config.stale_digest.exclude
    later = () if config.second_stage is None else config.second_stage.match
    gaps = (*config.airgaps.check, *config.airgaps.skip) if config.airgaps.identify else ()
    early = (*config.analysis.skip, *config.batch.match, *config.preparation.patterns)
    return tuple(dict.fromkeys([*early, *matches, *excluded, *later, *gaps]))
