"""How the time of one run is shared out, so that it ends by its deadline whatever hangs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Alerts and outputs get this share of the deadline to themselves, at most so many seconds.
RESERVE: Final = 0.3
MOST_RESERVE: Final = 10.0
# Attempts to send that are in flight at the end get a grace; then outputs are written.
LANDING: Final = 0.1
MOST_LANDING: Final = 3.0


@dataclass(slots=True)
class Budget:
    """The deadline of a run that began at `start`; all in seconds of the monotonic `clock`."""

    seconds: float
    clock: Callable[[], float] = time.monotonic
    start: float = 0.0
    excused: float = 0.0

    @classmethod
    def begin(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Budget:
        """Start the clock now."""
        return cls(seconds, clock, clock())

    def excuse(self, seconds: float) -> None:
        """Leave out seconds that were spent on something done once per machine: compiling the kernels."""
        self.excused += seconds

    def spent(self) -> float:
        """Seconds since the start."""
        return self.clock() - self.start

    def reading_left(self) -> float:
        """Seconds left for loading and scoring; none when it is time for alerts."""
        return self._end - min(RESERVE * self.seconds, MOST_RESERVE) - self.clock()

    @property
    def alerts_end(self) -> float:
        """When sending must be over."""
        return self._end - min(LANDING * self.seconds, MOST_LANDING)

    @property
    def _end(self) -> float:
        return self.start + self.excused + self.seconds
