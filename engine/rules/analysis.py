"""What `[analysis]` says: how every metric is judged unless an override says otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Analysis:
    """`[analysis]`: how every metric is judged unless an override says otherwise. Empty `algorithms`: all there are.

    bookkeeping   whether a run over Redis writes what Skyline's siblings read there
    """

    full_duration: int = 86400
    consensus: int = 6
    profile: str = "native"
    stale_period: int | None = None
    algorithms: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    all_votes: bool = False
    bookkeeping: bool = True
