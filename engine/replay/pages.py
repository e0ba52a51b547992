"""Memory that the steps of one matrix after another are written into, instead of pages that the system clears each time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

KEPT: Final = 1 << 26  # bytes that are worth keeping between the parts of a backtest


@dataclass(slots=True)
class Pages:
    """Arrays by name, used again: what was taken before is gone once it is taken again, unless it was given away."""

    _held: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    def empty(self, name: str, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
        """An array whose content is arbitrary, in the memory of the last one of that name where it is large enough."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        held = self._held.get(name)
        if held is None or held.nbytes < size:
            held = self._held[name] = np.empty(size, np.uint8)
        array: NDArray[Any] = held[:size].view(dtype).reshape(shape)
        return array

    def give_away(self) -> None:
        """Leave what was taken last to whoever has it."""
        self._held.clear()

    def spare(self) -> None:
        """Keep no more than is worth it."""
        if sum(held.nbytes for held in self._held.values()) > KEPT:
            self._held.clear()
