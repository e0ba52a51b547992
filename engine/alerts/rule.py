"""What `[[alert]]` says: which metrics go to which strategies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EXPIRATION: Final = 3600


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One `[[alert]]`: which metrics go to which strategies, and for how long each of them then stays quiet."""

    match: str
    strategies: tuple[str, ...]
    expiration: int = EXPIRATION
