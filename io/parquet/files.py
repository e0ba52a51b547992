"""Parquet files: their rows as record batches. Every way to fail is one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.arrow.buffers import strings
from ridgeline.io.arrow.layout import Layout, is_text
from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.parquet.footer import Group, Leaf
from ridgeline.io.parquet.generations import followed
from ridgeline.io.parquet.listing import first_line
from ridgeline.io.text import encodable

STREAMED: Final = 64 << 20  # row groups above this many bytes are read through a buffer, not whole
BUFFER: Final = 4 << 20
DAMAGE: Final = (pa.ArrowException, OSError, ValueError, KeyError)  # what Arrow raises over damaged files


class Damaged(InputError):  # noqa: N818 - reads as the sentence it is
    """Row groups that cannot be read; others of the file may be."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file.

    keys      what its key=value folders say; `metric` names its only metric where no column does
    open_keys those of them that the user did not name: other files may have others
    groups    its row groups that have rows
    footer    sha256 of its footer
    metadata  pyarrow's; None on another machine, which reads the footer again
    stored    what the columns of `schema` are called in the file, where that is something else
    """

    path: str
    filesystem: Any
    layout: Layout
    schema: pa.Schema
    keys: Mapping[str, str | None]
    open_keys: tuple[str, ...]
    groups: tuple[Group, ...]
    leaves: Mapping[str, Leaf]
    size: int
    footer: str
    metadata: Any = None
    stored: Mapping[str, str] = field(default_factory=dict)

    @property
    def metric(self) -> pa.StringArray | None:
        """The name of its only metric, an array of one, where its folder gives it."""
        return None if "metric" in self.schema.names else strings([self.keys["metric"]])

    @property
    def rows(self) -> int:
        """Rows of the file: points, or metrics where columns are lists."""
        return sum(group.rows for group in self.groups)

    def travelling(self, groups: Sequence[Group]) -> DataFile:
        """The same file with these row groups only, small enough to be sent about."""
        return replace(self, groups=tuple(groups), metadata=None)

    def batches(self, groups: Sequence[Group], columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        """The named columns of some row groups, at most `size` rows at a time; columns that are missing are left out."""
        large = any(group.size > STREAMED for group in groups)
        present = [name for name in columns if name in self.schema.names]
        with self.naming(groups):
            stored = [self.stored.get(name, name) for name in present]
            encoded = [self.stored.get(name, name) for name in present if is_text(self.schema.field(name).type)]
            file = self._open(read_dictionary=encoded, buffer_size=BUFFER if large else 0)
            with ExitStack() as stack:
                stack.callback(file.close, force=True)
                for batch in file.iter_batches(size, row_groups=[group.number for group in groups], columns=stored):
                    yield batch.select(stored).rename_columns(present)

    @contextmanager
    def naming(self, groups: Sequence[Group]) -> Iterator[None]:
        """Turn what Arrow raises over these row groups into one sentence."""
        try:
            yield
        except DAMAGE as error:
            first, last = groups[0].number, groups[-1].number
            which = f"row group {first}" if first == last else f"row groups {first} to {last}"
            if self.filesystem is not None and isinstance(error, OSError):
                raise SourceUnavailable(f"{self.path}: {which} could not be read: {first_line(error)}") from error
            raise Damaged(f"{self.path}: {which} cannot be read, the file is damaged: {first_line(error)}") from error

    def _open(self, **options: Any) -> pq.ParquetFile:
        def use(path: str) -> pq.ParquetFile:
            # Arrow takes no path that is no UTF-8.
            place = path if self.filesystem is not None or encodable(path) == path else Path(path).open("rb")  # noqa: SIM115 - `batches` closes it
            return pq.ParquetFile(place, filesystem=self.filesystem, metadata=self.metadata, **options)

        return use(self.path) if self.filesystem is not None else followed(self.path, use)
