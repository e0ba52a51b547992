"""How one group of metrics is judged: what configuration and overrides add up to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """One distinct combination of settings.

    thresholds       (algorithm, limit) pairs
    stale_period     seconds; None: the profile's
    full_duration    seconds of each series that are considered; None: the plan's
    """

    consensus: int = 6
    algorithms: tuple[str, ...] = ()
    thresholds: tuple[tuple[str, float], ...] = ()
    direction: str = "both"
    min_change: float = 0.0
    min_change_relative: float = 0.0
    stale_period: int | None = None
    full_duration: int | None = None
