"""What the grades entry and its caller agree on. Needs no numba to import."""

from __future__ import annotations

from typing import Final

LOUDEST: Final = 3.0  # what one algorithm may add to the mean at most
BLOCK: Final = 512  # rows put in order together: their lanes stay in the cache nearest to the core

# Rows of grades float[GRADES, n].
KTH, MEAN = range(2)
GRADES: Final = 2
