"""One line of progress, on a terminal only."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TextIO

PAUSE: Final = 0.1  # seconds between two writes: more often than that nobody reads them


class Progress:
    """Counts what is done, on `stream` if that is a terminal; for use in a `with` block, which clears the line at its end.

    what     the noun: "points"
    total    how many there are; None: not known, so that no share and no time to go is shown
    done     how many were done before
    """

    def __init__(
        self,
        what: str,
        stream: TextIO | None,
        *,
        total: int | None = None,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what, self.total, self.done = what, total, done
        self._stream = stream if stream is not None and stream.isatty() else None
        self._clock, self._before, self._began = clock, done, clock()
        self._shown = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown > float("-inf"):
            self._write("")

    def add(self, count: int) -> None:
        """Say that `count` more are done."""
        self.done += count
        now = self._clock()
        if now - self._shown >= PAUSE or self.done == self.total:
            self._shown = now
            self._write(self.line())

    def line(self) -> str:
        """What is shown: share, count, rate, time to go."""
        seconds = max(self._clock() - self._began, 1e-9)
        rate = (self.done - self._before) / seconds
        if self.total is None:
            return f"{self.done:,} {self.what}  {rate:,.0f}/s"
        share = self.done / self.total if self.total else 1.0
        to_go = _clock((self.total - self.done) / rate) if rate else "?"
        return f"{share:4.0%}  {self.done:,} of {self.total:,} {self.what}  {rate:,.0f}/s  {to_go} to go"

    def _write(self, line: str) -> None:
        if self._stream is not None:
            self._stream.write(f"\r{line}\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
