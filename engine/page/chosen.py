"""Which metrics a page holds in full: those that have something to show, within what a browser opens at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

POINTS: Final = 2_500_000  # of all metrics together: about 25 MB of page


def choose(steps: Mapping[str, int], anomalous: Mapping[str, int], labelled: frozenset[str], limit: int) -> list[str]:
    """At most `limit` metrics of those that have steps, the most telling first.

    Metrics with anomalous steps or labels come before others, noisier ones first. One that no longer fits is left out, but
    for the first.
    """
    telling = sorted(
        steps, key=lambda name: (not anomalous.get(name) and name not in labelled, -anomalous.get(name, 0), name)
    )
    chosen: list[str] = []
    room = POINTS
    for name in telling:
        if len(chosen) == limit:
            break
        if steps[name] <= room or not chosen:
            chosen.append(name)
            room -= steps[name]
    return chosen
