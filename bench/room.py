"""Whether this machine has room for a fleet in a Redis of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ridgeline.io.errors import InputError
from ridgeline.io.redis.write import INTEGER_LAYOUT

# Beside its points a metric takes its key and its name in the set of all, what the server keeps of both, and most of all
# what runs over it hold here: of 300,000 metrics of 1,440 points 1.3 and 16.2 kB.
BESIDE: Final = 17_500  # bytes
SLACK: Final = 1.1  # an allocator's
MEMORY: Final = Path("/proc/meminfo")
AVAILABLE: Final = "MemAvailable:"


def needed(metrics: int, points: int) -> int:
    """Bytes that so many metrics of so many points take, and runs over them."""
    return int(metrics * (points * INTEGER_LAYOUT.itemsize * SLACK + BESIDE))


def available() -> int | None:
    """Bytes that new processes may have without others being put aside; None where the system does not say."""
    try:
        lines = MEMORY.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) << 10 for line in lines if line.startswith(AVAILABLE)]
    return found[0] if found else None


def check_room(metrics: int, points: int) -> None:
    """Raise InputError where so many metrics of so many points do not fit."""
    need, have = needed(metrics, points), available()
    if have is not None and need > have:
        raise InputError(
            f"{metrics:,} metrics of {points:,} points take {need / 1e9:.1f} GB, most of it in a Redis of our own, and this machine has "
            f"{have / 1e9:.1f} GB free: ask for fewer with --metrics, or for shorter ones with --points"
        )
