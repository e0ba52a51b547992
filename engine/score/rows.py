"""What is judged: rows of points. A `MetricMatrix`, or one series without Arrow around it, which for one costs too much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.clean import Series, clean


class Judgeable(Protocol):
    """Clean rows of points, columns as in `ridgeline.io.matrix.MetricMatrix`, which is the usual one."""

    def __len__(self) -> int: ...

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Bounds of rows: int64[n+1]."""

    @property
    def timestamps(self) -> NDArray[np.int64]:
        """Epoch seconds, in order of time within a row: int64[N]."""

    @property
    def values(self) -> NDArray[np.float64]:
        """Finite values: float64[N]."""

    @property
    def as_of(self) -> NDArray[np.int64]:
        """When each row is judged, epoch seconds or `NO_AS_OF`: int64[n]."""

    @property
    def reasons(self) -> NDArray[np.uint8]:
        """Why a row has no points: uint8[n]."""

    @property
    def duplicates(self) -> NDArray[np.uint8]:
        """Flags of rows that hold equal timestamps: uint8[n]."""

    @property
    def newest(self) -> int | None:
        """The newest sane timestamp."""

    def name(self, row: int) -> str:
        """The metric of a row."""


@dataclass(frozen=True, slots=True, eq=False)
class OneMetric:
    """Rows of one metric: its series, or copies of it."""

    metric: str
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    as_of: NDArray[np.int64]
    reasons: NDArray[np.uint8]
    duplicates: NDArray[np.uint8]
    newest: int | None

    @classmethod
    def of(cls, metric: str, timestamps: NDArray[Any], values: NDArray[np.float64], as_of: int) -> Self:
        """Clean one series: timestamps int64[n] or float64[n], their unit judged by magnitude; values float64[n]."""
        found = clean(Series(np.array([0, len(values)]), timestamps, values))
        return cls(
            metric, found.offsets, found.timestamps, found.values, np.array([as_of]), found.reasons, found.duplicates,
            found.newest,
        )  # fmt: skip

    @classmethod
    def copies(cls, one: Judgeable, count: int) -> Self:
        """The only row of `one` so many times over, in memory of its own, so that values may be written."""
        return cls(
            one.name(0), np.arange(count + 1) * len(one.values), _repeated(one.timestamps, count),
            _repeated(one.values, count), np.repeat(one.as_of, count), np.repeat(one.reasons, count),
            np.repeat(one.duplicates, count), one.newest,
        )  # fmt: skip

    def first(self, count: int) -> Self:
        """So many of the rows, over the same memory."""
        stop = self.offsets[count]
        return replace(
            self, offsets=self.offsets[: count + 1], timestamps=self.timestamps[:stop], values=self.values[:stop],
            as_of=self.as_of[:count], reasons=self.reasons[:count], duplicates=self.duplicates[:count],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def name(self, row: int) -> str:  # noqa: ARG002 - there is but one
        """The metric."""
        return self.metric


def _repeated(array: NDArray[Any], count: int) -> NDArray[Any]:
    """The array so many times over, by copying whole rows, which numpy.tile does not."""
    return np.broadcast_to(array, (count, len(array))).copy().reshape(-1)
