"""Metrics that can never be judged: at their step, no window holds the points that it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.reach import newest_steps, two_digits
from ridgeline.engine.score.resolution import scaled, unit_of
from ridgeline.engine.units import spoken
from ridgeline.kernels.shared.switches import MIN_POINTS

if TYPE_CHECKING:
    from ridgeline.engine.rules.profiles import Profile
    from ridgeline.engine.score.plan import Policies
    from ridgeline.engine.score.rows import Judgeable

SHOWN: Final = 3

# Metrics by (step, seconds of the window, points that it takes).
Sparse = Counter[tuple[int, int, int]]


def sparse(
    matrix: Judgeable, rows: NDArray[np.int64], policies: Policies, as_of: NDArray[np.int64], profile: Profile
) -> Sparse:
    """Count those of the rows, int64[k], that no window is long enough for. as_of int64[n], of all rows.

    policies: with the window of each row, where some are by points (`reach.stretched`).
    """
    found: Sparse = Counter()
    if not profile.windowed or not len(rows):
        return found
    steps, switches = newest_steps(matrix, rows, as_of[rows]), profile.encode()
    aware = policies.aware[policies.of_row[rows]].tolist()
    for step, window, own in zip(steps.tolist(), policies.windows[rows].tolist(), aware, strict=True):
        needed = int((scaled(switches, unit_of(step), window) if own else switches)[MIN_POINTS])
        if step and -(-window // step) < needed:
            found[step, window, needed] += 1
    return found


def sparse_by_step(steps: NDArray[np.int64], windows: NDArray[np.int64], needed: int) -> Sparse:
    """Count the same of k metrics whose usual steps are known, int64[k] seconds, 0: unknown; windows int64[k], seconds."""
    rounded = two_digits(steps)
    some = (rounded > 0) & (-(-windows // np.maximum(rounded, 1)) < needed)
    return Counter(
        (step, window, needed) for step, window in zip(rounded[some].tolist(), windows[some].tolist(), strict=True)
    )


def added(kinds: Iterable[Iterable[Mapping[str, int]]]) -> Sparse:
    """The sum of what `as_objects` gave."""
    found: Sparse = Counter()
    for one in (one for some in kinds for one in some):
        found[one["resolution"], one["window"], one["min_window_points"]] += one["metrics"]
    return found


def as_objects(found: Mapping[tuple[int, int, int], int]) -> list[dict[str, int]]:
    """As JSON: most metrics first."""
    return [
        {
            "metrics": count,
            "resolution": step,
            "window": window,
            "needed_window": step * needed,
            "min_window_points": needed,
        }
        for (step, window, needed), count in sorted(found.items(), key=lambda item: (-item[1], item[0]))
    ]


def lines(found: Iterable[Mapping[str, int]]) -> list[str]:
    """For people, a sentence for each kind of the metrics of which there are most."""
    kinds = list(found)
    told = [
        f"{one['metrics']:,} metric{'s' if one['metrics'] > 1 else ''} can never be judged: a point every {spoken(one['resolution'])} is "
        f"{-(-one['window'] // one['resolution']):,} of the {one['min_window_points']:,} points that it takes in a window of {spoken(one['window'])}; "
        f"full_duration = {one['needed_window']} (seconds) or min_window_points = {one['min_window_points']} would do"
        for one in kinds[:SHOWN]
    ]
    more = sum(one["metrics"] for one in kinds[SHOWN:])
    return [*told, *([f"so it is with {more:,} more, of other resolutions"] if more else [])]
