"""Stale periods of metrics that have one of their own, for siblings."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.members import put_hash
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn

STALE_PERIODS: Final = "analyzer.metrics_manager.custom_stale_periods"


def write_stale_periods(turn: Turn, judged: Judged, past: Past) -> bool:
    """Publish the seconds by metric, and return whether there are any.

    Where the configuration has none, only what we published before is taken back: it may be a sibling's.
    """
    periods = _periods(turn, judged)
    if periods or past.notes.stale_periods:
        put_hash(turn, STALE_PERIODS, {metric: str(seconds) for metric, seconds in periods.items()})
    return bool(periods)


def _periods(turn: Turn, judged: Judged) -> dict[str, int]:
    overrides = turn.scorer.overrides
    if all(override.stale_period is None for override in overrides.overrides):
        return {}
    indices, policies = overrides.assign(judged.metrics), overrides.policies
    usual = policies[0].stale_period
    own = [None if policy.stale_period == usual else policy.stale_period for policy in policies]
    found = zip(judged.metrics, () if indices is None else indices.tolist(), strict=True)
    return {metric: period for metric, index in found if (period := own[index]) is not None}
