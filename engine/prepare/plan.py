"""`[preparation]`: what is to be done to series before anything judges them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

OFF: Final = "off"
AUTO: Final = "auto"


@dataclass(frozen=True, slots=True)
class Preparation:
    """`[preparation]`. Nothing unless asked for: parity rests on raw values.

    counters           "off"; "auto": those whose window is a counter's; or the patterns of what always is one
    non_derivative     patterns of metrics that never are counters
    zero_fill          patterns of metrics whose missing points are 0
    last_known_value   patterns of metrics whose missing points are what the point before them is
    """

    counters: str | tuple[str, ...] = OFF
    non_derivative: tuple[str, ...] = ()
    zero_fill: tuple[str, ...] = ()
    last_known_value: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[str, ...]:
        """The patterns of what always is a counter."""
        return () if isinstance(self.counters, str) else self.counters

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every pattern."""
        return (*self.declared, *self.non_derivative, *self.fills)

    @property
    def fills(self) -> tuple[str, ...]:
        """The patterns of metrics whose missing points are filled."""
        return (*self.zero_fill, *self.last_known_value)

    @property
    def idle(self) -> bool:
        """Whether every series is judged as it is."""
        return self.counters != AUTO and not (self.declared or self.fills)

    def describe(self) -> dict[str, Any]:
        """The settings, as JSON."""
        return {
            "counters": self.counters if isinstance(self.counters, str) else list(self.counters),
            "non_derivative": list(self.non_derivative),
            "zero_fill": list(self.zero_fill),
            "last_known_value": list(self.last_known_value),
        }


UNPREPARED: Final = Preparation()
