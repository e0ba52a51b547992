"""When what is due: periods that do not drift, and of which none is made up for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Period:
    """Something due every `seconds` from `start` on, by the monotonic clock."""

    seconds: float
    start: float
    _next: int = 0

    @property
    def due(self) -> float:
        """When it is due next."""
        return self.start + self._next * self.seconds

    def done(self, now: float) -> int:
        """Note that it was done, and has ended `now`. The next one is the first that is yet to come; returns how many were missed."""
        missed = max(int((now - self.start) // self.seconds) - self._next, 0)
        self._next += missed + 1
        return missed

    def become(self, seconds: float, now: float) -> None:
        """Change the length: the next is due that long after the last, at once if that is over."""
        if seconds != self.seconds:
            last = self.due - self.seconds
            self.seconds, self.start, self._next = seconds, max(last + seconds, now), 0
