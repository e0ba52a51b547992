"""What a picture of one metric shows, as data: made by alerts, backtests and explanations, drawn in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

ARRAYS: Final = {"timestamps": np.int64, "values": np.float64, "anomalous": np.bool_}


@dataclass(frozen=True, slots=True, eq=False)
class Lanes:
    """Votes point by point, a lane per algorithm: `fired` bool[n, len(names)]."""

    names: tuple[str, ...]
    fired: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One metric's series, in time order, and what is known of it.

    timestamps  int64[n], sane epoch seconds
    values      float64[n]; infinities are drawn at the edge, NaN as a gap
    anomalous   bool[n], the points to mark
    median      of the series, in its unit; None draws none
    expected    (low, high), in its unit
    since       epoch seconds from which on it is anomalous
    note        one line under the name
    voted       algorithms that voted for the anomaly, and `silent` those that did not
    lanes       votes at every point
    labels      labelled windows, epoch seconds, to be shaded
    """

    metric: str
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    anomalous: NDArray[np.bool_]
    median: float | None = None
    expected: tuple[float, float] | None = None
    since: int | None = None
    note: str = ""
    voted: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    lanes: Lanes | None = None
    labels: tuple[tuple[int, int], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same in values that JSON knows, for another process."""
        arrays = {name: getattr(self, name).tolist() for name in ARRAYS}
        lanes = None if self.lanes is None else {"names": self.lanes.names, "fired": self.lanes.fired.tolist()}
        return {**{each.name: getattr(self, each.name) for each in fields(self)}, **arrays, "lanes": lanes}

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """The picture that `as_json` told."""
        arrays: dict[str, Any] = {name: np.array(told[name], kind) for name, kind in ARRAYS.items()}
        lanes = told["lanes"]
        if lanes is not None:
            lanes = Lanes(tuple(lanes["names"]), np.array(lanes["fired"], np.bool_).reshape(-1, len(lanes["names"])))
        return cls(**{**told, **arrays, "lanes": lanes})
