"""The file of scores of one part: what its readers need, for as little CPU as it takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.disk.atomic import write_atomic

ROWS_PER_GROUP: Final = 1 << 20
# Scores are noise to a compressor: zstd makes a tenth less of them than snappy, and doubles the time of writing.
_FORMAT: Final[dict[str, Any]] = {
    "compression": "snappy",
    "use_dictionary": ["metric", "outcome"],
    "write_statistics": ["metric", "timestamp"],  # what readers look for steps by
    "column_encoding": {"timestamp": "DELTA_BINARY_PACKED"},
    "write_batch_size": 1 << 14,
    "store_schema": False,  # else texts would be read as the dictionaries that they are written from
}


def write_scores(tables: Sequence[pa.Table], path: Path) -> str:
    """Write the steps of a part, texts dictionary-encoded, and return the sha256 of the file. Raises OutputError.

    Read back, the table has the columns of `step_schema`. Its bytes do not depend on how the steps were cut into tables.
    """
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    seal = hashlib.sha256()

    def content(file: BinaryIO) -> None:
        with pq.ParquetWriter(_Sealing(file, seal), table.schema, **_FORMAT) as writer:
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)

    write_atomic(path, content)
    return seal.hexdigest()


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
