"""Metrics that can never be judged: at their step, no window holds the points that it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.reach import newest_steps, two_digits
from ridgeline.engine.score.resolution import scaled, unit_of
from ridgeline.engine.units import spoken
from ridgeline.io.text import encodable, escape
from ridgeline.kernels.shared.switches import MIN_POINTS

if TYPE_CHECKING:
    from ridgeline.engine.rules.profiles import Profile
    from ridgeline.engine.score.plan import Policies
    from ridgeline.io.matrix import MetricMatrix

SHOWN: Final = 3  # kinds, and names of each

Kind: TypeAlias = tuple[int, int, int]  # step, seconds of the window, points that it takes


@dataclass(slots=True)
class Sparse:
    """Metrics by kind: how many, and the names of the first few."""

    counts: Counter[Kind] = field(default_factory=Counter)
    names: dict[Kind, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.counts.total()

    def note(self, kind: Kind, count: int, names: Iterable[str]) -> None:
        """Count more of a kind."""
        self.counts[kind] += count
        known = self.names.setdefault(kind, [])
        known += islice(names, SHOWN - len(known))

    def update(self, other: Sparse) -> None:
        """Count another's too."""
        for kind, count in other.counts.items():
            self.note(kind, count, other.names[kind])


def sparse(
    matrix: MetricMatrix, rows: NDArray[np.int64], policies: Policies, as_of: NDArray[np.int64], profile: Profile
) -> Sparse:
    """Count those of the rows, int64[k], that no window is long enough for. as_of int64[n], of all rows.

    policies: with the window of each row, where some are by points (`reach.stretched`).
    """
    found = Sparse()
    if not profile.windowed or not len(rows):
        return found
    steps, switches = newest_steps(matrix, rows, as_of[rows]), profile.encode()
    aware = policies.aware[policies.of_row[rows]].tolist()
    windows = policies.windows[rows].tolist()
    for row, step, window, own in zip(rows.tolist(), steps.tolist(), windows, aware, strict=True):
        needed = int((scaled(switches, unit_of(step), window) if own else switches)[MIN_POINTS])
        if step and -(-window // step) < needed:
            kind = (step, window, needed)
            found.note(kind, 1, () if found.counts[kind] >= SHOWN else (str(matrix.metrics[row]),))
    return found


def sparse_by_step(
    steps: NDArray[np.int64],
    windows: NDArray[np.int64],
    needed: int,
    naming: Callable[[NDArray[np.int64]], Sequence[str]],
) -> Sparse:
    """Count the same of k metrics whose usual steps are known, int64[k] seconds, 0: unknown; windows int64[k], seconds.

    naming: the names of some of them, by their places.
    """
    found = Sparse()
    rounded = two_digits(steps)
    some = np.flatnonzero((rounded > 0) & (-(-windows // np.maximum(rounded, 1)) < needed))
    kinds = Counter(zip(rounded[some].tolist(), windows[some].tolist(), strict=True))
    for (step, window), count in kinds.items():
        first = some[(rounded[some] == step) & (windows[some] == window)][:SHOWN]
        found.note((step, window, needed), count, naming(first))
    return found


def added(kinds: Iterable[Iterable[Mapping[str, Any]]]) -> Sparse:
    """The sum of what `as_objects` gave."""
    found = Sparse()
    for one in (one for some in kinds for one in some):
        found.note((one["resolution"], one["window"], one["min_window_points"]), one["metrics"], one["names"])
    return found


def as_objects(found: Sparse) -> list[dict[str, Any]]:
    """As JSON: most metrics first."""
    return [
        {
            "metrics": count,
            "resolution": step,
            "window": window,
            "needed_window": step * needed,
            "min_window_points": needed,
            "names": [encodable(name) for name in found.names[step, window, needed]],
        }
        for (step, window, needed), count in sorted(found.counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def lines(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """For people, a sentence for each kind of the metrics of which there are most."""
    kinds = list(found)
    told = [
        f"{one['metrics']:,} metric{'s' if one['metrics'] > 1 else ''} can never be judged{_some(one)}: a point every {spoken(one['resolution'])} is "
        f"{-(-one['window'] // one['resolution']):,} of the {one['min_window_points']:,} points that it takes in a window of {spoken(one['window'])}; "
        f"full_duration = {one['needed_window']} (seconds) or min_window_points = {one['min_window_points']} would do"
        for one in kinds[:SHOWN]
    ]
    more = sum(one["metrics"] for one in kinds[SHOWN:])
    return [*told, *([f"so it is with {more:,} more, of other resolutions"] if more else [])]


def _some(one: Mapping[str, Any]) -> str:
    """The first names of a kind, in brackets."""
    more = ", ..." if one["metrics"] > len(one["names"]) else ""
    return f" ({', '.join(map(escape, one['names']))}{more})" if one["names"] else ""
