"""That the run is over, how long it took and what it judged: written last of all, so that only a whole run is alive."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.hosts import SIGN_KEPT, Sign, sign_key
from ridgeline.engine.run.turn import Turn

HEARTBEATS: Final = ("redis", "analyzer")  # siblings take the absence of either for a program that is down
ALIVE: Final = 120  # seconds
ERRORS: Final = "analyzer.log.errors.per_minute"
ERRORS_KEPT: Final = 119  # seconds


def write_totals(turn: Turn) -> None:
    """Write the run's statistics and, at the very end, the heartbeats."""
    entries, now = turn.entries, str(turn.as_of)
    host = turn.request.config.shards.name
    for name, value in _totals(turn).items():
        entries.put(f"analyzer.{name}{f'.{host}' if host else ''}", {"value": value, "timestamp": now})
    faults = turn.faults + bool(turn.unkept)
    if faults:
        entries.set(ERRORS, str(faults), ERRORS_KEPT)
    for key in HEARTBEATS:
        entries.set(key, now, ALIVE)
    if host:
        entries.set(sign_key(host), Sign.of(turn.request.config.shards, turn.as_of).text(), SIGN_KEPT)


def _totals(turn: Turn) -> dict[str, str]:
    """The numbers of a run that read something: one that could not is no fleet without metrics."""
    if turn.scan is None:
        return {}
    return {
        "run_time": repr(turn.budget.spent()),
        "total_metrics": str(turn.report.metrics),
        "total_analyzed": str(turn.report.outcomes["analysed"]),
    }
