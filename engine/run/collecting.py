"""Garbage in cycles is hardly looked for while a run lasts: each look goes through all objects that there are.

A run of 100,000 metrics spends a third of its CPU on looking otherwise, and makes hardly any cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RARELY: Final = (100_000, 20, 50)  # new objects before the young are looked through; such looks before older ones are


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Within it, look for garbage rarely, and not among what was there before; afterwards as before.

    A process that has frozen objects by itself keeps them frozen.
    """
    usual, ours = gc.get_threshold(), not gc.get_freeze_count()
    if ours:
        gc.freeze()
    if gc.isenabled() and usual[0]:
        gc.set_threshold(*(max(pair) for pair in zip(usual, RARELY, strict=True)))
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        if ours:
            gc.unfreeze()
