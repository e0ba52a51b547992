"""Names as numbers, over as many blocks as there are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.runs import Runs

Ints = NDArray[np.int64]


class Names:
    """Numbers names in first-seen order."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._blocks: list[pa.StringArray] = []

    def __len__(self) -> int:
        return len(self._codes)

    def codes(self, runs: Runs) -> Ints:
        """The number of each run's metric; negative codes stay what they are."""
        known = self._codes
        before = len(known)
        numbers = np.array([known.setdefault(name, len(known)) for name in runs.names.to_pylist()], np.int64)
        if len(known) > before:
            fresh = len(known) - before == len(runs.names)
            self._blocks.append(runs.names if fresh else runs.names.take(arrow(np.flatnonzero(numbers >= before))))
        return numbers[runs.codes] if runs.codes.min(initial=0) >= 0 else numbered(numbers, runs.codes)

    def array(self) -> pa.StringArray:
        """All names, in order."""
        self._blocks = [pa.concat_arrays(self._blocks)] if self._blocks else [strings([])]
        return self._blocks[0]


def numbered(numbers: Ints, codes: Ints) -> Ints:
    """The number of each code; negative codes stay what they are."""
    found = codes.copy()
    named = codes >= 0
    found[named] = numbers[codes[named]]
    return found
