"""Mirage looks again, over a longer history, at anomalies of metrics whose rule says so; nobody is alerted meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.run.handoffs.findings import Finding, Identity
from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.parked import PARKED, PATIENCE, Parked
from ridgeline.engine.run.handoffs.pythonic import assignments, in_double_quotes
from ridgeline.io.errors import OutputError
from ridgeline.io.redis.entries import Entries
from ridgeline.io.shard import Share
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Ledger

MORE_THAN: Final = 24  # hours: Skyline's limit, whatever the window
SENT: Final = "analyzer.mirage_check_sent"
UNANSWERED: Final = "analyzer.waterfall.alert"
THIS_RUN: Final = "analyzer.sent_to_mirage"


def mirage_hours(rows: Sequence[AlertRow], metrics: Sequence[str]) -> dict[str, int]:
    """The hours that Mirage is to look at, of each metric that is Mirage's: one of its rules has more than a day."""
    found: dict[str, int] = {}
    for metric, chosen in zip(metrics, deciding(rows, metrics), strict=True):
        asked = (row.second_order_hours for row in chosen.values())
        hours = next((hours for hours in asked if hours > MORE_THAN), 0)
        if hours:
            found[metric] = hours
    return found


def hand_to_mirage(turn: Turn, folder: Path, ledger: Ledger, rows: Sequence[AlertRow]) -> None:
    """Hand over the anomalies that are Mirage's: park each, write its check, and withhold it from this run's alerts.

    `rows` are the rules that alerts go by. An anomaly that could not be parked, or whose check could not be written, is alerted on at once.
    """
    handoffs = turn.handoffs
    found = [*handoffs.anomalous, *handoffs.batch.alerts.values()]
    hours = mirage_hours(rows, list({finding.anomaly.metric: None for finding in found}))
    theirs = [finding for finding in found if finding.anomaly.metric in hours]
    handoffs.mirage |= hours.keys()
    if not theirs:
        return
    try:
        asked = _already_asked(theirs, ledger)
        fresh = [finding for finding in theirs if finding.identity not in asked]
        parked = {finding.identity: Parked.of(finding, turn.as_of, handoffs.host) for finding in fresh}
        ledger.write(_parking(parked.values()))
    except StateError as error:
        turn.unkept.append(error)
        turn.warn(
            f"{counted(len(theirs))} of Mirage's metrics alerted on at once: Redis does not take what is to be parked"
        )
        return
    failed = _write_checks(turn, folder, fresh, hours)
    written = parked.keys() - failed
    handoffs.withheld |= asked | written
    for metric, _ in handoffs.withheld:
        turn.report.describe(metric, handed_to="mirage")
    handoffs.counts["mirage"] += len(written)
    try:
        done, undone = ([parked[one] for one in sorted(some)] for some in (written, failed))
        ledger.write(_record(done, undone, turn.share))
    except StateError as error:
        turn.unkept.append(error)


def check_of(finding: Finding, hours: int) -> str:
    """The text of a check, in the form that Skyline's parent process writes."""
    quoted = {
        "value": finding.value,
        "hours_to_resolve": hours,
        "metric_timestamp": finding.timestamp,
        "custom_algorithm_only": None,
    }
    return f"{first_line(finding.anomaly.metric)}\n" + assignments((name, f'"{told}"') for name, told in quoted.items())


def first_line(metric: str) -> str:
    """What says whose check it is."""
    return f"metric = {in_double_quotes(metric)}"


def counted(anomalies: int) -> str:
    """So many anomalies, in words."""
    return "1 anomaly" if anomalies == 1 else f"{anomalies:,} anomalies"


def _already_asked(findings: Sequence[Finding], ledger: Ledger) -> set[Identity]:
    """Those that Mirage was asked about lately, or that we alerted on because it did not answer."""
    from ridgeline.io.redis.ledger import Strings

    keys = [f"{finding.anomaly.timestamp}.{finding.anomaly.metric}" for finding in findings]
    sent, alerted = ledger.ask(*(Strings([f"{form}.{key}" for key in keys]) for form in (SENT, UNANSWERED)))
    known = zip(findings, sent, alerted, strict=True)
    return {finding.identity for finding, one, other in known if one is not None or other is not None}


def _write_checks(turn: Turn, folder: Path, findings: Sequence[Finding], hours: Mapping[str, int]) -> set[Identity]:
    """Write the checks, and return which could not be written."""
    checks = Checks(folder)
    failed: set[Identity] = set()
    reason = ""
    for finding in findings:
        metric, stamp = finding.identity
        stem = f"{turn.as_of}.{stamp}" if finding.from_batch else str(stamp)
        try:
            checks.put(stem, metric, check_of(finding, hours[metric]), str(stamp))
        except OutputError as error:
            failed.add(finding.identity)
            reason = reason or str(error)
    if failed:
        turn.find(OutputError.exit_code, f"{reason}; {counted(len(failed))} of Mirage's metrics alerted on at once")
    return failed


def _parking(parked: Iterable[Parked]) -> Entries:
    entries = Entries()
    entries.add(PARKED, [item.text for item in parked])
    return entries


def _record(written: Sequence[Parked], failed: Sequence[Parked], share: Share) -> Entries:
    entries = Entries()
    entries.remove(PARKED, [item.text for item in failed])
    metrics = [item.anomaly.metric for item in written]
    if share.whole:
        entries.unlink(THIS_RUN)
        entries.add(THIS_RUN, metrics)
    else:
        entries.change_part(THIS_RUN, metrics, share.among)
    for item in written:
        key = f"{SENT}.{item.anomaly.timestamp}.{item.anomaly.metric}"
        entries.set(key, str(item.anomaly.timestamp), PATIENCE)
    return entries
