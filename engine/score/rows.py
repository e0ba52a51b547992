"""What is judged: rows of points. A `MetricMatrix`, or one series without Arrow around it, which for one costs too much."""

from __future__ import annotations

from dataclasses import dataclass
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
class OneRow:
    """The row of one metric."""

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

    def __len__(self) -> int:
        return 1

    def name(self, row: int) -> str:  # noqa: ARG002 - there is but one
        """The metric."""
        return self.metric
