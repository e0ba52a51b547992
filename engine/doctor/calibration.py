"""A look at some of the fleet: how quickly it is read and judged, how old it is, what in it only grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.config.model import Config
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.score.tally import RAW
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.source import Reading, Source
from ridgeline.io.sources import load

CALIBRATION: Final = 2.0  # seconds of reading and scoring
SAMPLE: Final = 5000  # metrics at most that it reads
PATIENCE: Final = 10.0  # seconds for a source that hangs


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Some metrics, read and judged as a run would.

    rate     of them, a second
    newest   the newest timestamp of each that has points, int64, epoch seconds
    growing  how many are counters that were judged by their values
    """

    metrics: int
    rate: float
    newest: NDArray[np.int64]
    growing: int


def calibrate(config: Config, names: Sequence[str] | None, source: Source, now: Callable[[], float]) -> Seen:
    """Two seconds of a run's own work. `names`: all of the fleet, None where they are not known beforehand."""
    scorer = Scorer.of(
        config.analysis,
        config.overrides,
        preparation=config.preparation,
        default_as_of=int(now()),
        threads=config.run.threads,
    )
    began = time.monotonic()
    newest = [np.empty(0, np.int64)]
    rows = growing = 0
    for matrix in _sample(config, names, source):
        growing += scorer.judge(matrix).tally.get(RAW, 0)
        filled = np.diff(matrix.offsets) > 0
        newest.append(matrix.timestamps[matrix.offsets[1:][filled] - 1])
        rows += len(matrix)
        if time.monotonic() - began > CALIBRATION:
            break
    rate = rows / max(time.monotonic() - began, 1e-9)
    return Seen(rows, rate, np.concatenate(newest), growing)


def _sample(config: Config, names: Sequence[str] | None, source: Source) -> Iterator[MetricMatrix]:
    """Metrics from all over the fleet, where its names are known; else the first."""
    if names is None:
        yield from source.chunks()
        return
    chosen = list(names[:: -(-len(names) // SAMPLE)])
    end = time.monotonic() + PATIENCE
    kind = load()[config.source.kind]
    wanted = frozenset(chosen)
    reading = Reading(
        lambda some: np.array([name in wanted for name in some], np.bool_),
        lambda: end - time.monotonic(),
        config.run.max_memory,
        names=chosen,
    )
    sampled = kind.open(config.source.settings, reading)
    try:
        yield from sampled.chunks()
    finally:
        sampled.close()
