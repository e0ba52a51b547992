"""The sections of the memory file that hold what kernels know of each metric."""

from __future__ import annotations

from typing import Final

from ridgeline.io.memory.sections import Section
from ridgeline.kernels.memory.layout import HOT_BYTES, LAYOUT_VERSION, QUEUE_BYTES

HOT: Final = Section("hot", str(LAYOUT_VERSION), HOT_BYTES, private=True)
QUEUE: Final = Section("queue", str(LAYOUT_VERSION), QUEUE_BYTES, private=False)
SECTIONS: Final = (HOT, QUEUE)


def sections(*, walks: bool) -> tuple[Section, ...]:
    """All sections of a file, those of walks where these are kept."""
    if not walks:
        return SECTIONS
    from ridgeline.engine.walks.kept import SECTIONS as OF_WALKS

    return (*SECTIONS, *OF_WALKS)
