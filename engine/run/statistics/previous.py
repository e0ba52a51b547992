"""What the textfile of the run before says and this run does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ridgeline.engine.run.statistics.textfile import LAST_SUCCESS, OUTBOX
from ridgeline.io.epochs import LATEST
from ridgeline.io.small import read_small

_LARGEST: Final = 1 << 20
_SAMPLE: Final = re.compile(
    rb"^(%b|%b)(?:\{[^}\n]*\})? (\d{1,12})(?:\.\d*)?$" % (LAST_SUCCESS.encode(), OUTBOX.encode()), re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Previous:
    """Epoch seconds of the last success, 0 for never; alerts in the outbox."""

    last_success: int = 0
    outbox: int = 0


def previous(path: Path) -> Previous:
    """Read the textfile; whatever cannot be read there counts as nothing."""
    try:
        text = read_small(path, _LARGEST)
    except (OSError, ValueError):
        return Previous()
    found = {name.decode(): int(number) for name, number in _SAMPLE.findall(text)}
    last = found.get(LAST_SUCCESS, 0)
    return Previous(last if last <= LATEST else 0, found.get(OUTBOX, 0))
