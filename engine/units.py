"""What people write for time and size: durations, instants, sizes."""

from __future__ import annotations

import re
from typing import Final

from ridgeline.io.epochs import LATEST, instant_of
from ridgeline.io.errors import InputError

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
BYTES: Final = {"b": 1}
BYTES.update({f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)})
BYTES.update({f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)})
END_OF_TIME: Final = LATEST

_DURATION: Final = re.compile(r"(?:\d+[smhdw])+|\d+", re.ASCII)
_PARTS: Final = re.compile(r"(\d+)([smhdw])", re.ASCII)
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.ASCII | re.IGNORECASE)
_LONGEST: Final = 100


def parse_duration(text: str | int) -> int:
    """Return a duration in whole seconds: `24h`, `5m`, `90s`, `1h30m`, `86400`.

    Raises InputError for anything else, and for less than a second.
    """
    cleaned = str(text).strip().lower()
    if isinstance(text, bool) or len(cleaned) > _LONGEST or not _DURATION.fullmatch(cleaned):
        raise InputError(
            f"{_shown(text)} is not a duration: write seconds (86400) or a number with s, m, h, d or w (24h)"
        )
    parts = _PARTS.findall(cleaned)
    seconds = sum(int(count) * SECONDS[unit] for count, unit in parts) if parts else int(cleaned)
    if not 1 <= seconds <= END_OF_TIME:
        raise InputError(f"{_shown(text)} is not a usable duration: it must be at least one second and under a century")
    return seconds


def parse_instant(text: str | float) -> int:
    """Return an instant in epoch seconds from ISO 8601 (UTC where it names no zone) or a number.

    Numbers are epoch seconds, or milli-, micro- or nanoseconds, told apart by magnitude. Raises InputError for anything
    else, and for instants outside 1970 to 2100.
    """
    seconds = instant_of(str(text))
    if seconds is None:
        raise InputError(
            f"{_shown(text)} is not an instant: write epoch seconds (1700000000) or ISO 8601 (2024-03-01T12:00:00Z)"
        )
    if not 0 <= seconds <= END_OF_TIME:
        raise InputError(f"{_shown(text)} lies outside 1970 to 2100")
    return seconds


def parse_size(text: str | int) -> int:
    """Return a size in bytes: `2GiB` (1024), `500MB` (1000), `1048576`.

    Raises InputError for anything else, and for nothing at all.
    """
    cleaned = str(text).strip()
    found = _SIZE.fullmatch(cleaned) if len(cleaned) <= _LONGEST and not isinstance(text, bool) else None
    unit = BYTES.get(found[2].lower() or "b") if found else None
    if found is None or unit is None:
        raise InputError(
            f"{_shown(text)} is not a size: write bytes (1048576) or a number with KiB, MiB, GiB, KB, MB or GB (2GiB)"
        )
    size = int(float(found[1]) * unit)
    if size < 1:
        raise InputError(f"{_shown(text)} is not a usable size: it must be at least one byte")
    return size


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."


def spoken(seconds: float) -> str:
    """Return a length of time for people, whatever its sign, in the two largest units that say it: `2 h 5 min`, `40 s`."""
    left = round(abs(seconds))
    parts: list[tuple[int, str]] = []
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    shown = [f"{count} {unit}" for count, unit in parts[:2] if count]
    return " ".join(shown) or "0 s"
