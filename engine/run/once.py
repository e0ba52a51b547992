"""One bulk run, as the list of what it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.collecting import collecting_rarely
from ridgeline.engine.run.stages.alert import alert
from ridgeline.engine.run.stages.archive import open_archive, write_archive
from ridgeline.engine.run.stages.bookkeeping import finish_sinks, open_ledger, write_books
from ridgeline.engine.run.stages.clock import judge_clock
from ridgeline.engine.run.stages.compile import compile_kernels
from ridgeline.engine.run.stages.ending import tell_of_breaking_off
from ridgeline.engine.run.stages.external import ask_services
from ridgeline.engine.run.stages.handoff import hand_over, hand_to_crucible, route_batch, take_in
from ridgeline.engine.run.stages.listing import list_metrics
from ridgeline.engine.run.stages.lock import take_lock
from ridgeline.engine.run.stages.log import write_log
from ridgeline.engine.run.stages.memory import ask_tails, keep_memory, open_memory, rule_by_walks
from ridgeline.engine.run.stages.no_data import judge_no_data
from ridgeline.engine.run.stages.outputs import keep_apart, write_files
from ridgeline.engine.run.stages.recall import recall_counters
from ridgeline.engine.run.stages.scan import scan_source
from ridgeline.engine.run.stages.second_stage import ask_second_stage
from ridgeline.engine.run.stages.shedding import order_reading, remember_shed, tell_shed
from ridgeline.engine.run.stages.statistics import send_heartbeat, send_numbers, write_textfile
from ridgeline.engine.run.turn import Request, Turn

# Each stage, and the share of the wall clock that its time is booked under. Alerts go out before anything is written.
STAGES: Final[tuple[tuple[str, Callable[[Turn], None]], ...]] = (
    ("list", take_lock),
    ("list", ask_services),
    ("list", open_ledger),
    ("list", open_memory),
    ("list", list_metrics),
    ("list", keep_apart),
    ("list", open_archive),
    ("list", order_reading),
    ("list", route_batch),
    ("compile", compile_kernels),
    ("scan", rule_by_walks),
    ("scan", recall_counters),
    ("scan", ask_tails),
    ("scan", scan_source),
    ("scan", tell_shed),
    ("scan", judge_clock),
    ("scan", judge_no_data),
    ("alert", take_in),
    ("alert", ask_second_stage),
    ("alert", alert),
    ("bookkeeping", remember_shed),  # two names; where a source is slow, the books take all the time that is left
    ("bookkeeping", finish_sinks),
    ("bookkeeping", hand_over),
    ("bookkeeping", write_books),
    ("write", hand_to_crucible),
    ("write", write_files),
    ("write", write_archive),
    ("write", keep_memory),
    ("write", write_textfile),
    ("write", send_numbers),
    ("write", send_heartbeat),
    ("write", write_log),
)

# What is left of it where series are only looked at for airgaps and disorder: nothing is judged, nobody is alerted.
_LOOKS: Final = {
    take_lock, open_ledger, list_metrics, order_reading, compile_kernels, scan_source, tell_shed, judge_clock,
    judge_no_data, remember_shed, finish_sinks, write_books, write_log,
}  # fmt: skip
LOOKING: Final = tuple((share, stage) for share, stage in STAGES if stage in _LOOKS)


def run_once(
    request: Request, *, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Report:
    """Run, and return the report; its `exit` is the exit code and its `problems` say why.

    Raises LockHeld; SourceUnavailable, AuthenticationFailed or InputError where nothing could be read at all. Then
    neither state nor outputs have been touched. What hangs is left behind on threads of its own: the report is here a
    few seconds after the deadline at the latest.
    """
    turn = Turn.begin(request, Budget.begin(request.config.run.deadline, clock), now)
    report, budget = turn.report, turn.budget
    with turn.cleanup, collecting_rarely():
        turn.cleanup.callback(turn.release)  # the last of all, however the run ends
        before = 0.0
        try:
            for share, stage in LOOKING if request.check_airgaps_only else STAGES:
                stage(turn)
                report.seconds["total"] = budget.spent()
                report.seconds[share] += report.seconds["total"] - before
                before = report.seconds["total"]
        except BaseException as error:
            tell_of_breaking_off(turn, error)
            raise
        report.exit = turn.exit_code()
    return report
