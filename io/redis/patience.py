"""How long may still be waited: the one answer to it, for a client, for one of its connections, for a listing."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Patience:
    """The seconds left until `end` of `time.monotonic`, or by another's count where that is less."""

    other: Callable[[], float] | None = None
    end: float = math.inf

    def left(self) -> float:
        """Seconds; 0 or less: no wait is allowed any more."""
        own = self.end - time.monotonic()
        return own if self.other is None else min(own, self.other())

    @contextlib.contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Let all waits within the block take no longer than this together."""
        self.end = time.monotonic() + seconds
        try:
            yield
        finally:
            self.end = math.inf
