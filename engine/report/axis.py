"""The axis of values: any finite numbers brought to a size that can be drawn and labelled in a few digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

ORDINARY: Final = (1e-2, 1e5)  # sizes that are labelled as they are
SAFE: Final = (1e-100, 1e100)  # sizes whose sums and differences neither overflow nor vanish
NARROW: Final = 1e-3  # a range that is smaller than this share of its values is labelled from an offset on
ROOM: Final = 0.07  # of the range, above and below
LONGEST: Final = 1e18  # offsets below are written out
LOWEST_POWER: Final = -306  # of ten, below which doubles lose digits


@dataclass(frozen=True, slots=True)
class Axis:
    """Shows `value / coarse / fine - offset / fine`, from `bottom` to `top`."""

    coarse: float
    offset: float
    fine: float
    bottom: float
    top: float

    @classmethod
    def of(cls, values: NDArray[np.float64], band: tuple[float, float] | None) -> Axis:
        """The axis for float64[n] values, and for a band beside them as far as it leaves them visible."""
        finite = values[np.isfinite(values)]
        lowest, highest = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        size = max(abs(lowest), abs(highest))
        coarse = 1.0 if size == 0 or SAFE[0] <= size <= SAFE[1] else _power(size)
        low, high = lowest / coarse, highest / coarse
        if band is not None:
            reach = high - low or max(abs(high), 1.0)
            low = min(low, max(_divided(band[0], coarse), low - reach))
            high = max(high, min(_divided(band[1], coarse), high + reach))
        span, size = high - low, max(abs(low), abs(high))
        offset = 0.0
        if 0 < span < NARROW * size:
            step = 10.0 ** math.ceil(math.log10(span))
            offset = float(np.floor(low / step)) * step
        low, high = low - offset, high - offset
        size = max(abs(low), abs(high))
        fine = 1.0 if size == 0 or ORDINARY[0] <= size < ORDINARY[1] else _power(size)
        low, high = low / fine, high / fine
        room = ROOM * (high - low) if high > low else max(0.1 * abs(high), 0.5)
        return cls(coarse, offset, fine, low - room, high + room)

    def shown(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64[n] values on this axis; what lies beyond it, infinities above all, at its edge."""
        with np.errstate(over="ignore"):
            placed: NDArray[np.float64] = (values / self.coarse - self.offset) / self.fine
        return np.clip(placed, self.bottom, self.top)

    @property
    def unit(self) -> str:
        """How to read the labels: `x 1e300`, `+ 1,000,000`, both or nothing."""
        power = round(math.log10(self.coarse) + math.log10(self.fine))
        times = f"x 1e{power}" if power else ""
        offset = abs(self.offset * self.coarse)
        digits = f"{offset:,.0f}" if offset.is_integer() and offset < LONGEST else repr(offset)
        plus = f"{'-' if self.offset < 0 else '+'} {digits}" if offset else ""
        return " ".join(part for part in (times, plus) if part)


def label(shown: float) -> str:
    """A number on the axis: seven digits are enough for any that `Axis` leaves.

    >>> [label(12500.0), label(0.30000000000000004), label(-0.0)]
    ['12,500', '0.3', '0']
    """
    return f"{shown + 0.0:,.7g}"


def _power(size: float) -> float:
    """The power of thousand next below a size."""
    return 10.0 ** max(3 * math.floor(math.log10(size) / 3), LOWEST_POWER)


def _divided(value: float, by: float) -> float:
    """The quotient, infinite where it is too large."""
    return value / by if by >= 1 or abs(value) < 1e300 * by else math.copysign(math.inf, value)
