"""Where a shuffle keeps its rows until each part is complete: in memory, or in temporary files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from ridgeline.io.errors import OutputError


class Parts(Protocol):
    """Rows by part."""

    def append(self, part: int, rows: pa.Table) -> None:
        """Add rows to a part."""

    def take(self, part: int) -> Iterator[pa.Table]:
        """The rows of a part, in the order they came; the part is then forgotten."""


class MemoryParts:
    """Parts that fit into memory together."""

    def __init__(self, count: int) -> None:
        self._rows: list[list[pa.Table]] = [[] for _ in range(count)]

    def append(self, part: int, rows: pa.Table) -> None:
        """Add rows to a part."""
        self._rows[part].append(rows)

    def take(self, part: int) -> Iterator[pa.Table]:
        """The rows of a part, in the order they came; the part is then forgotten."""
        tables, self._rows[part] = self._rows[part], []
        yield from tables


class FileParts:
    """One temporary file per part, without a name on disk: the system frees it however the process ends.

    Files lie in `directory`, by default TMPDIR or /var/tmp (/tmp is often kept in memory). Raises OutputError when they
    cannot be written.
    """

    def __init__(self, stack: ExitStack, count: int, directory: Path | None = None) -> None:
        self._stack = stack
        self._count = count
        self._directory = directory or roomy()
        self._files: list[IO[bytes]] = []
        self._writers: list[pa.ipc.RecordBatchStreamWriter] = []

    def append(self, part: int, rows: pa.Table) -> None:
        """Add rows to a part."""
        try:
            if not self._writers:
                self._open(rows.schema)
            self._writers[part].write_table(rows)
        except OSError as error:
            raise self._full(error) from error

    def take(self, part: int) -> Iterator[pa.Table]:
        """The rows of a part, in the order they came; its file is given back to the system."""
        if not self._writers:
            return
        try:
            self._writers[part].close()
            self._files[part].seek(0)
            for batch in pa.ipc.open_stream(self._files[part]):
                yield pa.Table.from_batches([batch])
            self._files[part].close()
        except OSError as error:
            raise self._full(error) from error

    def _open(self, schema: pa.Schema) -> None:
        options = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4_frame") else None)
        for _ in range(self._count):
            file = tempfile.TemporaryFile("w+b", suffix=".tmp", dir=self._directory)  # noqa: SIM115 - the stack closes it
            self._files.append(self._stack.enter_context(file))
            self._writers.append(pa.ipc.new_stream(file, schema, options=options))

    def _full(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._directory}: cannot hold the temporary files that bring each metric's rows together: "
            f"{error.strerror or error}; set TMPDIR to a folder with more room, or raise the memory limit"
        )


def roomy() -> Path:
    """Where large temporary files lie: in TMPDIR or /var/tmp, because /tmp is often kept in memory."""
    usual = "/var/tmp" if os.access("/var/tmp", os.W_OK) else tempfile.gettempdir()  # noqa: S108 - files have no name
    return Path(os.environ.get("TMPDIR") or usual)
