"""Reads `schedule = { days, from, to, timezone }` of an `[[alert]]`."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ridgeline.engine.alerts.schedule import DAY, DAYS, Schedule
from ridgeline.engine.config.reader import Table

_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


def read_schedule(table: Table) -> Schedule:
    """Read a schedule; the default of what is wrong, with the problem noted."""
    usual = Schedule()
    schedule = Schedule(
        days=table.choices("days", DAYS, usual.days, "day"),
        start=_time(table, "from", usual.start),
        end=_time(table, "to", usual.end),
        zone=_zone(table, usual.zone),
    )
    if schedule.start == DAY:
        table.refuse("from", 'must lie before "24:00"')
    table.finish()
    return schedule


def _time(table: Table, key: str, default: int) -> int:
    """Read a time of day, in minutes after midnight."""
    text = table.string(key, None)
    if text is None:
        return default
    if not _TIME.fullmatch(text):
        table.refuse(key, f'"{text}" is no time of day: write "08:00"')
        return default
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _zone(table: Table, default: ZoneInfo) -> ZoneInfo:
    name = table.string("timezone", None)
    if name is None:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.refuse("timezone", f'there is no time zone "{name}" here: write "Europe/Madrid" or "UTC"')
        return default
