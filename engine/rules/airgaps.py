"""What `[airgaps]` says: in which metrics airgaps are looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_PERIOD: Final = 6 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class Airgaps:
    """`[airgaps]`: whether airgaps and unordered series are looked for, in which metrics, and how far back, in seconds.

    `check` empty: in all metrics but those of `skip`.
    """

    identify: bool = False
    check: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    max_period: int = MAX_PERIOD
