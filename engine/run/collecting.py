"""Garbage in cycles is hardly looked for while a run lasts: each look goes through all objects that there are.

A run of 100,000 metrics spends a third of its CPU on looking otherwise, and makes hardly any cycles.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RARELY: Final = (100_000, 20, 50)  # new objects before the young are looked through; such looks before older ones are


class _Collector:
    """The process's one: the first of several runs at once has it look rarely, the last as before."""

    def __init__(self) -> None:
        self._turns, self._runs = threading.Lock(), 0
        self._usual, self._ours = (0, 0, 0), False

    def enter(self) -> None:
        with self._turns:
            self._runs += 1
            if self._runs > 1:
                return
            self._usual, self._ours = gc.get_threshold(), not gc.get_freeze_count()
            if self._ours:
                gc.freeze()
            if gc.isenabled() and self._usual[0]:
                gc.set_threshold(*(max(pair) for pair in zip(self._usual, RARELY, strict=True)))

    def leave(self) -> None:
        with self._turns:
            self._runs -= 1
            if self._runs:
                return
            gc.set_threshold(*self._usual)
            self._usual = (0, 0, 0)
            if self._ours:
                gc.unfreeze()


_COLLECTOR: Final = _Collector()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Within it, look for garbage rarely, and not among what was there before; afterwards as before.

    A process that has frozen objects by itself keeps them frozen.
    """
    _COLLECTOR.enter()
    try:
        yield
    finally:
        _COLLECTOR.leave()
