"""What is `batch`'s: patterns, and the windows and stale periods that go with patterns."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.manage.lists import Hash, Kept, TextSet
from ridgeline.engine.manage.subject import Subject

NAMESPACES: Final = "metrics_manager.batch_processing_namespaces"
WINDOWS: Final = f"{NAMESPACES}_full_durations"
STALE_PERIODS: Final = f"{NAMESPACES}_custom_stale_period"


def batch_namespaces(subject: Subject) -> list[Kept]:
    """`[batch] match`, and `full_duration` and `stale_period` of overrides, by their patterns as they are written."""
    if not subject.fleet.share.first:
        return []
    overrides = subject.config.overrides
    windows = {one.match: str(one.full_duration) for one in overrides if one.full_duration is not None}
    periods = {one.match: str(one.stale_period) for one in overrides if one.stale_period is not None}
    return [
        TextSet(NAMESPACES, frozenset(subject.config.batch.match)),
        Hash(WINDOWS, windows),
        Hash(STALE_PERIODS, periods),
    ]
