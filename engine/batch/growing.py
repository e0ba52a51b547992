"""One pass of `batch` over files that grow: what is new in them since the pass before, which a state file remembers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.batch.alerting import alert
from ridgeline.engine.batch.block import judge_block
from ridgeline.engine.batch.judging import Judging
from ridgeline.engine.batch.once import break_off, ran_out, summed_up
from ridgeline.engine.batch.results import Results
from ridgeline.engine.batch.summary import Summary
from ridgeline.engine.batch.tasks import listed_tasks
from ridgeline.engine.batch.turn import Request, Turn
from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.run.handoffs.batch_failing import read_parked
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.disk.target import check_apart, check_folder_apart
from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.state.as_ledger import StateLedger
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.interface import State, StateError
from ridgeline.io.tables.dataset import open_dataset
from ridgeline.io.tables.shape import PLAIN, Shape
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from ridgeline.io.parquet.source import ParquetSource

TIMEOUT: Final = 10.0  # seconds to wait for another process' transaction


@dataclass(frozen=True, slots=True)
class Growing:
    """What a pass without Redis works on.

    path     the files: a file, a folder or a glob
    state    the file that remembers watermarks, metrics that fail and alerts
    output   the folder for verdicts; None: they are not kept
    shape    what columns are called, and how series are told apart
    json     whether standard output is not for alerts
    """

    path: str
    state: Path
    output: Path | None = None
    shape: Shape = PLAIN
    json: bool = False


def batch_files(
    request: Request,
    growing: Growing,
    *,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
) -> Summary:
    """Judge what is new, keep it, alert on it; `exit` is the exit code and `problems` say why.

    Raises LockHeld; InputError, SourceUnavailable, OutputError or StateError where nothing could be begun.
    """
    began = clock()
    config = request.config

    def left() -> float:
        return began + request.deadline - clock()

    judging = Judging.of(config.analysis, config.overrides, preparation=config.preparation, threads=config.run.threads)
    with ExitStack() as cleanup:
        if not request.dry_run:
            cleanup.enter_context(lock(lock_path("batch", str(growing.state.absolute()), config.output.directory)))
        resting: set[str] = set()
        source = open_dataset(
            growing.path,
            replace(growing.shape, growing=True),
            select=Selection.of(request.match, config.analysis.skip, lambda: resting),
            max_memory=config.run.max_memory,
            deadline=left,
        )
        cleanup.callback(source.close)
        _keep_apart(source, growing)
        ledger = StateLedger(_state(request, growing.state, now))
        cleanup.callback(ledger.close)
        turn = Turn(request, judging, ledger, int(now()), now, left)
        turn.failing = read_parked(ledger)
        if not request.listed:
            resting |= {metric for metric, one in turn.failing.items() if one.rests(turn.now)}
        if growing.output is not None and not request.dry_run:
            turn.results = Results(growing.output, ledger, afresh=request.reprocess is not None)
            turn.results.open()
        loader.prepare("replay")
        try:
            _judge(turn, source)
            if not request.dry_run:
                alert(turn, growing.state, json=growing.json)
        except StateError as error:
            turn.summary.find(PARTIAL, f"the pass is partial: {error}")
        except SourceUnavailable as error:
            break_off(turn, error)
    return summed_up(turn, clock() - began)


def _state(request: Request, path: Path, now: Callable[[], float]) -> State:
    """The state; a dry run makes no file of it."""
    return MemoryState(now) if request.dry_run and not path.exists() else SqliteState(path, now, TIMEOUT)


def _keep_apart(source: ParquetSource, growing: Growing) -> None:
    """Refuse a state or results that would be read as data the next time. Raises UnsafeTarget."""
    check_apart(growing.state, growing.path, source.local_paths)
    if growing.output is not None:
        check_folder_apart(growing.output, growing.path, source.local_paths)


def _judge(turn: Turn, source: ParquetSource) -> None:
    """Judge all that is new. Raises StateError."""
    for matrix in source.chunks():
        names = matrix.metrics.to_pylist()
        tasks = listed_tasks(names, turn.failing, turn.ledger, turn.request.reprocess)
        if not judge_block(turn, matrix, tasks):
            ran_out(turn, len(source.selected.names) - turn.summary.metrics)
            return
        if turn.request.progress is not None:
            turn.request.progress(len(matrix))
    for _, sentence in source.unreadable:
        turn.summary.find(PARTIAL, f"left out, unreadable: {sentence}")
