"""What the entry `ridgeline` and its callers agree on: columns of channels. Needs no numba."""

from __future__ import annotations

from typing import Final

# Columns of channels float32[n, CHANNELS], each above 1 where it speaks; then the score of all, and P.
OUTAGE, PATTERN, SPIKE, RECORD, SCORE, TAIL = range(6)
CHANNELS: Final = 6
