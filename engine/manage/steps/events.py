"""How many events siblings analysed, a day for each namespace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ridgeline.engine.manage.lists import Kept, SmallHash
from ridgeline.engine.manage.reading import APPS, Held, older_than
from ridgeline.engine.manage.subject import Subject

DAILY: Final = "metrics_manager.namespace.analysed_events"
KEPT: Final = 90 * 86400  # seconds


@dataclass(slots=True, eq=False)
class Daily(SmallHash):
    """A hash of days: what is told of some is put where it differs, and days before `limit`, epoch seconds, go."""

    wanted: Mapping[str, str]
    limit: int

    def difference(self) -> tuple[Mapping[str, str], list[str]]:
        """What differs, and what is old."""
        added = {day: text for day, text in self.wanted.items() if self.there.get(day) != text}
        over = older_than(self.limit)({day: day for day in self.there if day not in self.wanted})
        return added, sorted(over)


def analysed_events(subject: Subject) -> list[Kept]:
    """By midnight (UTC, epoch seconds) the repr of that day's events: all together, by namespace, and by program."""
    if not subject.fleet.share.first:
        return []
    days = dict.fromkeys(day for day, _ in subject.reading.events)
    told = {}
    for day in days:
        counted = {app: _counts(subject.reading.events[day, app]) for app in APPS}
        if any(counted.values()):
            midnight = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
            told[str(midnight)] = _told(day, {app: counts for app, counts in counted.items() if counts})
    return [Daily(DAILY, told, subject.now - KEPT)]


def _counts(held: Held) -> dict[str, int]:
    """By namespace; what is no number counts nothing."""
    return {name: int(text) for name, text in sorted(held.fields.items()) if text.isdecimal() and len(text) < 20}


def _told(day: str, counted: Mapping[str, Mapping[str, int]]) -> str:
    together: Counter[str] = Counter()
    for counts in counted.values():
        together.update(counts)
    whole = {"date": day, "total": together.total(), "total_analysed_events": dict(together)}
    return repr(whole | {app: dict(counts) for app, counts in counted.items()})
