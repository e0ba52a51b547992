"""What the readers of the formats share with those who ask them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import pyarrow as pa

from ridgeline.io.parquet.listing import Problems, note

if TYPE_CHECKING:
    from ridgeline.io.tables.content import Content

TEXTS: Final = "texts"
TIMES: Final = "times"
NUMBERS: Final = "numbers"
CELLS: Final = "cells"  # the one column of very wide tables: all cells of a row as a list


@dataclass(frozen=True, slots=True)
class Wanted:
    """The columns to read, by their places, and what is looked for in each: names and labels are TEXTS."""

    places: Sequence[int]
    kinds: Sequence[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What readers say beside what they read: points by repair, and (path, sentence) of what cannot be read."""

    repairs: Counter[str] = field(default_factory=Counter)
    problems: Problems = field(default_factory=list)

    def malformed(self, rows: int = 1) -> None:
        """So many rows, lines or points are none."""
        if rows:
            self.repairs["malformed"] += rows

    def lost(self, path: str, sentence: str) -> None:
        """A part of a file cannot be read."""
        note(self.problems, path, sentence)


# Asked once, when a file's columns are known; raises InputError where they cannot be read as points.
Want: TypeAlias = Callable[[pa.Schema], Wanted]
# Gives batches of the wanted columns by their names, or points (`LONG`) where the format says itself what is what.
# Raises InputError where there is nothing to read, CutOff where the rest cannot be read.
Read: TypeAlias = "Callable[[Content, Want, Told], Iterator[pa.RecordBatch]]"
