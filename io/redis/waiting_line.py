"""The metrics in line to be read: in the order of their names, and in a better one where there is not time for all."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Final

from ridgeline.io.source import Order

POLL: Final = 0.1  # seconds between two looks at whether there is time left
ENOUGH: Final = 0.05  # of the time for reading: before that, its pace says little


class WaitingLine:
    """`names` and `keys` of the metrics, in the order in which they are read.

    While it is `open`, whoever knows of more adds them, and who reads waits for them.
    """

    def __init__(self, names: list[str], keys: list[bytes]) -> None:
        self.names, self.keys = names, keys
        self.is_open = False
        self._changed = threading.Condition()
        self._order: Order | None = None
        self._whole = math.inf

    def __len__(self) -> int:
        return len(self.keys)

    def open(self) -> None:
        """More are to come."""
        self.is_open = True

    def add(self, names: list[str], keys: list[bytes]) -> None:
        """Have these read after all others."""
        with self._changed:
            self.names += names
            self.keys += keys
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is added any more."""
        with self._changed:
            self.is_open = False
            self._changed.notify_all()

    def piece(self, first: int, size: int, left: Callable[[], float]) -> list[bytes]:
        """The keys of the next metrics from `first` on, at most `size`; none where there are no more, or `left` no seconds.

        Fewer than `size` are given only where no more are to come.
        """
        with self._changed:
            while self.is_open and len(self) < first + size and (seconds := left()) > 0:
                self._changed.wait(min(seconds, POLL))
            return [] if self.is_open and len(self) < first + size else self.keys[first : first + size]

    def arrange(self, order: Order, *, at_once: bool) -> None:
        """Take on another order: now, or else as soon as the pace shows that the time will not do."""
        if at_once:
            self._reorder(0, order)
        else:
            self._order = order

    def look_ahead(self, first: int, read: int, left: float) -> None:
        """Before the metrics from `first` on are asked for, so many being `read`, with `left` seconds to go: see whether that will do.

        If not, the rest takes on the order that was asked for. Only the thread that reads calls this.
        """
        if first == 0:
            self._whole = left
        spent = self._whole - left
        if self.is_open or self._order is None or not 0 < left < math.inf or spent < ENOUGH * self._whole:
            return
        if spent * (len(self) - read) > left * read:
            self._reorder(first, self._order)
            self._order = None

    def _reorder(self, first: int, order: Order) -> None:
        names, keys = self.names[first:], self.keys[first:]
        places = order(names).tolist()
        self.names[first:] = [names[at] for at in places]
        self.keys[first:] = [keys[at] for at in places]
