"""One pass over the lists: read what is there, compute what should be, write the difference."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from ridgeline.engine.alerts.external import in_order
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.lists import Hashes, MetricSet, Sets, Text
from ridgeline.engine.manage.matches import Matches
from ridgeline.engine.manage.reading import Reading
from ridgeline.engine.manage.report import Report
from ridgeline.engine.manage.steps.alerting import MAIL
from ridgeline.engine.manage.steps.density import SPARSITY
from ridgeline.engine.manage.steps.every import STEPS
from ridgeline.engine.manage.subject import Subject, patterns
from ridgeline.engine.manage.telling import tell
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.external import known_rows
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import InputError, NoData, OutputError, SourceUnavailable
from ridgeline.io.redis.entries import Entries
from ridgeline.io.state.interface import StateError
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Ledger

ALIVE: Final = "analyzer.metrics_manager"
ALIVE_FOR: Final = 120  # seconds
AT_ONCE: Final = 4 << 20  # bytes of a round trip: the first pass over a fleet writes some megabytes
RUN_TIME: Final = "analyzer.metrics_manager.run_time"


@dataclass(frozen=True, slots=True)
class Request:
    """What one pass is asked to do. `as_of`: the clock it goes by, epoch seconds; None: now."""

    config: Config
    dry_run: bool = False
    as_of: int | None = None


def manage_once(
    request: Request, *, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Report:
    """Do one pass. What could not be read or written is in the report, and was left as it is.

    Raises LockHeld; InputError where there is no Redis to manage; NoData where no metric is listed; SourceUnavailable or
    AuthenticationFailed where nothing could be listed. Then nothing was changed.
    """
    config, began, report = request.config, clock(), Report()
    if config.source.kind != "redis" or not config.analysis.bookkeeping:
        raise InputError("`manage` keeps lists in Redis: it needs a Redis source, and `[analysis] bookkeeping`")
    now = int(wall()) if request.as_of is None else request.as_of

    def left() -> float:
        return began + config.run.deadline - clock()

    with contextlib.ExitStack() as cleanup:
        if not request.dry_run:
            _take_lock(config, report, cleanup)
        try:
            work = partial(_pass, request, report, now, left)
            aside(work, max(left(), 0.0), "manage")
        except Overdue:
            report.find(PARTIAL, "the deadline came before the pass was over: what it had not written is as it was")
        report.seconds = clock() - began
        if not request.dry_run:
            tell(config, report, now, left)
    return report


def _take_lock(config: Config, report: Report, cleanup: contextlib.ExitStack) -> None:
    """Take the lock until the pass ends; where no file can be made for it, go on without. Raises LockHeld."""
    try:
        cleanup.enter_context(
            lock(lock_path("manage", config.source.settings.identity(), config.output.directory))
        )
    except OutputError as error:
        report.find(error.exit_code, str(error))


def _pass(request: Request, report: Report, now: int, left: Callable[[], float]) -> None:
    config = request.config
    began = time.perf_counter()
    fleet = listed(config, report, left)
    report.metrics = len(fleet)
    rules = _rules(config, report, left)
    with contextlib.closing(ledger_of(config.source.settings, left)) as ledger:
        try:
            reading = Reading.read(ledger, fleet, now)
            _say(report, reading.failed)
            matches = Matches(patterns(config, rules), fleet.names)
            subject = Subject(config, rules, fleet, matches, reading, now)
            entries = changes(subject, ledger, report)
            if not request.dry_run:
                entries.set(RUN_TIME, repr(time.perf_counter() - began))
                entries.set(ALIVE, str(now), ALIVE_FOR)
                ledger.write(entries, AT_ONCE)
        except StateError as error:
            report.find(PARTIAL, str(error))


def listed(config: Config, report: Report, left: Callable[[], float]) -> Fleet:
    """The metrics. Raises NoData where there are none, SourceUnavailable or AuthenticationFailed."""
    from ridgeline.io.redis.source import RedisSource

    settings = config.source.settings
    with contextlib.closing(RedisSource(settings, deadline=left, now=None)) as source:
        names = source.list()
        if source.broken_off:
            raise SourceUnavailable(f"{source.incomplete}; nothing is changed")
        if source.incomplete is not None:
            report.find(PARTIAL, source.incomplete)
    if not names:
        raise NoData(
            f"no metric is listed in {escape(settings.namespace)}unique_metrics of Redis at {settings}: no list is changed"
        )
    return Fleet(names, settings.namespace)


def _rules(config: Config, report: Report, left: Callable[[], float]) -> Sequence[AlertRow]:
    """The rules of alerts in the order in which they are gone by, with what other services last gave to runs."""
    external: tuple[AlertRow, ...] = ()
    if config.external_alerts:
        try:
            with open_run_state(config, left()) as state:
                external = known_rows(config, state)
        except StateError as error:
            report.find(PARTIAL, f"the classes go without the rules of external alerts: {error}")
    mails = {name for name, channel, _ in config.alerters.settings if channel.kind == MAIL}
    return in_order(config.alerts, external, mails)


def changes(subject: Subject, ledger: Ledger, report: Report) -> Entries:
    """What is to be written so that every list holds what it should; noted in the report. Raises StateError."""
    from ridgeline.io.redis.ledger import Strings

    failed = subject.reading.failed
    families = [step.lists(subject) for step in STEPS if not step.lacks(failed)]
    every = [kept for family in families for kept in family]
    copies = [kept for kept in every if isinstance(kept, MetricSet) and kept.like is not None]
    sets = [kept for kept in every if isinstance(kept, Sets) and kept not in copies]
    amiss = ledger.sweep(sets, [kept for kept in every if isinstance(kept, Hashes)])
    amiss |= ledger.sweep([kept for kept in copies if kept.other in amiss], [])
    amiss |= ledger.compare([kept for kept in copies if kept.other not in amiss])
    texts = [kept for kept in every if isinstance(kept, Text)]
    (there,) = ledger.ask(Strings([kept.key for kept in texts]))
    for kept, text in zip(texts, there, strict=True):
        kept.there = text
    _say(report, amiss)
    entries = Entries()
    for family in families:
        together = Entries()
        for kept in family:
            change = None if kept.key in amiss else kept.change(together)
            if change:
                report.changes[kept.key] = change
        entries.together(together)
    report.numbers = {
        kept.key.removeprefix(f"{SPARSITY}."): float(kept.told()) for kept in texts if kept.key.startswith(f"{SPARSITY}.")
    }
    return entries


def _say(report: Report, failed: Mapping[str, str]) -> None:
    for why in failed.values():
        report.find(PARTIAL, why)
