"""The sections of the memory file that hold what kernels know of each metric."""

from __future__ import annotations

from typing import Final

from ridgeline.io.memory.sections import Section
from ridgeline.kernels.memory.layout import HOT_BYTES, LAYOUT_VERSION, QUEUE_BYTES

HOT: Final = Section("hot", str(LAYOUT_VERSION), HOT_BYTES, private=True)
QUEUE: Final = Section("queue", str(LAYOUT_VERSION), QUEUE_BYTES, private=False)
SECTIONS: Final = (HOT, QUEUE)


def sections(*, walks: bool, gaps: int | None = None) -> tuple[Section, ...]:
    """All sections of a file: those of walks where these are kept; that of airgaps where they are looked for, `gaps` seconds back."""
    found: tuple[Section, ...] = SECTIONS
    if gaps is not None:
        from ridgeline.engine.memory.gaps import section

        found = (*found, section(gaps))
    if walks:
        from ridgeline.engine.walks.kept import SECTIONS as OF_WALKS

        found = (*found, *OF_WALKS)
    return found
