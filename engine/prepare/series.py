"""Preparation: the steps that configuration asks for, applied in order to a cleaned matrix before anything judges it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import MetricMatrix


class Step(Protocol):
    """One way to change series. `name` is what verdicts call a row that it changed."""

    @property
    def name(self) -> str:
        """The word under `prepared`."""
        ...

    def apply(self, matrix: MetricMatrix) -> tuple[MetricMatrix, NDArray[np.bool_]]:
        """The same metrics in the same order with their series changed, and bool[n]: which rows were."""
        ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is to be done to series, in this order. Nothing unless asked for: parity rests on raw values."""

    steps: tuple[Step, ...] = ()

    def describe(self) -> list[str]:
        """The names of the steps, as JSON."""
        return [step.name for step in self.steps]


UNPREPARED: Final = Preparation()


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A matrix ready to be judged.

    labels   object[n]: the name of the step that changed a row last, None for a row as it was cleaned; None where no
             row was changed
    """

    matrix: MetricMatrix
    labels: NDArray[Any] | None = None


def prepare(matrix: MetricMatrix, preparation: Preparation) -> Prepared:
    """Apply every step. Without steps the matrix itself, not a copy."""
    labels: NDArray[Any] | None = None
    for step in preparation.steps:
        matrix, changed = step.apply(matrix)
        if changed.any():
            labels = np.full(len(matrix), None, object) if labels is None else labels
            labels[changed] = step.name
    return Prepared(matrix, labels)
