"""Writes a memory: into its file where there is room, else as a new file that takes its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.memory.anew import NewFile
from ridgeline.io.memory.bulk import row_parts, write_array, write_rows
from ridgeline.io.memory.header import Header
from ridgeline.io.memory.place import PRIVATE
from ridgeline.io.memory.redo import forget, note, redo
from ridgeline.io.memory.roster import Roster
from ridgeline.io.memory.sections import COLUMNS, Places
from ridgeline.io.memory.slots import NO_SLOT, Slot, read_slot
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


def finish(descriptor: int, path: Path, header: Header) -> None:
    """Write what a commit that was killed had yet to write into exact sections. Raises OSError."""
    redo(path, header, (read_slot(descriptor) or NO_SLOT).turn, partial(write_array, descriptor))
    forget(path)


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
    """Keys before the slot that counts them, that before their rows: so a row that is not zeros has its key.

    Exact sections before all others: whatever is killed, they are never behind them.
    """
    places, old = header.places, memory.slot
    counted = replace(slot, notes=old.notes, runs=old.runs, written=old.written)
    if replace(counted, turn=old.turn) != old:
        _clear_carried(descriptor, memory, places)
        _write_keys(descriptor, places, memory.roster, memory.held)
        for column in COLUMNS:
            write_array(descriptor, places.parts[column.name], memory.roster.columns[column.name])
        counted.write(descriptor)
        slot = replace(slot, turn=slot.turn + 1)
    touched = np.ones(len(memory), np.bool_)  # rows of new keys too
    touched[: memory.held] = changed[: memory.held]
    rows = np.flatnonzero(touched)
    exact = [*_exact_writes(memory, header, rows)]
    if exact:
        note(memory.path, header, slot.turn - 1, exact)
    for at, part in exact:
        write_array(descriptor, at, part)
    for name, put, values in memory.changes:
        write_rows(descriptor, places.parts[name], put, values, whole=False)
    for section in memory.sections:
        if section.private and not section.exact:
            write_rows(descriptor, places.parts[section.name], rows, memory.rows(section.name), whole=True)
    slot.write(descriptor)
    if exact:
        forget(memory.path)


def _exact_writes(
    memory: MemoryFile, header: Header, rows: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """What is to be written into exact sections, and where: these rows of private ones, what was touched of others."""
    for section in memory.sections:
        begin = header.places.parts[section.name]
        if section.exact and section.private:
            yield from row_parts(begin, rows, memory.rows(section.name), whole=True)
        for name, stripe, touched in memory.touched:
            if name == section.name:
                found = memory.stripes(name)[stripe]
                at = begin + stripe * header.capacity * section.row_bytes
                yield from row_parts(at, touched, found, whole=True)


def _clear_carried(descriptor: int, memory: MemoryFile, places: Places) -> None:
    """Let nothing be known of new keys in sections that this run did not look into: a power cut may have left rows there."""
    for section in memory.carried:
        if section.private:
            begin = places.parts[section.name] + memory.held * section.row_bytes
            write_array(descriptor, begin, np.zeros((len(memory) - memory.held, section.row_bytes), np.uint8))


def _write_keys(descriptor: int, places: Places, roster: Roster, held: int) -> None:
    """Write the keys that the file does not hold yet."""
    ends = roster.keys.offsets[held:]
    write_array(descriptor, places.offsets + 8 * (held + 1), ends[1:])
    write_array(descriptor, places.hashes + 8 * held, roster.hashed[held:])
    write_array(descriptor, places.data + int(ends[0]), roster.keys.data[ends[0] : ends[-1]])
