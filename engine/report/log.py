"""A run as entries of a log: one about the run, one for each warning, one for each algorithm that failed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.report.counts import ranked
from ridgeline.engine.report.text import instant, number
from ridgeline.io.text import encodable, escape, redact

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report

FORMATS: Final = ("text", "json")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `level`: info, warning or error; `sentence` for people, `fields` for programs; `details`: more lines."""

    level: str
    event: str
    sentence: str
    fields: Mapping[str, Any]
    details: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and when: epoch seconds of the wall clock, and the number of the process."""

    now: float
    pid: int


def entries(report: Report, code: int, *, match: str | None = None, warnings: Sequence[str] = ()) -> Iterator[Entry]:
    """What a run has to say. `match`: the pattern that it was confined to; `warnings`: of the configuration."""
    yield _run(report, code, match)
    for sentence in (*warnings, *report.problems):
        said = redact(sentence)
        yield Entry("warning", "problem", f"warning :: {said}", {"message": encodable(said)})
    if report.traceback:
        yield Entry("error", "bug", "error :: the bug", {"traceback": report.traceback}, report.traceback)
    for name, count in ranked(report.algorithm_errors).items():
        told = report.failures[name]
        fields = {"algorithm": name, "metrics": count, "message": told.sentence, "traceback": told.traceback}
        words = f"error :: algorithm {name} failed on {number(count, 'metric')}: {told.sentence}"
        yield Entry("error", "algorithm_failed", words, fields, told.traceback)


def _run(report: Report, code: int, match: str | None) -> Entry:
    outcomes, alerts = ranked(report.outcomes), ranked(report.alerts or {})
    seconds = {stage: round(spent, 6) for stage, spent in report.seconds.items()}
    fields: dict[str, Any] = {
        "exit": code,
        "as_of": report.as_of,
        "match": match,
        "metrics": report.metrics,
        "outcomes": outcomes,
        "anomalies": len(report.anomalies),
        "alerts": report.alerts,
        "algorithm_errors": ranked(report.algorithm_errors),
        "seconds": seconds,
    }
    words = [
        f"run :: exit {code}{instant(report.as_of)} in {seconds['total']:.2f} s",
        f"{number(report.metrics, 'metric')}{_listed(outcomes)}",
        number(len(report.anomalies), "anomaly", "anomalies"),
        f"alerts: {', '.join(f'{count:,} {name}' for name, count in alerts.items()) or 'none'}",
    ]
    if report.airgaps is not None:
        fields["airgaps"] = report.airgaps
        words.append(f"airgaps{_listed(report.airgaps)}")
    if match is not None:
        words.append(f'only "{match}"')
    return Entry("info" if not code else "error", "run", ", ".join(words), fields)


def _listed(counts: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{count:,} {name}' for name, count in counts.items())})" if counts else ""


def as_text(entry: Entry, writer: Writer) -> str:
    """One line as Skyline's logs have them, time in UTC; further lines are indented, so that none can pass for an entry."""
    when = datetime.fromtimestamp(writer.now, UTC).strftime("%Y-%m-%d %H:%M:%S")
    more = "".join(f"    {escape(line)}\n" for line in entry.details.splitlines())
    return f"{when} :: {writer.pid} :: {escape(entry.sentence)}\n{more}"


def as_json(entry: Entry, writer: Writer) -> str:
    """One object on a line of ASCII."""
    when = datetime.fromtimestamp(writer.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = {"time": when, "level": entry.level, "event": entry.event, "pid": writer.pid}
    return json.dumps({**head, **entry.fields}) + "\n"
