"""Skyline's web UI shows the anomalies of the newest run: a script that calls `handle_data` with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.writing import Write
from ridgeline.io.disk.atomic import write_atomic

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

USUAL: Final = "anomalies.json"


def web_ui(turn: Turn, place: Path) -> Iterator[Write]:
    """The dump to be written: also of a run without anomalies, but not of one that looked at some metrics only."""
    if turn.of_the_fleet:
        path = place / USUAL if place.is_dir() else place
        yield partial(write_atomic, path, dump(turn.handoffs.anomalous).encode("utf-8", "backslashreplace"))


def dump(found: list[Finding]) -> str:
    """`handle_data([[value, 'metric', timestamp], ...])`, sorted by metric, as Python shows lists."""
    rows = [[one.value, one.anomaly.metric, one.timestamp] for one in sorted(found, key=lambda one: one.anomaly.metric)]
    return f"handle_data({rows})"
