"""Progress with time to go, on a terminal only."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Progress:
    """Counts `done` of `total` rows on `stream`; silent unless it is a terminal."""

    total: int
    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def add(self, rows: int) -> None:
        """Say that `rows` more are done."""
        self.done += rows
        if self.stream.isatty():
            self.stream.write(f"\r{self.line()}\x1b[K")
            self.stream.flush()

    def close(self) -> None:
        """Clear the line."""
        if self.stream.isatty():
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def line(self) -> str:
        """One line: share, rate, time to go."""
        seconds = max(self.clock() - self.began, 1e-9)
        rate = self.done / seconds
        left = (self.total - self.done) / rate if rate else float("inf")
        share = self.done / self.total if self.total else 1.0
        return f"{share:4.0%}  {self.done:,} of {self.total:,} points  {rate:,.0f}/s  {_clock(left)} to go"


def _clock(seconds: float) -> str:
    if seconds == float("inf"):
        return "?"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
