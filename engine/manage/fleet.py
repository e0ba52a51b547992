"""The metrics that a pass is about, and which of all names are this host's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

Owned = Callable[[Sequence[str]], NDArray[np.bool_]]


def everybody(names: Sequence[str]) -> NDArray[np.bool_]:
    """Whether each of the base names is this host's, bool[n], where there is but one host: they all are."""
    return np.ones(len(names), np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """The base names that are listed and this host's.

    namespace   what stands in front of each in the key of its series
    owned       tells of any base names which are this host's: what is another's is left as it is
    first       whether what is nobody's own falls to this host
    host        what tells this host's notes from the others'; empty where there is but one host
    """

    names: Sequence[str]
    namespace: str = "metrics."
    owned: Owned = everybody
    first: bool = True
    host: str = ""
    places: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {name: at for at, name in enumerate(self.names)})

    def __len__(self) -> int:
        return len(self.names)

    def own(self, names: Iterable[str]) -> list[str]:
        """Those of any base names that are this host's."""
        some = list(names)
        return list(compress(some, self.owned(some).tolist())) if some else some

    def chosen(self, mask: NDArray[np.bool_], prefix: str = "") -> list[str]:
        """The names where `mask`, bool[n], is set, with `prefix` in front."""
        rows = np.flatnonzero(mask).tolist()
        return [prefix + self.names[row] for row in rows] if prefix else [self.names[row] for row in rows]

    def mask(self, names: Iterable[str]) -> NDArray[np.bool_]:
        """Where the fleet's metrics are among `names`, bool[n]; other names are nothing."""
        found = np.zeros(len(self), np.bool_)
        found[[place for name in names if (place := self.places.get(name)) is not None]] = True
        return found
