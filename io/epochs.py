"""What a number means as a time: epoch seconds, or milli-, micro- or nanoseconds, told apart by magnitude.

The sane ranges of the four units do not overlap. This is the one place that says so, for columns and for what people
write; it needs no numpy.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = 946_684_800  # 2000-01-01T00:00:00Z
LATEST: Final = 4_102_444_800  # 2100-01-01T00:00:00Z
TICKS: Final = (1, 1_000, 1_000_000, 1_000_000_000)  # per second
# Open ends of windows: earlier and later than any time, and safe to add durations to.
EVER_BEFORE: Final = -(1 << 62)
EVER_AFTER: Final = 1 << 62

_NUMBER: Final = re.compile(r"([+-]?\d+)(?:\.\d*)?", re.ASCII)
_ABSENT: Final = frozenset({"", "nan", "nat", "none", "null"})
_ENDLESS: Final = {
    "inf": EVER_AFTER,
    "+inf": EVER_AFTER,
    "infinity": EVER_AFTER,
    "-inf": EVER_BEFORE,
    "-infinity": EVER_BEFORE,
}
_LONGEST: Final = 100


def seconds_of(number: int) -> int | None:
    """Epoch seconds, floored, of a number of unknown unit; numbers before 2000 are taken for seconds. None: no time."""
    for ticks in TICKS:
        if EARLIEST * ticks <= number < (LATEST + 1) * ticks:
            return number // ticks
    return number if 0 <= number < EARLIEST else None


def instant_of(text: str) -> int | None:
    """Epoch seconds, floored, of a number by magnitude or of ISO 8601 (UTC where it names no zone). None: no time."""
    cleaned = text.strip()
    if len(cleaned) > _LONGEST:
        return None
    number = _NUMBER.fullmatch(cleaned)
    if number is not None:
        return seconds_of(int(number[1]))
    try:
        moment = datetime.fromisoformat(cleaned)
        return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def is_absent(text: str) -> bool:
    """Whether a text stands for no time at all: empty, `NaT`, `nan`, `null`, `None`."""
    return text.strip().lower() in _ABSENT


def endless(text: str) -> int | None:
    """EVER_BEFORE or EVER_AFTER for a text that stands for infinity; None for any other."""
    return _ENDLESS.get(text.strip().lower())
