"""Airgaps of the rows of a memory, by the new points of their series."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.sections import Section
from ridgeline.kernels.gap_rows.layout import FACTS, GAP_BYTES, GAPS, LENGTH_BITS, NEWEST, STATE, UNKNOWN, VERSION
from ridgeline.kernels.gaps.layout import gaps_room
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from ridgeline.io.matrix import MetricMatrix

Ints = NDArray[np.int64]

ENTRY: Final = "gap_rows"
NAME: Final = "gaps"


def section(period: int) -> Section:
    """Where they are kept; with another period each of them begins anew."""
    return Section(NAME, f"{VERSION:x} {period}", GAP_BYTES, private=True)


@dataclass(frozen=True, slots=True, eq=False)
class GapRows:
    """Rows int64[n, GAP_WORDS], in place, of series in whose newest `period` seconds gaps are looked for.

    changed  uint8[n]: which rows are to be written
    """

    table: Ints
    period: int
    as_of: int
    changed: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "changed", np.zeros(len(self.table), np.uint8))

    def sound(self, rows: Ints, newest: Ints) -> NDArray[np.bool_]:
        """Which of rows int64[m] know the series up to these points, int64[m], and may tell something, bool[m]."""
        found: NDArray[np.bool_] = (self.table[rows, NEWEST] == newest) & (self.table[rows, STATE] != UNKNOWN)
        return found

    def follow(self, rows: Ints, offsets: Ints, timestamps: Ints, points: Ints) -> Ints:
        """Add new points, later than all before them; return facts int64[m, FACTS] as `kernels.gap_rows` has them.

        rows int64[m]: below 0 none; offsets int64[m + 1] of timestamps; points int64[m]: those that windows have now
        """
        return self._run(rows, offsets, timestamps, np.zeros(len(rows), np.int64), points)

    def closed(self, row: int) -> list[tuple[int, int]]:
        """First and last second of each closed gap of a row whose beginning is still within the period, oldest first."""
        gaps = [gap for gap in self.table[row, GAPS:].tolist() if gap]
        told = [(gap >> LENGTH_BITS, (gap >> LENGTH_BITS) + (gap & (1 << LENGTH_BITS) - 1)) for gap in gaps]
        return [(first, end) for first, end in told if first > self.as_of - self.period]

    def anchor(self, series: MetricMatrix, rows: Ints, windows: Ints) -> None:
        """Write rows int64[m], below 0 none, anew by whole series in whose newest `windows` seconds, int64[m], they are judged."""
        self._run(rows, series.offsets, series.timestamps, windows, None)

    def _run(self, rows: Ints, offsets: Ints, timestamps: Ints, windows: Ints, points: Ints | None) -> Ints:
        whole = points is None
        longest = int(np.diff(offsets).max(initial=0)) if whole else 0
        facts = np.empty((len(rows), FACTS), np.int64)
        run: Any = loader.entry(ENTRY)
        run(
            offsets, timestamps, rows, int(whole), self.as_of, self.period, windows,
            np.zeros(len(rows), np.int64) if points is None else points,
            self.table, self.changed, facts, np.empty(gaps_room(longest)),
        )  # fmt: skip
        return facts
