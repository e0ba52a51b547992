"""One pass over the lists: read what is there, compute what should be, write the difference."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.difference import difference
from ridgeline.engine.manage.given import listed, rules_of
from ridgeline.engine.manage.matches import Matches
from ridgeline.engine.manage.reading import Reading
from ridgeline.engine.manage.report import Report
from ridgeline.engine.manage.subject import Subject, patterns
from ridgeline.engine.manage.telling import tell
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.state.interface import StateError

ALIVE: Final = "analyzer.metrics_manager"
ALIVE_FOR: Final = 120  # seconds
AT_ONCE: Final = 4 << 20  # bytes of a round trip: the first pass over a fleet writes some megabytes
RUN_TIME: Final = "analyzer.metrics_manager.run_time"


@dataclass(frozen=True, slots=True)
class Request:
    """What one pass is asked to do."""

    config: Config
    dry_run: bool = False


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
    now = int(wall())

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
            lock(
                lock_path(
                    "manage", config.source.settings.identity(), config.output.directory, shard=config.shards.name
                )
            )
        )
    except OutputError as error:
        report.find(error.exit_code, str(error))


def _pass(request: Request, report: Report, now: int, left: Callable[[], float]) -> None:
    config = request.config
    began = time.perf_counter()
    fleet = listed(config, report, left)
    report.metrics = len(fleet)
    rules = rules_of(config, report, left)
    with contextlib.closing(ledger_of(config.source.settings, left)) as ledger:
        try:
            reading = Reading.read(ledger, fleet, now)
            report.tell_failures(reading.failed)
            matches = Matches(patterns(config, rules or ()), fleet.names)
            subject = Subject(config, rules, fleet, matches, reading, now)
            entries = difference(subject, ledger, report)
            if not request.dry_run:
                entries.set(RUN_TIME, repr(time.perf_counter() - began))
                entries.set(ALIVE, str(now), ALIVE_FOR)
                report.unwritten = True
                ledger.write(entries, AT_ONCE)
                report.unwritten = False
        except StateError as error:
            report.find(PARTIAL, str(error))
