"""What every source of metrics offers, whatever it reads from."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import MetricMatrix

# Which of several base names are read: bool[n].
Select = Callable[[Sequence[str]], NDArray[np.bool_]]


class Source(Protocol):
    """Metrics in chunks.

    `seconds` adds up the time spent in each stage: "load" (waiting for and reading bytes), "decode" (bytes to clean
    columns). The two overlap with each other and with scoring. `bytes_read`: of series, so far. `clock_skew`: seconds
    that the source's own clock is ahead of ours, negative behind; None where that is not known. `unreadable`: (path,
    sentence) of what was left out because it could not be read, complete when `chunks` has ended.
    """

    seconds: dict[str, float]
    bytes_read: int
    clock_skew: float | None

    @property
    def unreadable(self) -> Sequence[tuple[str, str]]:
        """What was left out."""

    def list(self) -> builtins.list[str] | None:
        """Base names, where the source knows them before it reads (Redis); None where it streams (Parquet)."""

    def chunks(self) -> Iterator[MetricMatrix]:
        """Matrices in first-seen order of their metrics; a metric is in one of them only, whole."""

    def newest(self) -> int | None:
        """The newest sane timestamp of all, where it can be told beforehand."""
