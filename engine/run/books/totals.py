"""That the run is over, how long it took and what it judged: written last of all, so that only a whole run is alive."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.turn import Turn

HEARTBEATS: Final = ("redis", "analyzer")  # siblings take the absence of either for a program that is down
ALIVE: Final = 120  # seconds
ERRORS: Final = "analyzer.log.errors.per_minute"
ERRORS_KEPT: Final = 119  # seconds


def write_totals(turn: Turn) -> None:
    """Write the run's statistics and, at the very end, the heartbeats."""
    entries, report, now = turn.entries, turn.report, str(turn.as_of)
    values = {
        "run_time": repr(turn.budget.spent()),
        "total_metrics": str(report.metrics),
        "total_analyzed": str(report.outcomes["analysed"]),
    }
    for name, value in values.items():
        entries.put(f"analyzer.{name}", {"value": value, "timestamp": now})
    faults = turn.faults + bool(turn.unkept)
    if faults:
        entries.set(ERRORS, str(faults), ERRORS_KEPT)
    for key in HEARTBEATS:
        entries.set(key, now, ALIVE)
