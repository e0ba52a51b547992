"""Codes that the row function writes: outcomes and votes."""

from __future__ import annotations

from typing import Final

ANALYSED: Final = 0
EMPTY: Final = 1
TOO_SHORT: Final = 2
STALE: Final = 3
BORING: Final = 4
NO_CRITICAL: Final = 5  # not an outcome: grubbs' critical value for this number of points is not in the table yet

FALSE: Final = 0
TRUE: Final = 1
NULL: Final = 2  # not needed, or switched off
FAILED: Final = 3
