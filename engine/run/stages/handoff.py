"""Skyline's siblings: what they found and left is taken in before the alerts; what they are to be told follows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import OutputError
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:  # each sibling's part is imported where there is something for it
    from ridgeline.engine.run.handoffs.writing import Write

T = TypeVar("T")
BEFORE_ALERTS: Final = 5.0  # seconds that alerts wait for siblings at most,
SHARE: Final = 0.25  # or so much of the time left for them
GRACE: Final = 0.5  # seconds for a write that was begun
FILES_SHARE: Final = 0.5  # of the time for the books, kept for the books themselves


def route_batch(turn: Turn) -> None:
    """Learn which of the listed metrics are `batch`'s, and whether it is at work; all are judged here where that fails."""
    patterns = turn.request.config.batch.match
    names = _names(turn)
    if turn.ledger is None or turn.request.check_airgaps_only or not patterns or names is None:
        return
    from ridgeline.engine.run.handoffs.routing import ALIVE, route
    from ridgeline.engine.run.hosts import own_key

    try:
        namespace = turn.request.config.source.settings.namespace
        sign = own_key(turn.request.config.shards, ALIVE)  # another host's `batch` does not take our metrics
        routing = route(patterns, names, namespace, turn.scorer.plan, turn.ledger, sign)
    except StateError as error:
        turn.unkept.append(error)
        return
    turn.handoffs.routing = routing
    turn.sinks.append(routing)


def _names(turn: Turn) -> list[str] | None:
    """The metrics that may be `batch`'s: all that are listed, or those of which that is remembered."""
    if turn.memory is not None and not turn.memory.listed:
        return turn.memory.apart()
    return None if turn.source is None else turn.source.list()


def take_in(turn: Turn) -> None:
    """Before the alerts: read what siblings left, and hand to Mirage what is Mirage's. Bounded, whatever hangs."""
    config, handoffs, ledger = turn.request.config, turn.handoffs, turn.ledger
    mirage = config.handoff.mirage_checks
    if ledger is None or turn.request.check_airgaps_only:
        return
    try:
        if config.batch.match and turn.of_the_fleet:
            from ridgeline.engine.run.handoffs.batch_alerts import find_batch_alerts

            handoffs.batch = _aside(turn, partial(find_batch_alerts, turn, ledger))
        if mirage is not None and turn.of_the_fleet:
            from ridgeline.engine.run.handoffs.waterfall import find_unanswered

            handoffs.unanswered = _aside(turn, partial(find_unanswered, turn, ledger))
        if mirage is not None:
            from ridgeline.engine.run.handoffs.mirage import hand_to_mirage
            from ridgeline.engine.run.plan import alert_rules

            rows = alert_rules(config, () if turn.external is None else turn.external.result().rows)
            _aside(turn, partial(hand_to_mirage, turn, mirage, ledger, rows))
    except Overdue:
        turn.find(PARTIAL, "Redis or the disk did not answer in time: not all that siblings found or left is known")


def _aside(turn: Turn, work: Callable[[], T]) -> T:
    seconds = min(BEFORE_ALERTS, SHARE * max(turn.budget.alerts_end - turn.budget.clock(), 0.0))
    return aside(work, seconds, "handoff")


def hand_over(turn: Turn) -> None:
    """After the alerts: write what is small for each sibling, and settle what came from them, within half of the time."""
    if turn.request.dry_run:
        return
    handoffs, told = turn.handoffs, turn.request.config.handoff
    end = turn.budget.books_left() * FILES_SHARE
    if told.web_ui is not None:
        from ridgeline.engine.run.handoffs.web_ui import web_ui

        handoffs.counts["web_ui"] += _write(turn, "the web UI", web_ui(turn, told.web_ui), end)
    if told.panorama_checks is not None:
        from ridgeline.engine.run.handoffs.panorama import panorama

        handoffs.counts["panorama"] += _write(turn, "Panorama", panorama(turn, told.panorama_checks), end)
    if told.mirage_checks is not None:
        from ridgeline.engine.run.handoffs.waterfall import withdrawals

        _write(turn, "Mirage", withdrawals(turn, told.mirage_checks), end)
    if turn.ledger is not None:
        from ridgeline.engine.run.books.members import clear_set
        from ridgeline.engine.run.handoffs.batch_alerts import ALERTS
        from ridgeline.engine.run.handoffs.mirage import THIS_RUN
        from ridgeline.engine.run.handoffs.waterfall import settle_unanswered

        settle_unanswered(turn, safe=handoffs.safe)
        settled = handoffs.batch.fields if handoffs.settled is None else handoffs.settled
        turn.entries.drop(ALERTS, settled if handoffs.safe else handoffs.batch.damaged)
        if handoffs.counts["mirage"]:
            clear_set(turn, THIS_RUN)


def hand_to_crucible(turn: Turn) -> None:
    """Last of the hand-offs, because every anomaly takes its whole series along."""
    told, findings = turn.request.config.handoff, turn.handoffs.findings
    if turn.request.dry_run or told.crucible_checks is None or told.crucible_data is None or findings is None:
        return
    from ridgeline.engine.run.handoffs.crucible import crucible
    from ridgeline.engine.run.handoffs.mirage import counted

    writes = crucible(turn, told.crucible_checks, told.crucible_data)
    turn.handoffs.counts["crucible"] += _write(turn, "Crucible", writes, 0.0)
    if findings.without:
        without = counted(findings.without)
        turn.find(PARTIAL, f"Crucible is not told of {without}: `[run] max_memory` has no room for their series")


def _write(turn: Turn, name: str, writes: Iterator[Write], end: float) -> int:
    """Make the writes while more than `end` seconds are left for the books; how many were made."""
    from ridgeline.engine.run.handoffs.writing import Writing

    def left() -> float:
        return turn.budget.books_left() - end

    writing = Writing(writes, left)
    try:
        aside(writing.run, left() + GRACE, "handoff")
    except Overdue:
        turn.find(OutputError.exit_code, f"hand-offs to {name}: the disk did not answer before the deadline")
    if writing.failed:
        turn.find(OutputError.exit_code, f"hand-offs to {name}: {writing.failed:,} failed, {writing.reason}")
    if writing.late:
        turn.find(PARTIAL, f"hand-offs to {name}: the deadline came before the last {writing.late:,}")
    return writing.done
