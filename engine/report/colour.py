"""Colour for whoever reads on a terminal, and plain text for everybody else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TextIO

Shade = Literal["red", "green", "yellow", "bold", "faint"]
CODES: Final[Mapping[Shade, str]] = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "faint": "2"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text, or leaves it as it is."""

    on: bool = False

    @classmethod
    def of(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Paint:
        """Paint for a stream: on a terminal that knows colours, unless NO_COLOR is set; anywhere if FORCE_COLOR is.

        As <https://no-color.org> and <https://force-color.org> have it: a variable that is empty is not set. NO_COLOR
        wins.
        """
        if environ.get("NO_COLOR"):
            return cls(on=False)
        if environ.get("FORCE_COLOR"):
            return cls(on=True)
        return cls(on=stream.isatty() and environ.get("TERM", "") != "dumb")

    def __call__(self, text: str, *shades: Shade) -> str:
        """The text in these shades."""
        if not self.on or not shades or not text:
            return text
        return f"\x1b[{';'.join(CODES[shade] for shade in shades)}m{text}\x1b[0m"


PLAIN: Final = Paint()
