"""An endpoint that fails is left alone for a while, so that it costs the next runs nothing.

closed: it is sent to. open: until then nobody tries. half open: the time is over, a few attempts of a few seconds show
whether it is well again. A breaker that has been open for long is forgotten: an endpoint that is merely slower than a
probe waits gets its whole timeout again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from ridgeline.io.state.batch import Batch
from ridgeline.io.state.names import breaker as breaker_key

FIRST_PAUSE: Final = 30.0  # seconds; doubled at each failure in a row
LONGEST_PAUSE: Final = 300.0
MOST_PATIENCE: Final = 3600.0  # seconds that an endpoint may ask to be left alone for, and an alert to wait
LIFE: Final = 900.0  # seconds after which a breaker is forgotten, however often its probes failed


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one strategy: open `until`, epoch seconds, after so many `failures` in a row, since `opened`."""

    until: float
    failures: int
    opened: float
    reason: str

    def open_at(self, now: float) -> bool:
        """Whether nobody is to try yet."""
        return now < self.until


def tripped(
    before: Breaker | None, now: float, reason: str, retry_after: float, random: Callable[[], float]
) -> Breaker:
    """The breaker after a run whose last attempts failed; `retry_after` is what the endpoint itself asked for."""
    failures = 1 if before is None else before.failures + 1
    pause = min(FIRST_PAUSE * 2.0 ** min(failures - 1, 30), LONGEST_PAUSE) * (0.5 + random() / 2)
    opened = now if before is None else before.opened
    return Breaker(now + max(pause, min(retry_after, MOST_PATIENCE)), failures, opened, reason)


def write_breaker(batch: Batch, strategy: str, breaker: Breaker | None, now: float) -> None:
    """Keep it, or forget it."""
    if breaker is None:
        batch.delete(breaker_key(strategy))
        return
    life = max(breaker.opened + LIFE, breaker.until + 1) - now
    batch.set(breaker_key(strategy), asdict(breaker), life)


def decode_breaker(value: Any, now: float) -> Breaker | None:
    """The breaker that was kept; None for none, a damaged one, one that lived its life, and one of a broken clock."""
    try:
        found = Breaker(float(value["until"]), int(value["failures"]), float(value["opened"]), str(value["reason"]))
    except (TypeError, ValueError, KeyError, OverflowError):
        return None
    over = now >= max(found.until, found.opened + LIFE)
    return None if over or not found.until - now <= 2 * MOST_PATIENCE else found
