"""How the time of one run is shared out, so that it ends by its deadline whatever hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# What is kept from the end of the deadline, as a share of it and at most so many seconds: reading leaves this much to all
# that follows it, blocks that are being scored to alerts, alerts to what is in flight and to the books, the books to the
# outputs.
AFTER_READING: Final = (0.4, 13.0)
AFTER_SCORING: Final = (0.36, 12.0)
AFTER_ALERTS: Final = (0.15, 5.0)
AFTER_BOOKS: Final = (0.05, 1.0)


@dataclass(frozen=True, slots=True)
class Budget:
    """The deadline of a run that began at `start`; all in seconds of the monotonic `clock`."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    start: float = 0.0

    @classmethod
    def begin(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Budget:
        """Start the clock now."""
        return cls(seconds, clock, clock())

    def spent(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.start

    def reading_left(self) -> float:
        """Seconds left for listing, compiling, loading and scoring; none when it is time for alerts."""
        return self._end(AFTER_READING) - self.clock()

    def scoring_left(self) -> float:
        """Seconds left for blocks that are being scored when reading ends."""
        return self._end(AFTER_SCORING) - self.clock()

    def books_left(self) -> float:
        """Seconds left for bookkeeping."""
        return self._end(AFTER_BOOKS) - self.clock()

    def left(self) -> float:
        """Seconds left of the deadline."""
        return self.start + self.seconds - self.clock()

    @property
    def alerts_end(self) -> float:
        """When sending must be over."""
        return self._end(AFTER_ALERTS)

    def _end(self, kept: tuple[float, float]) -> float:
        share, most = kept
        return self.start + self.seconds - min(share * self.seconds, most)
