"""Parquet files: which ones a path means, what they hold, and their rows as record batches of one schema.

A path is a file, a directory (read in sorted order, with key=value folders as columns), a glob, or a URI that
`pyarrow.fs` knows (file://, s3://, gs://). Every way to fail is one sentence that names the file.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.arrow.buffers import strings
from ridgeline.io.arrow.layout import Layout, layout_of
from ridgeline.io.errors import InputError, SourceUnavailable

SUFFIXES: Final = (".parquet", ".parq", ".pq")
STREAMED: Final = 64 << 20  # row groups above this many compressed bytes are read through a buffer, not whole
BUFFER: Final = 4 << 20
HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file. `metric`: the name of its only metric where a folder called metric=NAME gives it."""

    path: str
    filesystem: Any
    metadata: Any
    layout: Layout
    schema: pa.Schema
    metric: pa.StringArray | None

    @property
    def rows(self) -> int:
        """Rows of the file: points, or metrics where columns are lists."""
        return int(self.metadata.num_rows)

    def batches(self, groups: Sequence[int], columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        """The named columns of some row groups, at most `size` rows at a time; columns that are missing are null."""
        large = any(self.metadata.row_group(g).total_byte_size > STREAMED for g in groups)
        present = [name for name in columns if name in self.schema.names]
        with self.naming(groups):
            file = self._open(buffer_size=BUFFER if large else 0)
            with file:
                yield from file.iter_batches(size, row_groups=list(groups), columns=present)

    @contextmanager
    def naming(self, groups: Sequence[int]) -> Iterator[None]:
        """Turn what Arrow raises over these row groups into one sentence."""
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            which = f"row group {groups[0]}" if len(groups) == 1 else f"row groups {groups[0]} to {groups[-1]}"
            if self.filesystem is not None and isinstance(error, OSError):
                raise SourceUnavailable(f"{self.path}: {which} could not be read: {_first_line(error)}") from error
            raise InputError(
                f"{self.path}: {which} cannot be read, the file is damaged: {_first_line(error)}"
            ) from error

    def _open(self, **options: Any) -> pq.ParquetFile:
        encoded = [name for name in self.schema.names if name == "metric"]
        return pq.ParquetFile(
            self.path, filesystem=self.filesystem, metadata=self.metadata, read_dictionary=encoded, **options
        )


def find(path: str | Path) -> list[DataFile]:
    """The Parquet files that a path means, in sorted order, all of one layout; or InputError."""
    text = str(path)
    filesystem, root, paths = _listed(text)
    files = [_inspect(file, filesystem, root) for file in paths]
    first = files[0]
    for file in files[1:]:
        if (file.layout.lists, file.layout.seconds) != (first.layout.lists, first.layout.seconds):
            raise InputError(
                f"{file.path} and {first.path} differ in the types of timestamp or value; write them alike, or read them apart"
            )
    return files


def _listed(text: str) -> tuple[Any, str, list[str]]:
    """File system (None: local), the root that key=value folders are under, and file paths."""
    if "://" in text:
        return _listed_remote(text)
    local = Path(text)
    try:
        if local.is_dir():
            found = sorted(
                str(p)
                for p in local.rglob("*")
                if p.suffix in SUFFIXES and not _hidden(p.relative_to(local).parts) and p.is_file()
            )
            if not found:
                raise InputError(f"{text}: no files ending in {', '.join(SUFFIXES)} in this directory")
            return None, text, found
        if local.exists():
            return None, str(local.parent), [text]
    except OSError as error:
        raise InputError(f"{text}: cannot be read: {error.strerror or error}") from error
    if glob.has_magic(text):
        found = sorted(p for p in glob.iglob(text, recursive=True) if Path(p).is_file())  # noqa: PTH207 - any root
        if found:
            return None, "", found
        raise InputError(f"{text}: no file matches this pattern")
    raise InputError(f"{text}: no such file or directory")


def _listed_remote(text: str) -> tuple[Any, str, list[str]]:
    """The same for a URI."""
    from pyarrow import fs

    try:
        filesystem, root = fs.FileSystem.from_uri(text)
        info = filesystem.get_file_info(root)
        if info.type == fs.FileType.File:
            return filesystem, root, [root]
        found = []
        if info.type == fs.FileType.Directory:
            listed = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
            inside = ((i.path, i.path[len(root) :].strip("/").split("/")) for i in listed if i.type == fs.FileType.File)
            found = sorted(p for p, parts in inside if p.endswith(SUFFIXES) and not _hidden(parts))
    except (pa.ArrowInvalid, ValueError) as error:
        raise InputError(f"{text}: cannot be read: {_first_line(error)}") from error
    except OSError as error:
        raise SourceUnavailable(f"{text}: cannot be reached: {_first_line(error)}") from error
    if not found:
        raise InputError(f"{text}: no such file, or no Parquet files there")
    return filesystem, root, found


def _hidden(parts: Sequence[str]) -> bool:
    """Files and folders that writers keep for themselves (`_temporary`, `.crc`); key=value folders are none."""
    return any(part.startswith((".", "_")) and "=" not in part for part in parts)


def _inspect(path: str, filesystem: Any, root: str) -> DataFile:
    """Open one file's footer and check its columns."""
    try:
        with pq.ParquetFile(path, filesystem=filesystem) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read: permission denied") from error
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable Parquet file: {_first_line(error)}") from error
    metric = None if "metric" in schema.names else _metric_of_folder(path[len(root) :])
    checked = schema if metric is None else schema.append(pa.field("metric", pa.string()))
    return DataFile(path, filesystem, metadata, layout_of(checked, path), schema, metric)


def _metric_of_folder(path: str) -> pa.StringArray | None:
    """The metric that a folder metric=NAME names (percent-encoded as Hive does), as an array of one."""
    for part in path.split("/")[:-1]:
        key, equals, name = part.partition("=")
        if equals and key == "metric":
            return strings([None if name == HIVE_NULL else unquote(name)])
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
