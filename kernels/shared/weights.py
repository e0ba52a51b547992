"""Exponential weights: one table, read from its end."""

from __future__ import annotations

from typing import Final

# Centre of mass 50: alpha = 1 / (1 + 50).
DECAY: Final = 50.0 / 51.0
