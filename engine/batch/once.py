"""One pass of `batch` over Redis: everything that is due, judged point by point and recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from typing import Final

from ridgeline.engine.batch.block import judge_block
from ridgeline.engine.batch.judging import Judging
from ridgeline.engine.batch.keys import look_first, plainly, redis_of
from ridgeline.engine.batch.queue import sort_out
from ridgeline.engine.batch.results import FOLDER, Results
from ridgeline.engine.batch.summary import Summary
from ridgeline.engine.batch.tasks import Task, listed_tasks, queued_tasks, shuffled
from ridgeline.engine.batch.telling import tell
from ridgeline.engine.batch.turn import Request, Turn
from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.run.handoffs.routing import QUEUE
from ridgeline.engine.run.skips import OperatorSkips
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import OutputError, RidgelineError, SourceUnavailable
from ridgeline.io.redis.entries import Entries
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.state.interface import StateError
from ridgeline.io.text import escape
from ridgeline.kernels.native import loader

SLICE: Final = 100_000  # members of the queue that are looked at together
ENDING: Final = 3.0  # seconds beyond the deadline for what was judged to be recorded


def batch_once(
    request: Request, *, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Summary:
    """Work off what is due, and return what came of it; `exit` is the exit code and `problems` say why.

    Raises LockHeld; SourceUnavailable or AuthenticationFailed where nothing could be read at all; InputError for a source
    that is no Redis and for settings that cannot be judged with.
    """
    config = request.config
    settings, began = redis_of(config), clock()
    end = began + request.deadline

    def left() -> float:
        return end - clock()

    judging = Judging.of(config.analysis, config.overrides, preparation=config.preparation, threads=config.run.threads)
    with ExitStack() as cleanup:
        ledger = ledger_of(settings, lambda: left() + ENDING)
        cleanup.callback(ledger.close)
        turn = Turn(request, judging, ledger, int(now()), now, left, share=config.shards.share())
        if not request.dry_run:
            path = lock_path("batch", settings.identity(), config.output.directory, shard=config.shards.name)
            cleanup.enter_context(lock(path))
            if config.output.directory is not None:
                afresh = request.reprocess is not None
                turn.results = Results(config.output.directory / FOLDER, ledger, afresh=afresh)
        with plainly(settings):
            look_first(turn)
            if turn.results is not None:
                turn.results.open()
        loader.prepare("decode", "replay")
        try:
            if request.members:
                _take_up(turn, request.members)
            else:
                (_work_off_list if request.listed else _work_off_queue)(turn)
        except (StateError, SourceUnavailable) as error:
            break_off(turn, error)
    summary = summed_up(turn, clock() - began)
    tell(turn)
    return summary


def _work_off_queue(turn: Turn) -> None:
    """Take up what is queued, slice by slice, and what failed before and is to be tried again."""
    from ridgeline.io.redis.ledger import WHOLE, Exact

    most = SLICE if turn.share.whole else WHOLE  # what is other hosts' stays, and must not hide what is ours
    while True:
        (members,) = turn.ledger.ask(Exact(QUEUE, most))
        done = _take_up(turn, members)
        if not done or len(members) < most or turn.unwritten or turn.request.dry_run:
            return


def _take_up(turn: Turn, members: Iterable[str]) -> bool:
    """Work off what members of the queue ask for; False where the time was over before the last of it."""
    queued = sort_out(members, turn.config.source.settings.namespace)
    queued.leave(turn.share)
    tasks, idle = queued_tasks(queued.by_metric, turn.ours, turn.ledger, turn.wall())
    tasks, unwanted = _selected(turn, tasks)
    turn.summary.malformed += len(queued.malformed)
    _take_out(turn, [*queued.malformed, *idle, *unwanted])
    return _work_off(turn, tasks)


def _work_off_list(turn: Turn) -> None:
    """Take up every metric that is listed, or those that match."""
    selection = _selection(turn)
    settings = turn.config.source.settings
    with closing(RedisSource(settings, selection, turn.left, now=None, share=turn.share)) as source:
        names = source.list()
    tasks = listed_tasks(names, turn.failing, turn.ledger, turn.request.reprocess)
    _work_off(turn, tasks)


def _selection(turn: Turn) -> Selection | None:
    operators = OperatorSkips(turn.ledger, turn.now, lambda error: turn.summary.problems.append(str(error)))
    return Selection.of(turn.request.match, turn.config.analysis.skip, operators)


def _selected(turn: Turn, tasks: list[Task]) -> tuple[list[Task], list[str]]:
    """The tasks about metrics that are analysed at all, and the members that ask for others."""
    selection = _selection(turn)
    if selection is None or not tasks:
        return tasks, []
    wanted = selection([task.metric for task in tasks]).tolist()
    unwanted = [member for task, keep in zip(tasks, wanted, strict=True) if not keep for member in task.members]
    return [task for task, keep in zip(tasks, wanted, strict=True) if keep], unwanted


def _take_out(turn: Turn, members: list[str]) -> None:
    if members and not turn.request.dry_run:
        changes = Entries()
        changes.take_out(QUEUE, members)
        turn.ledger.write(changes)


def _work_off(turn: Turn, tasks: list[Task]) -> bool:
    """Judge and record; False where the time was over before the last of them. Raises StateError."""
    tasks = shuffled(tasks, turn.now)
    settings, at = turn.config.source.settings, 0
    names = [task.metric for task in tasks]
    with closing(RedisSource(settings, None, turn.left, now=None, names=names)) as source:
        for matrix in source.chunks() if tasks else ():
            turn.stay_alive()
            some = tasks[at : at + len(matrix)]
            if not judge_block(turn, matrix, some):
                break
            at += len(matrix)
            if turn.request.progress is not None:
                turn.request.progress(len(matrix))
    if at < len(tasks):
        ran_out(turn, len(tasks) - at)
    return at == len(tasks)


def break_off(turn: Turn, error: RidgelineError) -> None:
    """Note why the pass ends early. Raises the error itself where there was time, and nothing is done."""
    if turn.left() > 0 and not turn.summary.metrics:
        raise error
    why = error if turn.left() > 0 else "its deadline came"
    turn.summary.find(PARTIAL, f"the pass is partial: {why}")


def ran_out(turn: Turn, rest: int) -> None:
    """Note that the time was over before so many metrics were done."""
    turn.summary.find(PARTIAL, f"the pass is partial: its deadline came before the last {rest:,} metrics were done")


def summed_up(turn: Turn, seconds: float) -> Summary:
    """The summary of a pass that took so long."""
    summary = turn.summary
    summary.seconds = seconds
    summary.parked = sum(one.given_up for one in turn.ours.values())
    if turn.unwritten:
        summary.find(OutputError.exit_code, f"the files of {turn.unwritten:,} metrics could not be written: {turn.why}")
    for one in turn.given_up:
        summary.problems.append(
            f"{escape(one.metric)} failed {one.attempts} times and is left alone: {one.reason}; "
            "`ridgeline batch --match` tries it again"
        )
    return summary
