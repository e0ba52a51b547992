"""Incidents that runs have found, as operators see them: from the table of lately anomalous metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ridgeline.engine.alerts.lately import Incident, Lately
from ridgeline.engine.alerts.lately_table import read_lately
from ridgeline.engine.rules.matching import Patterns
from ridgeline.io.state.interface import State


@dataclass(frozen=True, slots=True)
class Found:
    """One incident of one metric. `end`: its last anomalous point once it is over, None while it is ongoing."""

    metric: str
    start: int
    end: int | None
    last: int
    peak_value: float
    votes: int
    algorithms: tuple[str, ...]
    ongoing: bool
    alerted: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As `anomalies --json` shows it."""
        listed = {name: list(getattr(self, name)) for name in ("algorithms", "alerted")}
        return {name: getattr(self, name) for name in self.__slots__} | listed


def incidents(state: State, since: float, match: str | None = None) -> list[Found]:
    """Incidents that are ongoing or had an anomalous point at `since` (epoch seconds) or later; the newest first.

    `match` picks metrics as it does everywhere. Raises StateError.
    """
    records = read_lately(state)
    if match is not None:
        names = list(records)
        chosen = Patterns((match,)).any(names)
        records = {name: records[name] for name, hit in zip(names, chosen, strict=True) if hit}
    found = [
        _found(metric, record, incident)
        for metric, record in records.items()
        for incident in record.incidents
        if incident.last >= since or (incident is record.incident and record.ongoing())
    ]
    return sorted(found, key=lambda one: (not one.ongoing, -one.last, -one.start, one.metric))


def _found(metric: str, record: Lately, incident: Incident) -> Found:
    ongoing = incident is record.incident and record.ongoing()
    return Found(
        metric,
        incident.start,
        None if ongoing else incident.last,
        incident.last,
        incident.peak_value,
        incident.votes,
        incident.algorithms,
        ongoing,
        incident.alerted,
    )
