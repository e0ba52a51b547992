"""A memory as a new file: with rows to spare, and without keys that are gone for good."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.bulk import map_array, write_array, write_rows
from ridgeline.io.memory.header import Header
from ridgeline.io.memory.roster import Roster
from ridgeline.io.memory.slots import Slot

if TYPE_CHECKING:
    from ridgeline.io.memory.file import MemoryFile

SPARE: Final = 10  # one row to spare for so many
LEAST: Final = 64  # rows to spare, and bytes of the key of one
BLOCK: Final = 4096  # rows copied at a time


@dataclass(frozen=True, slots=True)
class NewFile:
    """The rows `kept` of a memory, ascending, and what the file is to say of itself."""

    memory: MemoryFile
    kept: NDArray[np.int64]
    slot: Slot
    now: int

    def write(self, file: BinaryIO) -> None:
        """Fill an empty file. What is never written is a hole: zeros that take no room. Raises OSError."""
        descriptor, memory = file.fileno(), self.memory
        roster = memory.roster.take(self.kept)
        header = self._header(roster)
        places = header.places
        os.ftruncate(descriptor, places.size)
        write_array(descriptor, 0, np.frombuffer(header.to_bytes(), np.uint8))
        replace(self.slot, rows=len(roster), added_sum=0, sums=roster.sums()).write(descriptor)
        write_array(descriptor, places.offsets, roster.keys.offsets)
        write_array(descriptor, places.hashes, roster.hashed)
        write_array(descriptor, places.data, roster.keys.data)
        for name, values in roster.columns.items():
            write_array(descriptor, places.parts[name], values)
        for section in memory.sections:
            if not section.worked:
                self._copy(descriptor, places.parts[section.name], memory.rows(section.name))
                continue
            for stripe, found in enumerate(memory.stripes(section.name)):
                begin = places.parts[section.name] + stripe * header.capacity * section.row_bytes
                self._copy(descriptor, begin, found[: len(memory)])
        self._carry(descriptor, header)
        for name, rows, values in memory.changes:
            still = slice(None) if len(self.kept) == len(memory) else np.isin(rows, self.kept)
            at = np.searchsorted(self.kept, rows[still])
            write_rows(descriptor, places.parts[name], at, values[still], whole=False)

    def _header(self, roster: Roster) -> Header:
        memory, rows = self.memory, len(roster)
        spare = max(rows // SPARE, LEAST)
        used = int(roster.keys.offsets[-1])
        return Header(
            owner=memory.owner,
            made=self.now if memory.header is None else memory.header.made,
            rows=rows,
            capacity=rows + spare,
            room=used + spare * max(LEAST, used // max(rows, 1) * 3 // 2),
            keys_sum=roster.keys_sum(0, rows),
            sections=(*memory.sections, *memory.carried),
        )

    def _carry(self, descriptor: int, header: Header) -> None:
        """Copy the sections that the run has no use for, from the file that this one takes the place of."""
        memory = self.memory
        if memory.header is None or memory.descriptor is None:
            return
        for section in memory.carried:
            begin = memory.header.places.parts[section.name]
            shape = (section.stripes, memory.header.capacity, section.row_bytes)
            for stripe, found in enumerate(map_array(memory.descriptor, begin, shape, "|u1")):
                at = header.places.parts[section.name] + stripe * header.capacity * section.row_bytes
                self._copy(descriptor, at, found[: memory.held])

    def _copy(self, descriptor: int, at: int, rows: NDArray[np.uint8]) -> None:
        """Copy the rows of a section that are kept; it may have fewer than there are keys."""
        kept = self.kept[self.kept < len(rows)]
        for first in range(0, len(kept), BLOCK):
            block = rows[kept[first : first + BLOCK]]
            if block.view(np.int64).any():
                write_array(descriptor, at + first * rows.shape[1], block)
