"""Metrics that have gone quiet and are still judged: `analyzer.alert_on_stale_metrics`."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.members import in_namespace, put_set
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.stale import StaleSink
from ridgeline.engine.run.turn import Turn

NEWLY_STALE: Final = "analyzer.alert_on_stale_metrics"


def write_newly_stale(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Let the set hold the keys of what the stale digest found now; nothing without a digest."""
    namespace = turn.request.config.source.settings.namespace
    stale = turn.sink(StaleSink)
    found = () if stale is None else stale.found
    put_set(turn, NEWLY_STALE, [f"{namespace}{metric}" for metric in found], in_namespace(namespace))
