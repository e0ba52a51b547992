"""Verdicts of judged points as Parquet: files named by what they hold, so that a repeat replaces and never doubles.

A file is announced before it is written and settled once the watermarks of what it holds have moved. What a killed pass
left announced is put right by the next one: of such a file only points stay that were recorded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ridgeline.engine.score import verdicts
from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.disk.target import make_folder
from ridgeline.io.errors import OutputError
from ridgeline.io.parquet.write import COMPRESSION
from ridgeline.io.redis.entries import Entries
from ridgeline.io.shard import node
from ridgeline.kernels.score.layout import ANALYSED, NULL, TRUE

if TYPE_CHECKING:
    from ridgeline.engine.batch.judging import Judged
    from ridgeline.io.redis.ledger import Books

ANNOUNCED: Final = "ridgeline.batch_files"
STRANGERS: Final = "ridgeline.batch_files_before"
FOLDER: Final = "batch"
DIGITS: Final = 16  # of the hash in a name
_OURS: Final = re.compile(r"(-?\d+)_(-?\d+)_[0-9a-f]{16}\.parquet")


@dataclass(slots=True)
class Results:
    """The files of one folder.

    afresh     any of them may hold what is judged, because it is judged once more
    strangers  those that were there before any watermark: they may hold what will be judged
    """

    folder: Path
    books: Books
    afresh: bool = False
    strangers: set[str] = field(default_factory=set)

    @property
    def _where(self) -> str:
        """What tells this folder from those of other hosts that share the books."""
        return f"{node()}:{self.folder.absolute()}"

    def open(self) -> None:
        """Make the folder, and put right what killed passes left in it. Raises OutputError, StateError."""
        from ridgeline.engine.run.handoffs.routing import WATERMARKS, watermarks_of
        from ridgeline.io.redis.ledger import Fields

        make_folder(self.folder)
        sweep_orphans(self.folder)
        *noted, known = self.books.ask(Fields(ANNOUNCED), Fields(STRANGERS), Fields(WATERMARKS, 1))
        announced, strangers = ({name for name, where in some.items() if where == self._where} for some in noted)
        self.strangers.update(strangers)
        if not known and not announced:
            self._note_strangers(path.name for path in self.folder.iterdir() if _OURS.fullmatch(path.name))
        for name in sorted(announced):
            if (self.folder / name).is_file() and _OURS.fullmatch(name):
                table = _read(self.folder / name)
                names = table["metric"].unique().to_pylist()
                marks = watermarks_of(names, self.books)[0]
                kept = self._keep(name, table, _recorded(table, marks))
                if kept is not None:
                    self._take_back(kept)
            self.settle(name)

    def put(self, metrics: pa.StringArray, judged: Judged, recorded: AbstractSet[str]) -> str | None:
        """Write the points of the metrics that will be recorded; the name of the file, None for no points.

        Raises OutputError, StateError.
        """
        table = table_of(metrics, judged, np.array([name in recorded for name in metrics.to_pylist()], np.bool_))
        if not table.num_rows:
            return None
        name, content = _named(table)
        changes = Entries()
        changes.put(ANNOUNCED, {name: self._where})
        self.books.write(changes)
        write_atomic(self.folder / name, content)
        return name

    def settle(self, name: str) -> None:
        """Its points are recorded: it stays as it is. Raises OutputError, StateError."""
        if (self.afresh or self.strangers) and (self.folder / name).is_file():
            self._take_back(name)
        changes = Entries()
        changes.drop(ANNOUNCED, [name])
        self.books.write(changes)

    def _take_back(self, name: str) -> None:
        """Take out of all other files what this one holds."""
        table = _read(self.folder / name)
        for other in list(self._beside(name)):
            theirs = _read(self.folder / other)
            self._keep(other, theirs, ~_among(theirs, table))

    def _beside(self, name: str) -> Iterator[str]:
        """Other files that hold points of the same time, and may hold the same points."""
        first, last = _span(name)
        names = [path.name for path in self.folder.iterdir()] if self.afresh else self.strangers
        for other in sorted(names):
            if other != name and _OURS.fullmatch(other) and (self.folder / other).is_file():
                begin, end = _span(other)
                if begin <= last and end >= first:
                    yield other

    def _note_strangers(self, names: Iterable[str]) -> None:
        found = dict.fromkeys(names, self._where)
        changes = Entries()
        changes.put(STRANGERS, found)
        self.books.write(changes)
        self.strangers.update(found)

    def _keep(self, name: str, table: pa.Table, rows: NDArray[np.bool_]) -> str | None:
        """Let a file hold these of its rows alone; the name that it then has, None where nothing is left of it."""
        if rows.all():
            return name
        left = None
        if rows.any():
            left, content = _named(table.filter(pa.array(rows)))
            write_atomic(self.folder / left, content)
            if name in self.strangers:
                self._note_strangers([left])
        (self.folder / name).unlink(missing_ok=True)
        return left


def table_of(metrics: pa.StringArray, judged: Judged, rows: NDArray[np.bool_]) -> pa.Table:
    """The judged points of some rows of a matrix, bool[rows], by metric and time: one row a point.

    Columns: metric, timestamp (epoch seconds), value as judged, outcome, reason, anomalous, votes, one nullable vote for each
    algorithm, failed.
    """
    names = metrics.to_pylist()
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    chosen = np.flatnonzero(rows[judged.row])
    order = chosen[np.argsort(rank[judged.row[chosen]], kind="stable")]
    analysed, votes = judged.outcome[order] == ANALYSED, judged.votes[:, order]
    columns: dict[str, Any] = {
        "metric": metrics.take(arrow(judged.row[order])),
        "timestamp": arrow(judged.timestamp[order]),
        "value": arrow(judged.value[order]),
        "outcome": verdicts.named(judged.outcome[order], verdicts.OUTCOMES),
        "reason": verdicts.named(judged.reason[order], (None, *verdicts.REASONS[1:])),
        "anomalous": verdicts.boolean_array(judged.anomalous[order], analysed),
        "votes": arrow(judged.count[order], ~analysed),
    }
    for place, name in enumerate(judged.names):
        columns[name] = verdicts.boolean_array(votes[place] == TRUE, votes[place] < NULL)
    columns["failed"] = verdicts.failed_names(np.ascontiguousarray(votes.T), judged.names)
    return pa.table(columns)


def _named(table: pa.Table) -> tuple[str, bytes]:
    """A table as Parquet, and the name that follows from it: its span of time, and a hash of its bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.combine_chunks(), sink, compression=COMPRESSION, use_dictionary=["metric", "outcome", "reason"]
    )
    content = sink.getvalue().to_pybytes()
    stamps = table["timestamp"].to_numpy()
    return f"{stamps.min()}_{stamps.max()}_{hashlib.sha256(content).hexdigest()[:DIGITS]}.parquet", content


def _span(name: str) -> tuple[int, int]:
    first, last, _ = name.split("_")
    return int(first), int(last)


def _read(path: Path) -> pa.Table:
    try:
        return pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise OutputError(f"{path} holds verdicts and cannot be read: {error}; move it away") from error


def _recorded(table: pa.Table, marks: dict[str, int | None]) -> NDArray[np.bool_]:
    """Which points are no newer than their metric's watermark."""
    known = [marks.get(name) for name in table["metric"].to_pylist()]
    until = np.array([np.iinfo(np.int64).min if mark is None else mark for mark in known], np.int64)
    kept: NDArray[np.bool_] = table["timestamp"].to_numpy() <= until
    return kept


def _among(table: pa.Table, others: pa.Table) -> NDArray[np.bool_]:
    """Which points of a table are among the others: of the same metric and time."""
    known = set(_points(others))
    return np.array([point in known for point in _points(table)], np.bool_)


def _points(table: pa.Table) -> Iterable[tuple[str, int]]:
    metrics: Sequence[str] = table["metric"].to_pylist()
    return zip(metrics, table["timestamp"].to_pylist(), strict=True)
