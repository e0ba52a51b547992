"""Points that came too late: older than what was judged already. They are counted, and judged only where that is asked for.

How many points lay in each 24th of a metric's window is kept with its watermark, so that what is trimmed off the old end
of a series in the meantime hides no point that came into the rest of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

PARTS: Final = 24


@dataclass(frozen=True, slots=True)
class Census:
    """How many points a series had up to `mark`, epoch seconds: in each of `PARTS` stretches of `width` seconds before it.

    first   its oldest point then
    """

    mark: int
    first: int
    width: int
    counts: tuple[int, ...]

    @classmethod
    def of(cls, stamps: NDArray[np.int64], mark: int, window: int) -> Self:
        """Count the points of a series, int64[n] ascending, over the last `window` seconds up to `mark`."""
        width = max(-(-window // PARTS), 1)
        first = int(stamps[0]) if len(stamps) else mark
        return cls(mark, first, width, tuple(_counts(stamps, mark, width)))

    @classmethod
    def read(cls, text: str | None) -> Self | None:
        """What `text` says; None where it says nothing."""
        try:
            mark, first, width, *counts = json.loads(text or "")
            if len(counts) != PARTS or width < 1:
                return None
            return cls(int(mark), int(first), int(width), tuple(map(int, counts)))
        except (ValueError, TypeError, RecursionError, OverflowError):
            return None

    def text(self) -> str:
        """Itself, as it is kept."""
        return json.dumps([self.mark, self.first, self.width, *self.counts], separators=(",", ":"))

    def late(self, stamps: NDArray[np.int64]) -> int:
        """How many points more there are by now up to `mark`; of what was trimmed since, and where it ended, none are known."""
        if not len(stamps):
            return 0
        oldest = int(stamps[0]) if int(stamps[0]) > self.first else self.mark - self.width * PARTS
        begins = self.mark - self.width * np.arange(PARTS, 0, -1)
        now = _counts(stamps, self.mark, self.width)
        return sum(
            max(after - before, 0)
            for begin, before, after in zip(begins.tolist(), self.counts, now, strict=True)
            if before == 0 or begin >= oldest
        )


def _counts(stamps: NDArray[np.int64], mark: int, width: int) -> list[int]:
    """Points in (mark - (k + 1) * width, mark - k * width], the oldest stretch first."""
    edges = mark - width * np.arange(PARTS, -1, -1)
    counts: list[int] = np.diff(np.searchsorted(stamps, edges, "right")).tolist()
    return counts
