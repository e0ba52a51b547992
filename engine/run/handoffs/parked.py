"""What waits for Mirage's answer: items of a set in Redis, texts of Python lists as Skyline's own."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any, Final, Self

from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.score.anomaly import Anomaly

PARKED: Final = "analyzer.waterfall_alerts.sent_to_mirage"
PATIENCE: Final = 300  # seconds that Mirage has to answer
MOST: Final = 50_000  # items that one run looks at
LONGEST: Final = 1 << 20  # characters of an item


@dataclass(frozen=True, slots=True)
class Parked:
    """An anomaly that Mirage was asked about at `added`, epoch seconds. `text`: as it stands in the set."""

    anomaly: Anomaly
    value: float | int
    start: int
    added: int
    text: str

    @classmethod
    def of(cls, finding: Finding, now: int, host: str) -> Self:
        """The item of an anomaly that is handed over now; `host` names this machine."""
        anomaly = finding.anomaly
        panorama = [
            anomaly.metric, finding.value, finding.start, anomaly.timestamp,
            list(anomaly.algorithms_run), list(anomaly.algorithms), "analyzer", "graphite", host, now,
        ]  # fmt: skip
        text = str([anomaly.metric, anomaly.timestamp, finding.value, now, panorama])
        return cls(anomaly, finding.value, finding.start, now, text)

    @classmethod
    def read(cls, text: str) -> Self:
        """An item as the set holds it, Skyline's included. Raises ValueError where it makes no sense."""
        found = literal(text)
        if not isinstance(found, list) or len(found) < 4 or not isinstance(found[0], str):
            raise ValueError("it is no list of a metric, a timestamp, a value and a time")
        metric, stamp, value, added = found[0], whole(found[1]), number(found[2]), whole(found[3])
        panorama = found[4] if len(found) > 4 and isinstance(found[4], list) else []
        ran, voted = (names(panorama[at]) if len(panorama) > at else () for at in (4, 5))
        start = whole(panorama[2]) if len(panorama) > 2 else stamp
        return cls(Anomaly(metric, float(value), stamp, len(voted), voted, ran), value, start, added, text)


def literal(text: str) -> Any:
    """What Python would read. Raises ValueError for anything but plain data."""
    if len(text) > LONGEST:
        raise ValueError("it is too long")
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("it is no Python literal") from error


def number(found: object) -> float | int:
    """A finite number. Raises ValueError."""
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found) or abs(found) > 1e308:
        raise ValueError("it holds something else where a number belongs")
    return found


def whole(found: object) -> int:
    """Epoch seconds. Raises ValueError."""
    seconds = int(number(found))
    if not 0 <= seconds < 2**62:
        raise ValueError("it holds something else where a time belongs")
    return seconds


def names(found: object) -> tuple[str, ...]:
    """Names of algorithms; what is none is left out."""
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()
