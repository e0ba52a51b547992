"""How far each metric is archived: its newest point, and how many its series held in each of the last stretches of time.

The counts tell late points: a stretch that holds more points than when it was last looked at has some that came since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.archive.select import counts_between
from ridgeline.io.arrow.buffers import arrow, view
from ridgeline.io.arrow.names import Names
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.disk.atomic import write_atomic

Ints = NDArray[np.int64]
Counts = NDArray[np.uint16]
STRETCHES: Final = 8
UNKNOWN: Final = 0xFFFF  # a count that has to be found out
MOST: Final = UNKNOWN - 1  # counts beyond are all the same: of such series late points are not seen
NOTHING: Final = int(np.iinfo(np.int64).min)  # the newest point of a metric without any
FORM: Final = 1


@dataclass(slots=True)
class Marks:
    """`last` int64[n], epoch seconds, and `counts` uint16[n, STRETCHES] of the metrics that `names` numbers.

    sequence  the last write that these marks know of
    width     seconds of a stretch; the first of them begins at `base * width`
    """

    width: int
    names: Names = field(default_factory=Names)
    sequence: int = 0
    base: int = 0
    _last: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    _counts: Counts = field(default_factory=lambda: np.empty((0, STRETCHES), np.uint16))

    @property
    def last(self) -> Ints:
        """The newest point of each metric that is archived."""
        return self._last[: len(self.names)]

    @property
    def counts(self) -> Counts:
        """The counts of each metric."""
        return self._counts[: len(self.names)]

    def rows(self, metrics: pa.StringArray) -> Ints:
        """The number of each metric; new ones get the next."""
        every = np.arange(len(metrics) + 1)
        codes = self.names.codes(Runs(metrics, every[:-1], every))
        missing = len(self.names) - len(self._last)
        if missing > 0:
            room = max(missing, len(self._last))
            self._last = np.append(self._last, np.full(room, NOTHING))
            self._counts = np.append(self._counts, np.zeros((room, STRETCHES), np.uint16), axis=0)
        return codes

    def turn_to(self, as_of: int) -> None:
        """Let the last stretch be that of `as_of`. Of stretches that were not looked at before, counts are unknown."""
        base = as_of // self.width - STRETCHES + 1
        moved = int(np.clip(base - self.base, -STRETCHES, STRETCHES))
        self.base = base
        if not moved:
            return
        kept, size = np.roll(self._counts, -moved, axis=1), len(self._counts)
        if moved > 0:
            kept[:, STRETCHES - moved :] = 0  # nothing archived lies there yet
        else:
            kept[:, :-moved] = np.where(self._last[:size, None] == NOTHING, 0, UNKNOWN)
        self._counts = kept

    def edges(self) -> Ints:
        """Where the stretches begin, and where the last one ends, epoch seconds."""
        return (self.base + np.arange(STRETCHES + 1)) * self.width

    def counted(self, stamps: Ints, begins: Ints, ends: Ints) -> Counts:
        """The points of each series in each stretch; `begins` and `ends` are places in `stamps`."""
        found: Counts = np.minimum(counts_between(stamps, begins, ends, self.edges()), MOST).astype(np.uint16)
        return found

    def advance(self, rows: Ints, last: Ints) -> None:
        """Points up to these are archived."""
        self._last[rows] = np.maximum(self._last[rows], last)

    def settle(self, rows: Ints, counts: Counts) -> None:
        """The series were looked at as a whole and held so many points."""
        self._counts[rows] = counts

    def unsettle(self, rows: Ints) -> None:
        """What the series hold has to be found out."""
        self._counts[rows] = UNKNOWN

    def since(self, instant: int) -> Marks:
        """The marks of those metrics that have a point at or after the instant."""
        keep = np.flatnonzero(self.last >= instant)
        kept = Marks(self.width, sequence=self.sequence, base=self.base)
        rows = kept.rows(self.names.array().take(arrow(keep)))
        kept.advance(rows, self.last[keep])
        kept.settle(rows, self.counts[keep])
        return kept


def write_marks(path: Path, marks: Marks) -> None:
    """Put the marks in the place of the former ones. Raises OutputError."""
    about = {"form": FORM, "sequence": marks.sequence, "width": marks.width, "base": marks.base}
    counts = pa.FixedSizeListArray.from_arrays(arrow(marks.counts.ravel()), STRETCHES)
    columns = [marks.names.array(), arrow(marks.last), counts]
    batch = pa.RecordBatch.from_arrays(columns, ["metric", "last", "counts"])
    batch = batch.replace_schema_metadata({"ridgeline": json.dumps(about)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, batch.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_batch(batch)
    write_atomic(path, sink.getvalue().to_pybytes())


def read_marks(path: Path, width: int, as_of: int) -> Marks | None:
    """The marks that were written, turned to `as_of`; None where none can be read: the dataset itself tells then.

    Of another width of stretches, counts are unknown.
    """
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            about = json.loads((reader.schema.metadata or {})[b"ridgeline"])
            batch = reader.get_batch(0)
            batch.validate(full=True)
            if about["form"] != FORM:
                return None
            marks = Marks(width, sequence=int(about["sequence"]), base=int(about["base"]))
            last, counts = view(batch.column(1)), view(batch.column(2).values).reshape(-1, STRETCHES)
            rows = marks.rows(batch.column(0))
            marks.advance(rows, last)
            same = about["width"] == width
    except (OSError, ValueError, KeyError, IndexError, TypeError, pa.ArrowException):
        return None
    if same:
        marks.settle(rows, counts)
        marks.turn_to(as_of)
    else:
        marks.turn_to(as_of)
        marks.unsettle(rows)
    return marks
