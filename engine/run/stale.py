"""Which metrics are newly stale: quiet for longer than they usually are, and not yet left out for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.alerts.digest import StaleDigest
from ridgeline.engine.config.model import Config
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.io.ordered import median
from ridgeline.kernels.score.layout import STALE

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

STEPS: Final = 3  # of a metric's own resolution that are no news
MOST: Final = 7 * 86400


@dataclass(slots=True)
class StaleSink:
    """Finds metrics whose newest point is older than `after` and three of their steps, while they are still judged.

    as_of    the run's clock, epoch seconds
    period   seconds after which every metric is stale
    found    the newest timestamp of each
    """

    digest: StaleDigest
    as_of: int
    period: int
    wants_series: bool = True
    wants_all: bool = False
    found: dict[str, int] = field(default_factory=dict)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Look at the block; only late metrics cost more than a comparison."""
        columns = (verdicts.column(name).to_pylist() for name in ("metric", "outcome", "timestamp"))
        limit = self.as_of - self.digest.after
        late = {
            metric: timestamp
            for metric, outcome, timestamp in zip(*columns, strict=True)
            if timestamp is not None and timestamp < limit and outcome != "stale"
        }
        if not late or matrix is None:
            return
        names, series = list(late), matrix.cleaned
        excluded = Patterns(self.digest.exclude).any(names)
        wanted = {name for name, out in zip(names, excluded, strict=True) if not out}
        for row, name in enumerate(series.metrics.to_pylist()):
            begin, end = series.offsets[row], series.offsets[row + 1]
            if name in wanted and self.as_of - late[name] > STEPS * _step(series.timestamps[begin:end]):
                self.found[name] = late[name]

    def settle(self, settled: Settled) -> None:
        """Only late metrics cost more than a comparison."""
        late = (settled.timestamps > 0) & (settled.timestamps < self.as_of - self.digest.after)
        late &= (settled.outcomes != STALE) & (self.as_of - settled.timestamps > STEPS * settled.resolutions)
        names = settled.names(late)
        excluded = Patterns(self.digest.exclude).any(names)
        stamps = settled.timestamps[late].tolist()
        self.found |= {name: stamp for name, stamp, out in zip(names, stamps, excluded, strict=True) if not out}

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: what was told goes with the alerts."""


def longest(config: Config, usual: int) -> int:
    """Seconds after which every metric is stale, `usual` where nothing else is said; at most a week is remembered."""
    own = [config.analysis.stale_period or 0, *(override.stale_period or 0 for override in config.overrides)]
    return min(max(usual, *own), MOST)


def _step(timestamps: NDArray[np.int64]) -> float:
    """The median step of int64[n] timestamps, seconds; 0 below two points."""
    return median(np.diff(timestamps)) if len(timestamps) > 1 else 0.0
