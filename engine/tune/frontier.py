"""What can be had for how many pages: the settings that no other beats in both."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.tune.measures import Measures
from ridgeline.engine.tune.nested import Dealt
from ridgeline.engine.tune.setting import Grid

MOST: Final = 20  # points that are told


def frontier(
    grid: Grid, whole: Measures, dealt: Dealt, allowed: NDArray[np.bool_], *, labelled: bool
) -> list[dict[str, Any]]:
    """Points in order of pages a day, each with the setting that finds most for so many; without labels, today's rule alone.

    `held_out_recall`: what settings picked by the same budget of pages on one half found on the other, on the mean.
    """
    if not labelled:
        places = np.flatnonzero(allowed)
        order = places[np.argsort(whole.pages_per_day[places, 0], kind="stable")]
        return [_point(grid, whole, int(at)) for at in _thinned(order)]
    points = []
    for at in _thinned(_unbeaten(whole, allowed)):
        point = _point(grid, whole, int(at))
        held = _held_out(dealt, allowed, whole.pages_per_day[at, 0])
        points.append({**point, "held_out_recall": held})
    return points


def _unbeaten(whole: Measures, allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The settings that find more than all with as few pages, in order of pages; of equals that with the better precision."""
    places = np.flatnonzero(allowed)
    pages, recall, precision = (found[places, 0] for found in (whole.pages_per_day, whole.recall, whole.precision))
    order = np.lexsort((-precision, -recall, pages))
    best = np.maximum.accumulate(recall[order])
    more = np.append(best[0] > 0, best[1:] > best[:-1])
    unbeaten: NDArray[np.int64] = places[order[more]]
    return unbeaten


def _thinned(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most so many of them, the first and the last among these."""
    if len(places) <= MOST:
        return places
    some: NDArray[np.int64] = places[np.unique(np.linspace(0, len(places) - 1, MOST).round().astype(int))]
    return some


def _held_out(dealt: Dealt, allowed: NDArray[np.bool_], pages: float) -> float | None:
    """Recall on the other halves of what finds most for so many pages on the training halves."""
    if not len(dealt.halves):
        return None
    fits = (dealt.training.pages_per_day <= pages) & allowed[:, None]
    picked = np.argmax(np.where(fits, dealt.training.recall, -1.0), axis=0)
    folds = np.arange(len(dealt.halves))
    return float(np.where(fits.any(axis=0), dealt.held.recall[picked, folds], 0.0).mean())


def _point(grid: Grid, whole: Measures, at: int) -> dict[str, Any]:
    return {"setting": grid[at].as_json(), **whole.of(at)}
