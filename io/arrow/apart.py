"""Series of one name that label columns tell apart must not merge: whoever sees two of them refuses, and says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.arrow.names import Names
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.errors import InputError

Ints = NDArray[np.int64]
REMEDY: Final = (
    "make them part of the name by --labels-from {names} (labels_from in Python and in [source]), "
    "or pass over them by --labels-from ''"
)


class Merging(InputError):  # noqa: N818 - reads as the sentence it is
    """Series of one name would become one."""


class Apart:
    """Sees to it that no metric has two values of a label column, over as many blocks as there are."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._metrics = Names()
        self._values: dict[str, Names] = {}
        self._first: dict[str, Ints] = {}  # by metric: the number of its value + 2; 1: null, 0: none yet

    def see(self, metric: Runs, labels: Mapping[str, Runs]) -> None:
        """Look at a block. Raises InputError where series would merge."""
        if not labels:
            return
        numbers = self._metrics.codes(metric)
        for key, runs in labels.items():
            values = self._values.setdefault(key, Names())
            starts = np.unique(np.concatenate([metric.starts[:-1], runs.starts[:-1]]))
            code = numbers[np.searchsorted(metric.starts, starts, side="right") - 1]
            value = values.codes(runs)[np.searchsorted(runs.starts, starts, side="right") - 1] + 2
            code, value = code[code >= 0], value[code >= 0]
            first = self._known(key)
            fresh = first[code] == 0
            first[code[fresh][::-1]] = value[fresh][::-1]  # of equal indices the last written stays: the first seen
            wrong = np.flatnonzero(first[code] != value)
            if len(wrong):
                self._refuse(key, int(code[wrong[0]]), values, int(first[code[wrong[0]]]), int(value[wrong[0]]))

    def _known(self, key: str) -> Ints:
        """The values of all metrics so far, with room for new ones."""
        first = self._first.get(key, np.zeros(0, np.int64))
        if len(first) < len(self._metrics):
            first = np.append(first, np.zeros(2 * len(self._metrics) - len(first), np.int64))
            self._first[key] = first
        return first

    def _refuse(self, key: str, metric: int, values: Names, *numbers: int) -> None:
        name, texts = self._metrics.array()[metric].as_py(), values.array()
        shown = [f"{key}={'nothing' if number == 1 else texts[number - 2].as_py()}" for number in numbers]
        raise Merging(
            f"{self._where}: {name} has points of {shown[0]} and of {shown[1]}, which would merge into one series; "
            + REMEDY.format(names=key)
        )
