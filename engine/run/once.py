"""One bulk run: lock, list, score, alert, write, sum up."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.alerts.channels import build_alerters
from ridgeline.engine.alerts.match import match_rows
from ridgeline.engine.alerts.no_data import no_data_items
from ridgeline.engine.alerts.pipeline import Summary, deliver_items
from ridgeline.engine.config.model import Config
from ridgeline.engine.report.files import write_outputs
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.matching import matcher
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.no_data import no_data
from ridgeline.engine.run.scan import Scan
from ridgeline.engine.run.sources import identity, open_source
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.disk.atomic import sweep_orphans
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import AuthenticationFailed, NoData, OutputError

BUG: Final = 1
PARTIAL: Final = 70
COMPILING: Final = 1.0  # seconds; loading compiled kernels takes milliseconds


@dataclass(frozen=True, slots=True)
class Request:
    """What one run is asked to do. `as_of` None: now. `match` None: every metric. `json`: stdout is not for alerts."""

    config: Config
    as_of: int | None = None
    match: str | None = None
    dry_run: bool = False
    json: bool = False
    progress: Callable[[int], None] | None = None


def run_once(
    request: Request, *, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Report:
    """Run, and return the report; its `exit` is the exit code and its `problems` say why.

    Raises LockHeld; SourceUnavailable, AuthenticationFailed or InputError where nothing could be read at all. Then
    neither state nor outputs have been touched. Alerts go out before anything is written.
    """
    budget = Budget.begin(request.config.run.deadline, clock)
    report = Report((), as_of=request.as_of)
    with contextlib.ExitStack() as stack:
        failed_to_write = _prepare(request, report, stack)
        scan = _scan(request, report, budget, int(now()), stack)
        lacking = no_data(report, request.match)
        summary = _alert(request, report, budget, lacking, stack)
        failed_to_write |= _write(request, report)
        report.problems.extend(_explain(scan, lacking, summary))
        report.seconds["total"] = budget.spent()
        report.exit = _exit_code(report, scan, lacking, summary, failed_to_write=failed_to_write)
    return report


def _prepare(request: Request, report: Report, stack: contextlib.ExitStack) -> bool:
    """Take the lock and sweep what killed runs left; True if that failed for want of a place to write.

    Where no lock file can be made, the run goes on without: a full disk must not silence the alerts.
    """
    if request.dry_run:
        return False
    directory = request.config.output.directory
    try:
        stack.enter_context(lock(lock_path("run", identity(request.config.source), directory)))
        if directory is not None:
            sweep_orphans(directory)
    except OutputError as error:
        report.problems.append(str(error))
        return True
    return False


def _scan(request: Request, report: Report, budget: Budget, now: int, stack: contextlib.ExitStack) -> Scan:
    """List, read and score everything there is time for."""
    config = request.config
    report.as_of = now if request.as_of is None else request.as_of
    scorer = Scorer.of(
        config.analysis, config.overrides, as_of=request.as_of, default_as_of=now, threads=config.run.threads
    )
    report.algorithms = scorer.overrides.policies[0].algorithms
    match = None if request.match is None else matcher(request.match)
    opened = open_source(config, match, budget.reading_left)
    stack.callback(opened.close)
    budget.excuse(_load_kernels(budget, scorer, report))
    scan = Scan(opened.source, scorer, budget.reading_left, opened.known, request.progress)
    scan.run(report)
    return scan


def _load_kernels(budget: Budget, scorer: Scorer, report: Report) -> float:
    """Load the kernels, and return the seconds if any had to be compiled: a deadline is no reason to leave that undone."""
    from ridgeline.engine.rules.user_algorithms import remark
    from ridgeline.kernels.native import loader

    began = budget.clock()
    loader.prepare("decode", "score")
    slower = remark(scorer.plan.user)
    if slower:
        report.problems.append(slower)
    spent = budget.clock() - began
    return spent if spent > COMPILING else 0.0


def _alert(
    request: Request, report: Report, budget: Budget, lacking: NoData | None, stack: contextlib.ExitStack
) -> Summary:
    """Send what is to be sent, the alert that there is no data included."""
    config = request.config
    began = budget.spent()
    summary = Summary()
    if not request.dry_run and config.alerts:
        items = match_rows(report.anomalies, config.alerts, config.analysis.full_duration)
        if lacking is not None and request.match is None:
            heard = float(report.outcomes["analysed"])
            about = no_data_items(
                str(lacking), heard, int(report.as_of or 0), config.alerts, config.delivery.no_data_expiration
            )
            items = itertools.chain(about, items)
        alerters = build_alerters(config.alerters.settings, config.alerts, json=request.json)
        state = stack.enter_context(open_run_state(config))
        summary = deliver_items(items, alerters, state, deadline=budget.alerts_end, clock=budget.clock)
    report.alerts = summary.counts()
    report.seconds["alert"] = budget.spent() - began
    return summary


def _write(request: Request, report: Report) -> bool:
    """Write the outputs; True if that failed."""
    directory = request.config.output.directory
    if request.dry_run or directory is None:
        return False
    try:
        write_outputs(directory, report.anomalies)
    except OutputError as error:
        report.problems.append(str(error))
        return True
    return False


def _explain(scan: Scan, lacking: NoData | None, summary: Summary) -> Iterator[str]:
    """One sentence for each thing that went wrong."""
    if lacking is not None:
        yield str(lacking)
    if scan.lost is not None:
        yield f"the run is partial, the source was lost after {scan.rows} metrics: {scan.lost}"
    if scan.late:
        yield f"the run is partial, its deadline came after {scan.rows} metrics"
    yield from summary.problems()


def _exit_code(report: Report, scan: Scan, lacking: NoData | None, summary: Summary, *, failed_to_write: bool) -> int:
    """Return the gravest that applies."""
    if report.outcomes["error"]:
        return BUG
    if isinstance(scan.lost, AuthenticationFailed):
        return AuthenticationFailed.exit_code
    if lacking is not None:
        return NoData.exit_code
    if failed_to_write:
        return OutputError.exit_code
    return PARTIAL if scan.lost is not None or scan.late or not summary.complete else 0
