"""Writes a memory: into its file where there is room, else as a new file that takes its place."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.memory.anew import NewFile
from ridgeline.io.memory.bulk import write_array, write_rows
from ridgeline.io.memory.header import Header
from ridgeline.io.memory.place import PRIVATE
from ridgeline.io.memory.roster import Roster
from ridgeline.io.memory.sections import COLUMNS, Places
from ridgeline.io.memory.slots import Slot
from ridgeline.io.memory.unusable import Unusable

if TYPE_CHECKING:
    from ridgeline.io.memory.file import MemoryFile

KEPT: Final = 14 * 86400  # seconds for which a key that is listed no more keeps its row


def commit(memory: MemoryFile, changed: NDArray[np.bool_], now: int) -> None:
    """Write everything. Raises OSError, OutputError and Unusable."""
    _check_still_ours(memory)
    forgotten = (memory.gone > 0) & (memory.gone < now - KEPT)
    slot = _slot(memory, now)
    many = 2 * np.count_nonzero(forgotten) > len(memory)
    if memory.descriptor is not None and memory.header is not None and _fits(memory, memory.header) and not many:
        _write_in_place(memory.descriptor, memory, memory.header, changed, slot)
        return
    sweep_orphans(memory.path.parent)
    write_atomic(memory.path, NewFile(memory, np.flatnonzero(~forgotten), slot, now).write, PRIVATE)


def _check_still_ours(memory: MemoryFile) -> None:
    """Raise Unusable where the path leads to another file than the one that was opened."""
    try:
        status = os.lstat(memory.path)
    except FileNotFoundError:
        same = memory.descriptor is None
    else:
        same = memory.descriptor is not None and os.path.samestat(status, os.fstat(memory.descriptor))
    if not same:
        raise Unusable(f"{memory.path} was put in place or removed by somebody else since this run opened it")


def _fits(memory: MemoryFile, header: Header) -> bool:
    added = len(memory) - memory.held
    return added <= memory.spare and memory.roster.keys.offsets[-1] <= header.room and not memory.dropped


def _slot(memory: MemoryFile, now: int) -> Slot:
    """What is noted of it, whichever file that comes to stand in; sums are those of the file as it is."""
    made_with = 0 if memory.header is None else memory.header.rows
    return Slot(
        turn=memory.slot.turn + 1,
        rows=len(memory),
        added_sum=memory.roster.keys_sum(made_with, len(memory)),
        sums=memory.roster.sums(),
        runs=memory.slot.runs + 1,
        written=now,
        assigned=memory.assigned,
        notes=memory.notes,
    )


def _write_in_place(
    descriptor: int, memory: MemoryFile, header: Header, changed: NDArray[np.bool_], slot: Slot
) -> None:
    """Keys before the slot that counts them, that before their rows: so a row that is not zeros has its key."""
    places, old = header.places, memory.slot
    counted = replace(slot, notes=old.notes, runs=old.runs, written=old.written)
    if replace(counted, turn=old.turn) != old:
        _write_keys(descriptor, places, memory.roster, memory.held)
        for column in COLUMNS:
            write_array(descriptor, places.parts[column.name], memory.roster.columns[column.name])
        counted.write(descriptor)
        slot = replace(slot, turn=slot.turn + 1)
    for name, rows, values in memory.changes:
        write_rows(descriptor, places.parts[name], rows, values, whole=False)
    touched = np.ones(len(memory), np.bool_)  # rows of new keys too
    touched[: memory.held] = changed[: memory.held]
    rows = np.flatnonzero(touched)
    for section in memory.sections:
        if section.private:
            write_rows(descriptor, places.parts[section.name], rows, memory.rows(section.name), whole=True)
    slot.write(descriptor)


def _write_keys(descriptor: int, places: Places, roster: Roster, held: int) -> None:
    """Write the keys that the file does not hold yet."""
    ends = roster.keys.offsets[held:]
    write_array(descriptor, places.offsets + 8 * (held + 1), ends[1:])
    write_array(descriptor, places.hashes + 8 * held, roster.hashed[held:])
    write_array(descriptor, places.data + int(ends[0]), roster.keys.data[ends[0] : ends[-1]])
