"""The metrics that a pass is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.shard import Share


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The base names that are listed and this host's.

    namespace   what stands in front of each in the key of its series
    share       tells of any base names which are this host's: what is another's is left as it is
    host        what tells this host's notes from the others'; empty where there is but one host
    """

    names: Sequence[str]
    namespace: str
    share: Share
    host: str
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {name: at for at, name in enumerate(self.names)})

    def __len__(self) -> int:
        return len(self.names)

    def chosen(self, mask: NDArray[np.bool_], prefix: str = "") -> list[str]:
        """The names where `mask`, bool[n], is set, with `prefix` in front."""
        rows = np.flatnonzero(mask).tolist()
        return [prefix + self.names[row] for row in rows] if prefix else [self.names[row] for row in rows]

    def mask(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Where the fleet's metrics are among `names`, bool[n]; other names are nothing."""
        found = np.zeros(len(self), np.bool_)
        found[[place for name in names if (place := self.places.get(name)) is not None]] = True
        return found
