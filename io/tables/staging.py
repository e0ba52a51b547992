"""Files of any format and shape, read once from the front into a temporary Parquet file in the columns of datasets.

What reads Parquet does the rest: whether metrics stand together, bringing them together, choosing, memory. The file has no
name on disk, so that the system frees it however the process ends.
"""

from __future__ import annotations

import errno
import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.errors import InputError, OutputError
from ridgeline.io.parquet.dataset import Dataset, inspect
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.listing import Listing
from ridgeline.io.parquet.shuffle_parts import roomy
from ridgeline.io.parquet.waiting import Left
from ridgeline.io.tables.files import points_in
from ridgeline.io.tables.point_columns import LONG
from ridgeline.io.tables.reading import Told
from ridgeline.io.tables.shape import Shape

ROWS: Final = 1 << 20  # in a row group
SPARE: Final = 1 << 30  # bytes that a copy larger than it leaves free
ENCODING: Final = {"timestamp": "DELTA_BINARY_PACKED"}  # half the bytes, at no cost; packing them would cost more


def staged(listing: Listing, shape: Shape, where: str, left: Left | None = None) -> Dataset:
    """The files of a listing as a dataset of one temporary file; of two, where some files have `as_of` and others do not.

    Raises InputError where not one file can be read, where they differ in layout, or where series would merge;
    SourceUnavailable; OutputError where there is no room for the copy.
    """
    told = Told(problems=list(listing.problems))
    copies = _Copies(roomy())
    for path, batch in points_in(listing, shape, where, told, left):
        copies.add(batch, path)
    files = copies.files()
    if (told.problems or told.repairs) and not any(file.rows for file in files):
        why = told.problems[-1][1] if told.problems else f"{told.repairs.total():,} are malformed"
        raise InputError(f"{where}: not one row can be read: {why}")
    origins = tuple(listing.files) if listing.filesystem is None else ()
    return Dataset(files, told.problems, origins, dict(told.repairs), copies)


class Differing(InputError):  # noqa: N818 - reads as the sentence it is
    """Files of one dataset are of two layouts."""


class _Copies:
    """The temporary files, by their columns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_schema: dict[pa.Schema, _Copy] = {}
        self._first: tuple[str, bool] | None = None

    def add(self, batch: pa.RecordBatch, path: str) -> None:
        """Append points of the file `path`. Raises Differing where others have lists and it has none, or the reverse."""
        lists = not pa.types.is_int64(batch.schema.field("timestamp").type)
        self._first = self._first or (path, lists)
        if lists != self._first[1]:
            raise Differing(
                f"{path} and {self._first[0]} differ in the types of timestamp or value; write them alike, or read them apart"
            )
        self._copy(batch.schema).add(batch)

    def files(self) -> tuple[DataFile, ...]:
        """What was written, ready to be read; one file at least."""
        if not self._by_schema:
            self._copy(LONG)
        return tuple(copy.finished() for copy in self._by_schema.values())

    def _copy(self, schema: pa.Schema) -> _Copy:
        if schema not in self._by_schema:
            self._by_schema[schema] = _Copy(schema, self._folder)
        return self._by_schema[schema]


def _let_go(writer: pq.ParquetWriter, file: IO[bytes]) -> None:
    """Close a file that nobody reads any more, or that was never finished."""
    with suppress(OSError, ValueError, pa.ArrowException):
        writer.close()
    with suppress(OSError):
        file.close()


class _Copy:
    """One temporary file. Raises OutputError where it cannot be written."""

    def __init__(self, schema: pa.Schema, folder: Path) -> None:
        self._folder = folder
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        try:
            self._file: IO[bytes] = tempfile.TemporaryFile("w+b", suffix=".tmp", dir=folder)  # noqa: SIM115 - read later
        except OSError as error:
            raise self._full(error) from error
        nested = pa.types.is_large_list(schema.field("timestamp").type)
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression="none",
            use_dictionary=["metric"],
            column_encoding=None if nested else ENCODING,
        )
        weakref.finalize(self, _let_go, self._writer, self._file)

    def add(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROWS:
            self._flush()

    def finished(self) -> DataFile:
        """The file, complete."""
        self._flush()
        try:
            self._writer.close()
            self._file.flush()
        except OSError as error:
            raise self._full(error) from error
        path = f"/proc/self/fd/{self._file.fileno()}"
        return inspect(path, Listing(None, [path], "", []))

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_batches(self._waiting, self._schema).unify_dictionaries()
            try:
                self._writer.write_table(table, row_group_size=ROWS)
                self._spare()
            except OSError as error:
                raise self._full(error) from error
        self._waiting, self._rows = [], 0

    def _spare(self) -> None:
        """Raise OSError rather than fill a disk that others write to as well: what is packed may have no end."""
        about = os.fstatvfs(self._file.fileno())
        if self._file.tell() > SPARE > about.f_bavail * about.f_frsize:
            raise OSError(
                errno.ENOSPC, f"it has {self._file.tell() >> 20:,} MiB already, and the disk less than {SPARE >> 20:,}"
            )

    def _full(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._folder}: cannot hold the temporary copy of what is read: {error.strerror or error}; "
            "set TMPDIR to a folder with more room"
        )
