"""Who is read first where there is not time for all: metrics with an alert rule, and of each kind whoever waited longest.

Metrics stand in a circle, in the order of their names, one circle for those with a rule and one for all others. A run that
cannot read all goes on in each circle where the last one stopped, so that each metric's turn comes, and what is to be
remembered are two names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

STRIDE: Final = 1024  # metrics that are passed over where the first of all could not even be read

Ints = NDArray[np.int64]
# Which of several metrics have an alert rule: bool[n].
Covers = Callable[[Sequence[str]], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Places:
    """The metric to go on with, of those with an alert rule and of the others; None: all of them were judged."""

    covered: str | None = None
    others: str | None = None

    @classmethod
    def read(cls, stored: Any) -> Self | None:
        """What `as_json` made; None for anything else."""
        if not isinstance(stored, dict):
            return None
        names = (stored.get("covered"), stored.get("others"))
        return cls(*names) if all(name is None or isinstance(name, str) for name in names) else None

    def as_json(self) -> dict[str, str | None]:
        """The object that is kept for the next run."""
        return {"covered": self.covered, "others": self.others}


def reading_order(names: Sequence[str], covers: Covers, places: Places) -> Ints:
    """Positions int64[n] of the names, which are in their own order, in the order in which they are to be read."""
    covered = covers(names)
    return np.concatenate(
        [
            _from(place, names, np.flatnonzero(kind))
            for place, kind in ((places.covered, covered), (places.others, ~covered))
        ]
    )


def _from(place: str | None, names: Sequence[str], circle: Ints) -> Ints:
    """A circle of positions, ascending, opened at the place."""
    if place is None:
        return circle
    try:
        at = names.index(place)
    except ValueError:  # it is no longer listed: at whoever follows it
        at = bisect_left(names, place)
    return np.roll(circle, -int(np.searchsorted(circle, at)))


def places_after(names: Sequence[str], missed: Ints, tried: int, covers: Covers, before: Places) -> Places:
    """Where the next run goes on after one that read the names in this order, and judged all but those `missed`.

    missed    int64: positions, ascending
    tried     how many, from the first on, were given to be judged; some of them may have been missed nevertheless
    before    where this run began
    """
    covered = covers([names[at] for at in missed.tolist()])
    return Places(
        _next(names, missed[covered], tried, before.covered), _next(names, missed[~covered], tried, before.others)
    )


def _next(names: Sequence[str], missed: Ints, tried: int, before: str | None) -> str | None:
    if not len(missed):
        return None
    first = names[int(missed[0])]
    if first != before:
        return first
    # Where a run began and came no further, something hangs: it must not keep all that follow it from their turn.
    if missed[0] < tried:
        untried = missed[missed >= tried]
        return names[int(untried[0])] if len(untried) else first
    return names[int(missed[min(STRIDE, len(missed) - 1)])] if tried == 0 == missed[0] else first
