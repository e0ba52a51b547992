"""A report as a summary for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ridgeline.engine.report.counts import ranked
from ridgeline.engine.report.summary import SHARES, WORK
from ridgeline.engine.score import sparse
from ridgeline.engine.score.tally import RAW
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.score.anomaly import Anomaly

PATTERNS_SHOWN: Final = 5
WALKED: Final = "walked"  # of what walking met: what it is there for


def as_text(report: Report, limit: int) -> str:
    """The summary, one fact a line, with the `limit` anomalies that most algorithms agree on."""
    parts = [*_counts(report), *_anomalies(report, limit), *_configuration(report)]
    shadow = [] if report.shadow is None else [*report.shadow.lines()]
    return "\n".join([*parts, *shadow, _speed(report)])


def _counts(report: Report) -> Iterator[str]:
    yield f"{number(report.metrics, 'metric')}{instant(report.as_of)}{_listed(': ', report.outcomes)}"
    if report.reasons:
        yield f"reasons{_listed(': ', report.reasons)}"
    if report.repairs:
        yield f"points repaired or dropped{_listed(': ', report.repairs)}"
    yield from _preparation(report)
    yield from sparse.lines(sparse.as_objects(report.sparse))
    if report.read_for is not None:
        yield f"read{_listed(': ', report.read_for)}"
    if report.walks is not None and (
        met := {what: count for what, count in report.walks.items() if count and what != WALKED}
    ):
        yield f"walks met{_listed(': ', met)}"
    if report.learning:
        yield f"learning: {number(report.learning, 'metric')} of which some walk does not know enough yet to speak"
    for name, count in ranked(report.algorithm_errors).items():
        yield f"{escape(name)} failed on {number(count, 'metric')}; {escape(report.failures[name].sentence)}"


def _preparation(report: Report) -> Iterator[str]:
    done = Counter(report.prepared)
    raw = done.pop(RAW, 0)
    if done:
        yield f"prepared{_listed(': ', done)}"
    if raw:
        yield f"{number(raw, 'growing metric')} scored by value, not by rise ([preparation] counters)"


def _anomalies(report: Report, limit: int) -> Iterator[str]:
    if not report.judged:
        return
    top = sorted(report.anomalies, key=lambda found: (-found.votes, -(found.rule_score or 0.0), found.metric))
    yield f"{number(len(top), 'anomaly', 'anomalies')}{':' if top else ''}"
    for found in top[:limit]:
        votes = _said(found)
        expected = "" if found.expected is None else f"  expected {found.expected[0]:.6g} to {found.expected[1]:.6g}"
        yield f"  {escape(found.metric)} = {found.value:.6g}{expected}  {votes}"
    if len(top) > limit:
        yield f"  ... and {len(top) - limit:,} more"


def _said(found: Anomaly) -> str:
    """What speaks for an anomaly: the channels of its rule, else the votes."""
    if found.channels is not None and found.rule_score is not None:
        return f"{', '.join(found.channels)}: {found.rule_score:.3g}"
    return f"{number(found.votes, 'vote')}: {', '.join(found.algorithms)}"


def _configuration(report: Report) -> Iterator[str]:
    """What became of the alerts, and what the configuration names in vain."""
    if report.judged and report.alerts is not None:
        yield f"alerts: {', '.join(f'{count:,} {what}' for what, count in report.alerts.items())}"
        unmatched = report.alerts.get("unmatched", 0)
        if unmatched:
            yield f"{number(unmatched, 'anomaly', 'anomalies')} matched no alert rule"
    if report.shed is not None and report.shed["metrics"]:
        metrics, covered = report.shed["metrics"], report.shed["alert_covered"]
        yield f"shed: {metrics:,} metrics" + ("" if covered is None else f", {covered:,} of them with an alert rule")
    if report.airgaps is not None:
        yield f"airgaps: {', '.join(f'{count:,} {what}' for what, count in report.airgaps.items())}"
    if report.archive is not None:
        yield f"archive: {', '.join(f'{count:,} {what}' for what, count in report.archive.items())}"
    if report.handoffs:
        yield f"siblings{_listed(': ', report.handoffs)}"
    if report.unmatched:
        yield f"patterns that match no metric: {_patterns(report.unmatched)}"


def _patterns(patterns: Sequence[str]) -> str:
    shown = ", ".join(f'"{escape(pattern)}"' for pattern in patterns[:PATTERNS_SHOWN])
    more = len(patterns) - PATTERNS_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _speed(report: Report) -> str:
    seconds = report.seconds
    if "scan" in seconds:
        where = f"{_spent(seconds, SHARES)} s; at the same time {_spent(seconds, WORK)} s"
    else:
        where = f"{_spent(seconds, ('compile', *WORK))} s"
    return f"{seconds['total']:.2f} s, {report.metrics_per_second:,.0f} metrics/s ({where})"


def _spent(seconds: Mapping[str, float], stages: Sequence[str]) -> str:
    return ", ".join(f"{stage} {seconds[stage]:.2f}" for stage in stages if stage in seconds)


def _listed(before: str, counter: Mapping[str, int]) -> str:
    shown = ", ".join(f"{count:,} {escape(name)}" for name, count in ranked(counter).items())
    return f"{before}{shown}" if shown else ""


def number(count: int, one: str, many: str = "") -> str:
    """So many of what: `1 metric`, `1,200 anomalies`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def instant(as_of: int | str | None) -> str:
    """What is judged as of, as the end of a phrase: ` as of 2023-11-14 22:13:20 UTC`."""
    if as_of is None:
        return ""
    if as_of == "last":
        return " as of their own newest points"
    try:
        return f" as of {datetime.fromtimestamp(int(as_of), UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f" as of {as_of}"
