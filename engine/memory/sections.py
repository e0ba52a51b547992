"""The sections of the memory file that hold what kernels know of each metric."""

from __future__ import annotations

from typing import Final

from ridgeline.io.memory.sections import Section
from ridgeline.kernels.memory.layout import HOT_BYTES, LAYOUT_VERSION, QUEUE_BYTES

HOT: Final = Section("hot", str(LAYOUT_VERSION), HOT_BYTES, private=True)
QUEUE: Final = Section("queue", str(LAYOUT_VERSION), QUEUE_BYTES, private=False)
SECTIONS: Final = (HOT, QUEUE)
