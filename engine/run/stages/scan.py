"""Reading and scoring: every metric there is time for."""

from __future__ import annotations

from collections import Counter

from ridgeline.engine.run.scan import Scan
from ridgeline.engine.run.turn import BUG, PARTIAL, Turn
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.score.unjudged import Unjudged
from ridgeline.io.errors import AuthenticationFailed
from ridgeline.io.source import Source


def _count_reads(turn: Turn, scan: Scan, source: Source) -> None:
    """Say how the metrics were read, and how old the newest points are of those that were not read in full."""
    asked = 0 if turn.question is None else turn.question.bytes_read
    turn.report.reads = {"full_reads": scan.rows, "delta_reads": turn.settled, "bytes": source.bytes_read + asked}
    if turn.memory is not None:
        scan.leads.append(turn.memory.leads(turn.as_of))
        if turn.memory.asks:
            turn.report.read_for = turn.memory.reads()


def scan_source(turn: Turn) -> None:
    """Hand every scored block to the sinks; what is not reached is counted as shed."""
    if turn.source is None or not turn.compiled:
        return
    budget = turn.budget
    judge: Scorer | Unjudged = turn.scorer
    if turn.request.check_airgaps_only:
        judge = Unjudged(turn.as_of, turn.scorer.threads, tuple(turn.scorer.plan.names))
    scan = Scan(
        turn.source,
        judge,
        turn.report,
        turn.sinks,
        budget.reading_left,
        budget.scoring_left,
        turn.request.progress,
        None if turn.handoffs.routing is None else turn.handoffs.routing.divert,
        None if turn.request.shadow is None else turn.request.shadow.cut,
        None if turn.question is None else turn.question.end,
    )
    turn.scan = scan
    scan.run()
    turn.settled = scan.settled
    _count_reads(turn, scan, turn.source)
    turn.report.failures.update(turn.scorer.plan.complaints)
    turn.report.spent = turn.scorer.plan.spent
    if turn.selection is not None:
        for reason, count in Counter(turn.selection.skipped.values()).items():
            turn.report.add_unscored(count, "skipped", reason)
    for remark in turn.scorer.overrides.remarks:
        turn.warn(remark)
    for _, sentence in turn.source.unreadable:
        turn.find(PARTIAL, f"left out, unreadable: {sentence}")
    for bug in scan.bugs:
        turn.find(BUG, bug)
    if scan.lost is not None:
        code = AuthenticationFailed.exit_code if isinstance(scan.lost, AuthenticationFailed) else PARTIAL
        turn.find(code, f"the run is partial, the source was lost after {scan.rows} metrics: {scan.lost}")
    if scan.late:
        turn.find(PARTIAL, f"the run is partial, its deadline came after {scan.rows} metrics")
