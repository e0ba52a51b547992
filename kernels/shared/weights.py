"""Exponential weights: one table, read from its end."""

from __future__ import annotations

from typing import Final

CENTRE_OF_MASS: Final = 50
DECAY: Final = CENTRE_OF_MASS / (1.0 + CENTRE_OF_MASS)  # alpha = 1 / (1 + centre of mass)
