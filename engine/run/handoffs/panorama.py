"""Panorama records every anomaly that is the analyzer's own: a check a metric and run, and one for each unanswered by Mirage."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.pythonic import assignments, judged
from ridgeline.engine.run.handoffs.writing import Write
from ridgeline.engine.score.anomaly import Anomaly

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn


def panorama(turn: Turn, folder: Path) -> Iterator[Write]:
    """The checks to be written: of Mirage's metrics, which it tells of itself, only what it did not get or not answer."""
    handoffs = turn.handoffs
    put = partial(_put, Checks(folder), turn.as_of, handoffs.host)
    if handoffs.safe:
        for item in handoffs.unanswered.items:
            yield partial(put, item.anomaly, item.value, item.start)
    for finding in handoffs.anomalous:
        if finding.anomaly.metric not in handoffs.mirage or finding.identity not in handoffs.withheld:
            yield partial(put, finding.anomaly, finding.value, finding.start)


def _put(checks: Checks, now: int, host: str, anomaly: Anomaly, value: float, start: int) -> None:
    checks.put(str(now), anomaly.metric, check_of(anomaly, value, start, now, host), str(anomaly.timestamp))


def check_of(anomaly: Anomaly, value: float, start: int, now: int, host: str, app: str = "analyzer") -> str:
    """The text of a check; `start`: the timestamp from which the anomaly was judged."""
    return assignments(
        (
            *judged(anomaly, value, start),
            ("app", repr(app)),
            ("source", "'graphite'"),
            ("added_by", repr(host)),
            ("added_at", f"'{now}'"),
        )
    )
