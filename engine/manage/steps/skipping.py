"""What is left out for a while or for good: of the analysis, and of alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ridgeline.engine.manage.lists import Kept, MetricSet, Pruned
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.run.skips import SKIPS
from ridgeline.io.redis.until import until

SKIPPED: Final = "analyzer.metrics_manager.analyzer_skip"
MUTES: Final = "metrics_manager.mute_alerts_on"


def skipped_metrics(subject: Subject) -> list[Kept]:
    """`[analysis] skip`, and what operators skip through the API until their time is over, which is then forgotten."""
    fleet, now = subject.fleet, subject.now
    asked = fleet.mask(name for name, end in subject.reading.skips.fields.items() if until(end) > now)
    wanted = subject.matches.any(subject.config.analysis.skip) | asked
    return [MetricSet(SKIPPED, fleet, wanted), Pruned(SKIPS, _ended(now), fleet.share.among)]


def mutes(subject: Subject) -> list[Kept]:
    """Mutes of the API whose time is over are forgotten."""
    return [Pruned(MUTES, _ended(subject.now), subject.fleet.share.among)]


def _ended(now: int) -> Callable[[Mapping[str, str]], list[str]]:
    """The fields that named a time which has come."""
    return lambda fields: [name for name, end in fields.items() if until(end) <= now]
