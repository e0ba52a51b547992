"""The memory of a run: read at its beginning, worked on in memory, written at its end, or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.errors import OutputError
from ridgeline.io.memory.commit import commit, finish
from ridgeline.io.memory.header import Damaged, Header, read_header
from ridgeline.io.memory.image import Image, read_image
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.lookup import Lookup
from ridgeline.io.memory.owner import Owner
from ridgeline.io.memory.place import PRIVATE, held, open_file
from ridgeline.io.memory.roster import Roster
from ridgeline.io.memory.sections import ASSIGNMENT, GONE, Section
from ridgeline.io.memory.slots import NO_SLOT, Slot
from ridgeline.io.memory.unusable import Unusable


class MemoryFile:
    """Rows of one owner: a key each, and a row in every section.

    A row of zeros in the private sections is one of which nothing is known. Nothing is written before `commit`.

    anew       why it holds nothing of earlier runs, as the end of a sentence; None where it does
    dropped    sections of which the file holds another version, or none: they begin with zeros
    assigned   in a word, what `assignment` was made from; empty where it must be made anew
    notes      small JSON values by name, `slots.MOST_NOTES` bytes in all
    """

    def __init__(self, path: Path, owner: Owner, sections: Sequence[Section]) -> None:
        """Hold nothing yet; `MemoryFile.open` is the way in."""
        self.path, self.owner, self.sections = path, owner, tuple(sections)
        self.descriptor: int | None = None
        self.header: Header | None = None
        self.anew: str | None = "there is none yet"
        self.writing = False
        self._turns, self._writes, self._ended = threading.Lock(), False, False
        self._left: contextlib.ExitStack | None = None
        self.roster: Roster
        self.slot: Slot
        self._lookup: Lookup | None = None
        self.changes: list[tuple[str, NDArray[np.int64], NDArray[np.uint8]]] = []
        self.touched: list[tuple[str, int, NDArray[np.int64]]] = []
        self._take(Image(Roster.of(Keys.of([])), {}, 0, NO_SLOT))

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, path: Path, owner: Owner, sections: Sequence[Section], *, writing: bool = True, locked: bool = False
    ) -> Iterator[MemoryFile]:
        """The memory at `path`, for the length of the block; a file that is not there, damaged or outdated begins anew.

        writing   hold its lock, so that `commit` may write; without, nothing is made, locked or changed
        locked    the caller holds its lock already (`place.held`)

        Raises Unusable: the file is another's, is being written by another process, lies where no memory is kept, is a
        link or a device, or cannot be read or written.
        """
        with contextlib.ExitStack() as stack:
            if writing and not locked:
                stack.enter_context(held(path))
            memory = cls(path, owner, sections)
            memory.writing = writing
            memory.descriptor = open_file(path, writing=writing)
            if memory.descriptor is not None:
                stack.callback(os.close, memory.descriptor)
                if writing:
                    os.fchmod(memory.descriptor, PRIVATE)
                memory._read(memory.descriptor)
            try:
                yield memory
            finally:
                if not memory._end():
                    memory._left = stack.pop_all()

    def __len__(self) -> int:
        return len(self.roster)

    @property
    def carried(self) -> tuple[Section, ...]:
        """Sections of the file that this run has no use for: they stay as they are, also where the file grows."""
        own = {section.name for section in self.sections}
        return () if self.header is None else tuple(one for one in self.header.sections if one.name not in own)

    @property
    def keys(self) -> Keys:
        """The key of each row."""
        return self.roster.keys

    @property
    def gone(self) -> NDArray[np.int64]:
        """int64[n]: since when a key is listed no more, epoch seconds; 0: it is. May be changed."""
        column: NDArray[np.int64] = self.roster.columns[GONE.name]
        return column

    @property
    def assignment(self) -> NDArray[np.int32]:
        """int32[n]: a number of the caller's for each row, -1 for new ones. May be changed."""
        column: NDArray[np.int32] = self.roster.columns[ASSIGNMENT.name]
        return column

    def rows(self, name: str) -> NDArray[np.uint8]:
        """The rows of a section, uint8[n, row_bytes], C-contiguous.

        A private one may be changed: in memory only. A mapped one is read-only and has no row for keys that were added
        since, nor any at all where it was dropped. Shrinking the file while it is mapped kills the process (SIGBUS).
        """
        array = self.arrays[name]
        return array[: len(self) if array.flags.writeable else self.held]

    def stripes(self, name: str) -> NDArray[np.uint8]:
        """The rows of a section that is worked on, uint8[stripes, at least n, row_bytes], C-contiguous.

        May be changed, in memory only; rows that are to be written are `touch`ed.
        """
        section = next(section for section in self.sections if section.name == name)
        array = self.arrays[name]
        return array.reshape(section.stripes, len(array) // section.stripes, section.row_bytes)

    def touch(self, name: str, rows: NDArray[np.int64], stripe: int = 0) -> None:
        """Let rows of a section that is worked on, ascending, be written by the commit."""
        if len(rows):
            self.touched.append((name, stripe, rows))

    def rows_of(self, asked: Keys) -> NDArray[np.int64]:
        """The row of each key asked for, int64[m]; -1 where there is none."""
        if self._lookup is None:
            self._lookup = Lookup(self.roster)
        return self._lookup.rows_of(asked)

    def add(self, new: Keys) -> NDArray[np.int64]:
        """Give a row to each of some keys that have none; int64[m]. Arrays asked for before lack these rows: ask again."""
        before = len(self)
        self.roster = self.roster.plus(Roster.of(new))
        self._lookup = None
        self._make_room()
        return np.arange(before, len(self))

    def put(self, name: str, rows: NDArray[np.int64], values: NDArray[np.uint8]) -> None:
        """Let rows of a mapped section, ascending, be these, uint8[m, row_bytes], from the commit on.

        The mapping keeps the old ones. Of a row that is put twice the last counts. Nothing is copied: both arrays are to
        stay as they are. Raises ValueError where rows do not ascend.
        """
        if (rows[1:] <= rows[:-1]).any():
            raise ValueError("rows are to be put in ascending order")
        self.changes.append((name, rows, values))

    def commit(self, changed: NDArray[np.bool_], now: int) -> None:
        """Write it all: rows of private sections that are `changed` (bool[n]) and new ones, what was put, columns, notes.

        In place where the file has room, else a new file that takes its place, which leaves out keys that have been
        gone for over 14 days. Killed at any instant, each row is the old one, the new one, or torn. To be called once,
        as the last thing. Raises Unusable, with the file as it was or a part of the rows written.
        """
        if not self.writing:
            raise ValueError("this memory was opened for reading")
        self._begin()
        try:
            commit(self, changed, now)
        except OutputError as error:
            raise Unusable(error) from error
        except OSError as error:
            raise Unusable(f"{self.path} cannot be written: {error.strerror or error}") from error
        finally:
            with self._turns:
                self._writes = False

    def _begin(self) -> None:
        """Begin to write, unless the block has ended: its descriptor may be another file's by now."""
        with self._turns:
            if self._ended:
                raise Unusable(f"{self.path} is closed: there was no time left to write it")
            self._writes = True

    def _end(self) -> bool:
        """End the block; False where a thread that nobody waits for is writing: it keeps descriptor and lock."""
        with self._turns:
            self._ended = not self._writes
            return self._ended

    def _read(self, descriptor: int) -> None:
        try:
            header = read_header(descriptor, self.path, self.owner)
            if self.writing:
                finish(descriptor, self.path, header)
            self._take(read_image(descriptor, self.path, header, self.sections))
        except Damaged as error:
            self.anew = str(error)
        except OSError as error:
            raise Unusable(f"{self.path} cannot be read: {error.strerror or error}") from error
        else:
            self.header, self.anew = header, None

    def _take(self, image: Image) -> None:
        self.roster, self.slot = image.roster, image.slot
        self.held, self.spare = len(image.roster), image.spare  # keys that the file holds, and could hold besides
        self.notes: dict[str, Any] = dict(image.slot.notes)
        self.assigned = image.slot.assigned
        self.dropped = tuple(section.name for section in self.sections if section.name not in image.sections)
        self.arrays: dict[str, NDArray[np.uint8]] = {
            section.name: image.sections.get(section.name, np.zeros((0, section.row_bytes), np.uint8))
            for section in self.sections
        }
        self._make_room()

    def _make_room(self) -> None:
        """Let every section that may be changed have a row for each key, and some to spare."""
        for section in self.sections:
            array = self.arrays[section.name]
            room = len(array) // section.stripes
            if (section.private or section.worked) and room < len(self):
                larger = np.zeros((section.stripes, len(self) + len(self) // 10, section.row_bytes), np.uint8)
                larger[:, :room] = array.reshape(section.stripes, room, section.row_bytes)
                self.arrays[section.name] = larger.reshape(-1, section.row_bytes)
