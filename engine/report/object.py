"""A report as the one JSON object that `--json` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ridgeline.engine.report.counts import ranked
from ridgeline.engine.report.files import listing
from ridgeline.engine.score.sparse import as_objects

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report


def as_object(report: Report) -> dict[str, Any]:
    """The report; without what only a run knows (alerts, source, unmatched_patterns, airgaps, shed) where there was none."""
    shown = {
        "as_of": report.as_of,
        "metrics": report.metrics,
        "outcomes": ranked(report.outcomes),
        "reasons": ranked(report.reasons),
        "repairs": ranked(report.repairs),
        "preparation": ranked(report.prepared),
        "never_judged": as_objects(report.sparse),
        "anomalies": listing(report.anomalies),
        "breakdown": report.breakdown,
        "algorithm_errors": ranked(report.algorithm_errors),
        "algorithm_tracebacks": {name: told.traceback for name, told in report.failures.items() if told.traceback},
        "alerts": report.alerts,
        "source": report.reads,
        "unmatched_patterns": report.unmatched,
        "airgaps": report.airgaps,
        "shed": report.shed,
        "seconds": {stage: round(seconds, 6) for stage, seconds in report.seconds.items()},
        "metrics_per_second": round(report.metrics_per_second, 3),
        "exit": report.exit,
    }
    if report.alerts is None:
        for key in ("alerts", "source", "unmatched_patterns", "airgaps", "shed"):
            del shown[key]
    if report.read_for is not None:
        shown["reads"] = dict(report.read_for)
    if report.learning is not None:
        shown["learning"] = report.learning
    if report.walks is not None:
        shown["walks"] = dict(report.walks)
    if report.archive is not None:
        shown["archive"] = dict(report.archive)
    if report.shadow is not None:
        shown["shadow"] = report.shadow.as_json()
    return shown if report.handoffs is None else shown | {"handoffs": ranked(report.handoffs)}
