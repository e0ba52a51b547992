"""What a file of memory said when it was opened, each part checked: what is damaged is left out, alone where it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.bulk import checksum, map_array, read_array, work_array
from ridgeline.io.memory.header import Damaged, Header
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.redo import redo
from ridgeline.io.memory.roster import Roster
from ridgeline.io.memory.sections import ASSIGNMENT, COLUMNS, Section
from ridgeline.io.memory.slots import NO_SLOT, Slot, read_slot


@dataclass(frozen=True, slots=True)
class Image:
    """What the file holds: those of `sections` that were wanted and found have a row for each of its capacity and stripes.

    spare   how many new keys the file can take: none where something stands that no key was ever written down for, as
            after a power cut, since the next key must not come by another's row
    """

    roster: Roster
    sections: dict[str, NDArray[np.uint8]]
    spare: int
    slot: Slot


def read_image(descriptor: int, path: Path, header: Header, wanted: Sequence[Section]) -> Image:
    """Everything of an open file, less sections that are not wanted or are of another version.

    What a commit that was killed had yet to write is there too, in memory.

    Raises Damaged where its keys are, and OSError where it cannot be read.
    """
    slot = read_slot(descriptor) or NO_SLOT
    roster = _roster(descriptor, header, slot)
    rows, places = len(roster), header.places
    for column in COLUMNS:
        values = read_array(descriptor, places.parts[column.name], (rows,), column.dtype)
        if rows == slot.rows and checksum(values) == slot.sums[column.name]:
            roster.columns[column.name] = values
        elif column is ASSIGNMENT:
            slot = replace(slot, assigned="")
    spare = header.capacity - rows
    sections = {}
    for section in header.sections:
        if section in wanted:
            read = read_array if section.private else work_array if section.worked else map_array
            shape = (section.stripes * header.capacity, section.row_bytes)
            sections[section.name] = read(descriptor, places.parts[section.name], shape, "|u1")
    redo(path, header, slot.turn, partial(_put, header, sections))
    for section in header.sections:
        found = sections.get(section.name)
        if section.private and found is not None and found[rows:].reshape(-1).view(np.int64).any():
            spare, found[rows:] = 0, 0
    return Image(roster, sections, spare, slot)


def _put(header: Header, sections: dict[str, NDArray[np.uint8]], at: int, values: NDArray[np.uint8]) -> None:
    """Let bytes `at` a place of the file be these, in what was read of it."""
    for name, array in sections.items():
        first = header.places.parts[name]
        if first <= at < first + array.size:
            array.reshape(-1)[at - first : at - first + values.size] = values


def _roster(descriptor: int, header: Header, slot: Slot) -> Roster:
    """The keys that the file was made with, and those added since unless they are damaged. Raises Damaged, OSError."""
    made_with, places = header.rows, header.places
    most = max(made_with, min(slot.rows, header.capacity))
    offsets = map_array(descriptor, places.offsets, (header.capacity + 1,), "<i8")[: most + 1]
    hashed = map_array(descriptor, places.hashes, (header.capacity,), "<u8")[:most]
    data = map_array(descriptor, places.data, (header.room,), "|u1")
    every = Roster.of(Keys(offsets, data[: max(int(offsets.max()), 0)]), hashed)
    if offsets[0] or every.keys_sum(0, made_with) != header.keys_sum:
        raise Damaged("its keys are damaged")
    if every.keys_sum(made_with, most) == slot.added_sum:
        return every
    return Roster.of(Keys(offsets[: made_with + 1], data[: offsets[made_with]]), hashed[:made_with])
