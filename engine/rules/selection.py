"""Which of the metrics that a source lists are read at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Selection:
    """Those that match, less those to skip; asked about many names at once, as sources ask.

    `skipped` holds the names that configuration left out so far, each once. Raises InputError for what is no pattern.
    """

    def __init__(self, match: str | None = None, skip: Sequence[str] = ()) -> None:
        from ridgeline.engine.rules.matching import Patterns  # a start that selects nothing does without

        self.skipped: set[str] = set()
        self._match = None if match is None else Patterns([match])
        self._skip = Patterns(skip)

    @classmethod
    def of(cls, match: str | None, skip: Sequence[str]) -> Selection | None:
        """Return the selection; None where every metric is read."""
        return cls(match, skip) if match or skip else None

    def __call__(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each name is read, bool[n]."""
        wanted = np.ones(len(names), np.bool_) if self._match is None else self._match.any(names)
        left_out = wanted & self._skip.any(names)
        self.skipped.update(names[at] for at in np.flatnonzero(left_out).tolist())
        return wanted & ~left_out
