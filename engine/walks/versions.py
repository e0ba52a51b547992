"""What each walk is, as a memory bears it, in 15 bits: its formula, constants and places.

A test computes them. A walk of another version begins anew in every memory, and the rest stays.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels.paging.layout import EXTRAPOLATION, NOVELTY, OUTAGE, SEASONAL

COMMON: Final = 19972  # pace, counters and clips, on which all of them rest
WALKS: Final = {SEASONAL: 5113, NOVELTY: 20405, EXTRAPOLATION: 31000, OUTAGE: 3272}
NOW: Final = sum(version << (16 * place) for place, version in WALKS.items())
