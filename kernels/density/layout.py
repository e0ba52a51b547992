"""What the density entry and its callers agree on. Needs no numba to import."""

from __future__ import annotations

from typing import Final

RECENT: Final = 101  # newest points that tell the usual step
ROOM: Final = 3 * RECENT + 64  # scratch

# Columns of facts int64[n, FACTS]: the usual step in seconds (0: there is none), and points in the window.
STEP, COUNT = range(2)
FACTS: Final = 2
