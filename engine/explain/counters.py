"""Skyline's profiles judge a counter as one once three runs have found it: what a run would know by now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ridgeline.engine.prepare.plan import AUTO
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.score.scorer import Scorer


def confirmed(scorer: Scorer, config: Config, metric: str, now: int) -> tuple[Scorer, str]:
    """The scorer that knows whether earlier runs found a counter; and why the state does not say, if it does not.

    now: the wall clock, epoch seconds, that what is known is outdated by.
    """
    if config.preparation.counters != AUTO or not scorer.plan.profile.skyline:
        return scorer, ""
    from ridgeline.engine.run.latches import LatchSink
    from ridgeline.engine.run.state import open_run_state
    from ridgeline.io.state.interface import StateError
    from ridgeline.io.state.names import COUNTERS

    latches = LatchSink(now, config.analysis.full_duration)
    try:
        with open_run_state(config) as state:
            (stored,) = state.pick(COUNTERS, [metric])
    except StateError as error:
        return scorer, f"{escape(error)}; whether earlier runs confirmed a counter is not known"
    latches.learn({} if stored is None else {metric: stored})
    return replace(scorer, confirm=latches.confirm), ""
