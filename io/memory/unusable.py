"""The one thing that opening and writing memory can fail with."""

from __future__ import annotations

from ridgeline.io.errors import InputError
from ridgeline.io.text import escape


class Unusable(InputError):  # noqa: N818 - reads as the sentence it is
    """The memory file cannot be used, and this sentence says why. A run goes on without it; only people who ask end by it."""

    def __init__(self, why: object) -> None:
        super().__init__(escape(why))
