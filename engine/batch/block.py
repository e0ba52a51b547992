"""One block of metrics: judged piece by piece, each piece recorded before the next is begun."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ridgeline.engine.batch.judging import Judged, judge
from ridgeline.engine.batch.late import Census
from ridgeline.engine.batch.pieces import Piece, pieces_of
from ridgeline.engine.batch.record import CENSUS, Entry
from ridgeline.engine.batch.tasks import Task
from ridgeline.engine.batch.turn import Turn
from ridgeline.engine.run.handoffs.batch_failing import failed
from ridgeline.io.errors import RidgelineError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.reasons import NO_KEY, ROW_REASONS, USABLE
from ridgeline.io.text import escape
from ridgeline.kernels.score.layout import ANALYSED

Censuses = Mapping[str, Census | None]


def judge_block(turn: Turn, matrix: MetricMatrix, tasks: Sequence[Task]) -> bool:
    """Judge and record the metrics of a block, a task a row; False where the time ended before the last of them.

    What was recorded by then is done for good, and the rest is as it was. Raises StateError.
    """
    from ridgeline.io.redis.ledger import Pick

    names = [task.metric for task in tasks]
    (texts,) = turn.ledger.ask(Pick(CENSUS, names))
    censuses = {name: Census.read(text) for name, text in zip(names, texts, strict=True)}
    stuck: set[str] = set()  # what follows points that were not recorded must wait for them
    for piece in pieces_of(matrix, np.array([task.after for task in tasks], np.int64)):
        if turn.left() <= 0:
            return False
        rows = tasks[piece.first : piece.first + len(piece.matrix)]
        if stuck.isdisjoint(task.metric for task in rows):
            stuck |= turn.record(list(_entries(turn, piece, rows, censuses)))
    return True


def _entries(turn: Turn, piece: Piece, tasks: Sequence[Task], censuses: Censuses) -> Iterator[Entry]:
    """What is to be recorded of the rows of a piece, judged together, or one by one where that fails."""
    try:
        judged = judge(piece.matrix, piece.after, turn.judging, until=turn.now)
    except RidgelineError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug about one metric must not keep the others waiting
        if len(tasks) == 1:
            yield _failing(turn, tasks[0], f"a bug: {type(error).__name__}: {escape(error)}")
            return
        for row, task in enumerate(tasks):
            one = replace(piece, matrix=piece.matrix.slice(row, row + 1), after=piece.after[row : row + 1])
            yield from _entries(turn, one, [task], censuses)
        return
    turn.take(piece.matrix.metrics, judged)
    bounds = np.searchsorted(judged.row, np.arange(len(tasks) + 1)).tolist()
    windows = turn.judging.windows([task.metric for task in tasks])
    for row, task in enumerate(tasks):
        reason = int(piece.matrix.reasons[row])
        if reason not in {USABLE, NO_KEY}:
            yield _failing(turn, task, f"its series cannot be read: {ROW_REASONS[reason]}")
            continue
        entry = _found(turn, judged, piece.matrix, range(bounds[row], bounds[row + 1]), row, task)
        yield _ended(piece, row, task, entry, censuses[task.metric], windows[row]) if piece.ends else entry


def _found(turn: Turn, judged: Judged, matrix: MetricMatrix, points: range, row: int, task: Task) -> Entry:
    """What was found of one metric."""
    here = slice(points.start, points.stop)
    found = (points.start + np.flatnonzero(judged.anomalous[here])).tolist()
    newest, integers = int(judged.newest[row]), matrix.integers
    moved = newest > task.after and (task.mark is None or newest > task.mark)
    return Entry(
        task.metric,
        [judged.anomaly(at, task.metric) for at in found],
        [int(judged.window(at)[0][0]) for at in found],
        len(points),
        judged.timestamp[here][judged.outcome[here] == ANALYSED].tolist(),
        before=task.mark,
        integers=0 if integers is None else int(integers[row]),
        mark=newest if moved else None,
        alerting=turn.request.reprocess is None,
    )


def _ended(piece: Piece, row: int, task: Task, entry: Entry, before: Census | None, window: int) -> Entry:
    """The same for a metric that has no new points beyond these: it leaves the queue, and its points are counted."""
    begin, end = piece.matrix.offsets[row : row + 2].tolist()
    stamps, mark = piece.matrix.timestamps[begin:end], task.mark if entry.mark is None else entry.mark
    late, census = 0 if before is None else before.late(stamps), None
    if mark is not None and begin < end and (before is None or late or entry.mark is not None):
        census = Census.of(stamps, mark, window).text()
    return replace(entry, late=late, census=census, members=task.members, was_parked=task.before is not None, done=True)


def _failing(turn: Turn, task: Task, reason: str) -> Entry:
    """Put a metric off that fails: its watermark stays, and what asks for it leaves the queue."""
    one = failed(task.metric, task.after, task.mark, reason, turn.wall(), task.before)
    return Entry(task.metric, members=task.members, parked=one)
