"""The file of scores of one part: what its readers need, for as little CPU as it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.disk.atomic import write_atomic

T = TypeVar("T")
# Scores are noise to a compressor: zstd makes a tenth less of them than snappy, and doubles the time of writing.
_FORMAT: Final[dict[str, Any]] = {
    "compression": "snappy",
    "use_dictionary": ["metric", "outcome"],
    "write_statistics": ["metric", "timestamp"],  # what readers look for steps by
    "column_encoding": {"timestamp": "DELTA_BINARY_PACKED"},
    "write_batch_size": 1 << 14,
    "store_schema": False,  # else texts would be read as the dictionaries that they are written from
}


def write_scores(groups: Iterable[Sequence[pa.Table]], schema: pa.Schema, path: Path) -> str:
    """Write the steps of a part, one row group after another as they come, and return the sha256 of the file.

    groups: tables of `step_schema(encoded=True)`, one after another; `schema`: theirs. Read back, they have the columns of
    `step_schema`. The bytes do not depend on how the steps of a group were cut into tables.

    Raises OutputError, and whatever the making of the groups raises: then the old file, if any, is untouched.
    """
    seal = hashlib.sha256()
    failures: list[OSError] = []

    def content(file: BinaryIO) -> None:
        with pq.ParquetWriter(_Sealing(file, seal), schema, **_FORMAT) as writer:
            for tables in _apart(groups, failures):
                table = schema.empty_table() if not tables else pa.concat_tables(tables)
                if len(table):
                    one = table if len(tables) == 1 else table.unify_dictionaries()
                    writer.write_table(one, row_group_size=len(one))

    try:
        write_atomic(path, content)
    except _ElsewhereError:
        raise failures[0] from None
    return seal.hexdigest()


class _ElsewhereError(Exception):
    """What was to be written failed to come by an error of the system's: it is none of the file's."""


def _apart(groups: Iterable[T], failures: list[OSError]) -> Iterator[T]:
    """The groups; an error of the system's that their making raises is kept apart from those of writing."""
    try:
        yield from groups
    except OSError as error:
        failures.append(error)
        raise _ElsewhereError from error


class _Sealing:
    """A file to write to, whose bytes go into a checksum on the way."""

    def __init__(self, file: BinaryIO, seal: Any) -> None:
        self._file, self._seal = file, seal
        self.closed = False

    def write(self, data: Any) -> int:
        """Write, and count the bytes in."""
        self._seal.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        """How many bytes were written."""
        return self._file.tell()

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def writable(self) -> bool:
        """Whether it can be written to."""
        return True

    def close(self) -> None:
        """Take no more; the file is closed by whoever opened it."""
        self.closed = True
