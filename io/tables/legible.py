"""Whether the columns of a file hold what they are taken for, judged by all their cells."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.instants import WRITE
from ridgeline.io.errors import InputError
from ridgeline.io.tables.cells import Cells
from ridgeline.io.text import escape, truncate

SHOWN: Final = 60  # bytes of a cell in a sentence


class Legible:
    """Sees to it that of each column some cell can be read: where none can, it is another column that was meant."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._odd: dict[str, object] = {}  # by column, its first cell that cannot be read
        self._good: set[str] = set()

    def see(self, name: str, column: pa.Array, cells: Cells) -> None:
        """Look at the cells of a batch."""
        if name in self._good or not len(column):
            return
        if cells.bad is None or not cells.bad.any():
            self._good.update([name] if cells.absent is None or not cells.absent.all() else [])
            return
        self._odd.setdefault(name, column[int(np.argmax(cells.bad))].as_py())
        gone = cells.bad if cells.absent is None else cells.bad | cells.absent
        self._good.update([] if gone.all() else [name])

    def check(self) -> None:
        """Raise InputError where a column had nothing but cells that cannot be read."""
        for name, cell in self._odd.items():
            if name not in self._good:
                shown = truncate(escape(cell if isinstance(cell, (str, bytes)) else repr(cell)), SHOWN)
                raise InputError(
                    f"{self._path}: column {name} holds '{shown}', and not one number or time that could be read there; "
                    f"times are {WRITE}"
                )


def refuse_comma(path: str, cells: Cells) -> None:
    """Raise InputError where numbers have decimal commas: those without a fraction would be all that is read."""
    if cells.comma is not None:
        raise InputError(
            f"{path}: it writes a number as '{truncate(cells.comma, SHOWN)}'; numbers are read with a decimal point and "
            "without commas, as 1234.5"
        )
