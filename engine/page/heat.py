"""Incidents over time as a grid of counts: a row a metric, or a group of metrics, a column a span of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

MINUTE, HOUR, DAY = 60, 3600, 86400
WIDTHS: Final = (
    MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 28 * DAY, 364 * DAY,
)  # fmt: skip
COLUMNS: Final = 120  # at most
ROWS: Final = 40  # at most, the noisiest


@dataclass(frozen=True, slots=True)
class Spell:
    """An incident as far as a grid needs it: its metric, first and last instant."""

    metric: str
    start: int
    end: int


def grid(spells: Sequence[Spell], groups: Mapping[str, str], first: int, last: int) -> dict[str, Any]:
    """Counts of incidents that were open in each span from `first` to `last`, by metric and by group of metrics.

    `groups` has the group of each metric. Spans begin at multiples of their width, in UTC. Names are as they stand.
    """
    width = next((width for width in WIDTHS if last // width - first // width < COLUMNS), WIDTHS[-1])
    begin = first // width
    columns = min(last // width - begin + 1, 4 * COLUMNS)
    return {
        "start": begin * width,
        "width": width,
        "columns": columns,
        "metrics": _rows([(spell.metric, spell) for spell in spells], begin, width, columns),
        "groups": _rows(
            [(groups[spell.metric], spell) for spell in spells if spell.metric in groups], begin, width, columns
        ),
    }


def _rows(spells: Sequence[tuple[str, Spell]], begin: int, width: int, columns: int) -> dict[str, Any]:
    incidents = Counter(name for name, _ in spells)
    names = [name for name, _ in sorted(incidents.items(), key=lambda row: (-row[1], row[0]))[:ROWS]]
    place = {name: row for row, name in enumerate(names)}
    changes = np.zeros((len(names), columns + 1), np.int64)
    for name, spell in spells:
        if name in place:
            opened, closed = (min(max(at // width - begin, 0), columns - 1) for at in (spell.start, spell.end))
            changes[place[name], opened] += 1
            changes[place[name], closed + 1] -= 1
    return {
        "names": names,
        "of": len(incidents),
        "incidents": [incidents[name] for name in names],
        "counts": np.cumsum(changes, axis=1)[:, :columns].tolist(),
    }


def grouped(metrics: Iterable[str]) -> dict[str, str]:
    """The group of each metric: the fewest leading parts of names, cut at dots, that tell any two metrics apart."""
    parts = {name: name.split(".") for name in metrics}
    deepest = max(map(len, parts.values()), default=1)
    for depth in range(1, deepest):
        found = {name: ".".join(pieces[:depth]) for name, pieces in parts.items()}
        if len(set(found.values())) > 1:
            return found
    return {name: name for name in parts}
