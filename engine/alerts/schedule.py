"""The hours in which a rule alerts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Schedule:
    """Alert on `days` from `start` to `end`, minutes after midnight by the wall clock of `zone`.

    A window whose end is not after its start crosses midnight and belongs to the day it begins on. A day that is not
    listed is quiet.
    """

    days: tuple[str, ...] = DAYS
    start: int = 0
    end: int = DAY
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def open_at(self, instant: float) -> bool:
        """Whether alerts go out at an instant, epoch seconds.

        By what clocks on the wall show: an hour that daylight saving leaves out or repeats shortens or lengthens the
        window that it lies in.
        """
        local = dt.datetime.fromtimestamp(instant, self.zone)
        minute, today, yesterday = local.hour * 60 + local.minute, DAYS[local.weekday()], DAYS[local.weekday() - 1]
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        return (today in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)
