"""A run's numbers under the names that Skyline's analyzer gives them in Graphite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ridgeline.engine.report.summary import Report
from ridgeline.engine.score.verdicts import OUTCOMES

PREFIX: Final = "skyline.analyzer"
# What Skyline raises, and counts, where a metric has one of our outcomes.
EXCEPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "TooShort": ("too_short",),
    "Stale": ("stale",),
    "Boring": ("boring",),
    "EmptyTimeseries": ("empty", "missing", "rejected"),
    "Other": ("error",),
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is told of one run.

    seconds    that it took
    hours      the canary's span, and `projected`, seconds for a day of it; None without one
    handed     checks written for siblings, by sibling
    http       alerts for http strategies that wait; None where none is configured
    """

    report: Report
    seconds: float
    hours: float | None = None
    projected: float | None = None
    handed: Mapping[str, int] = field(default_factory=dict)
    http: int | None = None


def prefix(name: str, host: str = "") -> str:
    """What every name begins with: `name` stands for this server, or else a shard's `host` does; without either none."""
    own = name or host.replace(".", "_")
    return f"{PREFIX}.{own}" if own else PREFIX


def analyzed(report: Report) -> int:
    """Metrics that came to be judged by the algorithms: what Skyline calls analyzed, less those that it skipped."""
    return report.outcomes["analysed"]


def numbers_of(told: Numbers) -> dict[str, float]:
    """Every number by its name less the prefix; whole numbers are int."""
    return dict(_pairs(told))


def _pairs(told: Numbers) -> Iterator[tuple[str, float]]:
    report = told.report
    yield "run_time", round(told.seconds, 2)
    yield "total_metrics", report.metrics
    yield "total_analyzed", analyzed(report)
    yield "total_anomalies", len(report.anomalies)
    for name, outcomes in EXCEPTIONS.items():
        yield f"exceptions.{name}", sum(report.outcomes[outcome] for outcome in outcomes)
    for algorithm, count in report.breakdown.items():
        yield f"anomaly_breakdown.{algorithm}", count
    for algorithm, count in report.times_run.items():
        if count:
            yield f"algorithm_breakdown.{algorithm}.timing.times_run", count
    yield from _timings(report)
    if told.hours is not None and told.projected is not None:
        yield "duration", told.hours
        yield "projected", told.projected
    for sibling, count in told.handed.items():
        yield f"sent_to_{sibling}", count
    if told.http is not None:
        yield "http_alerter.queue.analyzer", told.http
    # Ours: what Skyline has no name for.
    for outcome in OUTCOMES:
        yield f"outcomes.{outcome}", report.outcomes[outcome]
    if report.reads is not None:
        yield from ((f"reads.{what}", count) for what, count in report.reads.items())


def _timings(report: Report) -> Iterator[tuple[str, float]]:
    """Only of users' algorithms: the nine are one pass over a series, and none of them has a time of its own."""
    for algorithm, blocks in report.spent.items():
        each = [seconds / rows for seconds, rows in blocks if rows]
        if each:
            yield f"algorithm_breakdown.{algorithm}.timing.total_time", round(sum(seconds for seconds, _ in blocks), 6)
            yield f"algorithm_breakdown.{algorithm}.timing.median_time", round(float(np.median(each)), 9)
