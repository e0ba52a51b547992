"""The walks of a fleet in its memory: their sections, and their next steps in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.walks.versions import COMMON, NOW, WALKS
from ridgeline.io.memory.sections import Section
from ridgeline.kernels.native import loader
from ridgeline.kernels.paging import layout
from ridgeline.kernels.past import layout as past
from ridgeline.kernels.walks.layout import CELL, CELLS, POINTS, WATERMARK

if TYPE_CHECKING:
    from ridgeline.io.memory.file import MemoryFile

Ints = NDArray[np.int64]

ENTRY: Final = "paging"
PAST_ENTRY: Final = "past"
ENTRIES: Final = (PAST_ENTRY, ENTRY)
_ROWS: Final = crc32(repr((layout.ROW, layout.SLOTS_ROW, layout.LEADERS_ROW, CELLS, CELL, layout.CHECKED)).encode())


def _section(name: str, bytes_: int, version: int = 0, *, private: bool = False, stripes: int = 1) -> Section:
    return Section(name, f"{_ROWS:x} {COMMON:x} {version:x}", bytes_, private, exact=True, stripes=stripes)


HOT: Final = _section("walks", 8 * layout.ROW, private=True)
HOURS: Final = _section("hours", 4 * layout.SLOTS_ROW, WALKS[layout.SEASONAL])
PATTERNS: Final = _section("patterns", 4 * layout.LEADERS_ROW, WALKS[layout.NOVELTY])
PROFILE: Final = _section("profile", 4 * CELL, WALKS[layout.OUTAGE], stripes=CELLS)
PAST: Final = _section("past", 8 * past.WORDS, private=True)
SECTIONS: Final = (HOT, HOURS, PATTERNS, PROFILE, PAST)


class Pieces(NamedTuple):
    """What is kept of n rows, as `kernels.paging.layout` has it, and what of it walking changed.

    hot float64[n, ROW], hours float32[n, SLOTS_ROW], patterns float32[n, LEADERS_ROW], profile float32[CELLS n, CELL];
    changed uint8[n], cells uint8[n, CELL_BYTES]: bits of the pieces and cells that changed.
    """

    hot: NDArray[np.float64]
    hours: NDArray[np.float32]
    patterns: NDArray[np.float32]
    profile: NDArray[np.float32]
    changed: NDArray[np.uint8]
    cells: NDArray[np.uint8]

    @classmethod
    def copied(cls, file: MemoryFile, rows: Ints) -> Self:
        """Those of some rows, in memory of our own; zeros, of which nothing is known, of rows below 0."""
        known = rows >= 0

        def some(name: str, dtype: type) -> NDArray[Any]:
            found = file.stripes(name)
            part = np.zeros((len(found), len(rows), found.shape[2]), np.uint8)
            part[:, known] = found[:, rows[known]]
            return part.reshape(len(found) * len(rows), -1).view(dtype)

        return cls(
            some(HOT.name, np.float64),
            some(HOURS.name, np.float32),
            some(PATTERNS.name, np.float32),
            some(PROFILE.name, np.float32),
            np.zeros(len(rows), np.uint8),
            np.zeros((len(rows), layout.CELL_BYTES), np.uint8),
        )

    def walk(
        self,
        rows: Ints,
        offsets: Ints,
        timestamps: Ints,
        values: NDArray[np.float64],
        as_of: int,
        *,
        whole: bool,
        versions: int = NOW,
    ) -> Ints:
        """Walk the points of some series that are newer than what their rows know and not later than `as_of`.

        rows int64[m], below 0: none; offsets int64[m + 1], timestamps int64[N], values float64[N]: cleaned and unprepared,
        ascending. `whole`: they are all that is stored. Returns facts int64[m, FACTS].
        """
        facts = np.empty((len(rows), layout.FACTS), np.int64)
        loader.entry(ENTRY)(
            offsets, timestamps, values, rows, as_of, int(whole), versions, *self, facts, np.empty(layout.ROOM)
        )
        return facts


@dataclass(eq=False)
class Kept:
    """What the file keeps of the walks of each row; changed in place, and written by the file's commit.

    Rows are as of the file when it is made: none may be added afterwards.
    """

    file: MemoryFile
    versions: int = NOW
    hot: NDArray[np.float64] = field(init=False)
    changed: NDArray[np.uint8] = field(init=False)
    _facts: list[Ints] = field(default_factory=list)
    _became: list[Ints] = field(default_factory=list)

    def __post_init__(self) -> None:
        rows = len(self.file)
        self.hot = self.file.rows(HOT.name).view(np.float64)
        self._past = self.file.rows(PAST.name).view(np.int64)
        self.changed = np.zeros(rows, np.uint8)
        self._cells = np.zeros((rows, layout.CELL_BYTES), np.uint8)
        self._pieces = Pieces(
            self.hot,
            self.file.stripes(HOURS.name)[0].view(np.float32),
            self.file.stripes(PATTERNS.name)[0].view(np.float32),
            self.file.stripes(PROFILE.name).reshape(-1, PROFILE.row_bytes).view(np.float32),
            self.changed,
            self._cells,
        )

    def walk(
        self, rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64], as_of: int, *, whole: bool
    ) -> Ints:
        """As `Pieces.walk`, and count what was met. Calls for different rows may be made at once."""
        became = np.empty((len(rows), past.FACTS), np.int64)
        loader.entry(PAST_ENTRY)(
            offsets,
            timestamps,
            values.view(np.int64),
            rows,
            as_of,
            int(whole),
            self.hot,
            self._past,
            self.changed,
            became,
        )
        self._became.append(became.sum(axis=0))
        facts = self._pieces.walk(rows, offsets, timestamps, values, as_of, whole=whole, versions=self.versions)
        self._facts.append(facts.sum(axis=0))
        return facts

    @property
    def counts(self) -> dict[str, int]:
        """What walking met.

        Points `walked`, rows with a gap before these, points that came too `late` to be walked, rows with points that were
        `rewritten` since they were walked, `damaged` pieces.
        """
        walked, gaps, damaged = np.array(self._facts, np.int64).reshape(-1, layout.FACTS).sum(axis=0).tolist()
        late, rewritten = np.array(self._became, np.int64).reshape(-1, past.FACTS).sum(axis=0).tolist()
        return {"walked": walked, "gaps": gaps, "late": late, "rewritten": rewritten, "damaged": damaged}

    def watermarks(self, rows: Ints) -> NDArray[np.float64]:
        """Of the newest points that rows know, epoch seconds; 0: none."""
        narrow = self.hot.view(np.float32)
        return np.where(narrow[rows, POINTS] > 0, self.hot[rows, WATERMARK], 0.0)

    def scores(self, rows: Ints, as_of: int) -> NDArray[np.float32]:
        """What the rule last said of rows int64[m], before its threshold; 0 of rows that have walked on beyond `as_of`."""
        found: NDArray[np.float32] = self.hot.view(np.float32)[rows, layout.SCORE]
        return np.where(self.hot[rows, WATERMARK] <= as_of, found, np.float32(0.0))

    def touch(self) -> NDArray[np.bool_]:
        """Have the file write the pieces that changed; return the rows, bool[n], whose private one did."""
        for section, bit in ((HOURS, layout.SLOTS_CHANGED), (PATTERNS, layout.LEADERS_CHANGED)):
            self.file.touch(section.name, np.flatnonzero(self.changed & bit))
        for byte in np.flatnonzero(self._cells.any(axis=0)).tolist():
            column = np.ascontiguousarray(self._cells[:, byte])
            for bit in range(8):
                self.file.touch(PROFILE.name, np.flatnonzero(column & (1 << bit)), 8 * byte + bit)
        return self.changed & layout.HOT_CHANGED > 0
