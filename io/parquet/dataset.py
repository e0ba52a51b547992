"""From a path to its readable Parquet files: listed, their footers judged, their columns checked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.arrow.layout import Layout, layout_of
from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.parquet.files import DAMAGE, DataFile
from ridgeline.io.parquet.footer import MAGIC, TAIL, Footer, footer_of, renamed
from ridgeline.io.parquet.generations import followed
from ridgeline.io.parquet.listing import Listing, Problems, first_line, folder_keys, list_files, note, refuse_special
from ridgeline.io.parquet.waiting import Left, bounded, patience
from ridgeline.io.tables.shape import PLAIN, ROLES, Shape, refuse_metric


class Dataset(NamedTuple):
    """The files that a path means, all of one layout, and (path, sentence) of what cannot be read; at least one file.

    Where they are a copy in other columns, `origins` are those of this machine that were copied, `repairs` points by reason that are
    not in the copy, and `held` is what the copy lives by.
    """

    files: tuple[DataFile, ...]
    problems: Problems
    origins: tuple[str, ...] | None = None
    repairs: Mapping[str, int] = MappingProxyType({})
    held: Any = None


def find(path: str | Path, left: Left | None = None, shape: Shape = PLAIN, listing: Listing | None = None) -> Dataset:
    """The readable Parquet files that a path means, in sorted order, their columns called as `shape` says.

    Raises InputError where there is none, or where they differ in layout; SourceUnavailable where a remote file system
    cannot be reached, or lets us wait for longer than `left` seconds.
    """
    listing = list_files(str(path), left) if listing is None else listing
    files: list[DataFile] = []
    problems: Problems = list(listing.problems)
    for name in listing.files:
        try:
            files.append(inspect(name, listing, left, shape))
        except InputError as error:
            note(problems, name, str(error))
    if not files:
        others = f" (and {len(problems) - 1} more, none of them readable)" if len(problems) > 1 else ""
        raise InputError(problems[0][1] + others)
    for file in files[1:]:
        if (file.layout.lists, file.layout.seconds) != (files[0].layout.lists, files[0].layout.seconds):
            raise InputError(
                f"{file.path} and {files[0].path} differ in the types of timestamp or value; "
                "write them alike, or read them apart"
            )
    return Dataset(tuple(files), problems)


def inspect(path: str, listing: Listing, left: Left | None = None, shape: Shape = PLAIN) -> DataFile:
    """Read and judge one file's footer, and check its columns. Raises InputError, SourceUnavailable."""
    remote = listing.filesystem is not None
    if not remote:
        refuse_special(path)
    try:
        found = footer_at(path, listing.filesystem, patience(left, remote=remote))
        called = {shape.column(role): role for role in ROLES}
        footer, schema = renamed(found.footer, called), renamed_schema(found.schema, called)
        keys, chosen = folder_keys(path), folder_keys(f"{listing.root}/")
        if shape.metric is not None:
            refuse_metric(schema.names, path)
            keys = {**keys, "metric": shape.metric}
        layout = _layout(schema, keys, path, {role: name for name, role in called.items()})
        _agree(footer, layout, schema)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read: permission denied") from error
    except DAMAGE as error:
        if remote and isinstance(error, OSError):
            raise SourceUnavailable(f"{path}: cannot be reached: {first_line(error)}") from error
        raise InputError(f"{path}: not a readable Parquet file: {first_line(error)}") from error
    return DataFile(
        path, listing.filesystem, layout, schema, keys, tuple(key for key in folder_keys(path) if key not in chosen),
        footer.groups, footer.leaves, found.size, found.digest, found.metadata,
        {role: name for name, role in called.items()},
    )  # fmt: skip


def renamed_schema(schema: pa.Schema, called: Mapping[str, str]) -> pa.Schema:
    """The same schema, its columns by the names of their roles."""
    return pa.schema([field.with_name(called.get(field.name, field.name)) for field in schema])


class Found(NamedTuple):
    """What the end of a file says: its footer, judged, its schema and pyarrow's metadata; its size and the footer's sha256."""

    footer: Footer
    schema: pa.Schema
    metadata: Any
    size: int
    digest: str


def footer_at(path: str, filesystem: Any = None, left: Left | None = None) -> Found:
    """Read and judge a footer. Raises what Arrow raises over damage, and ValueError with what is wrong with it."""
    data, size = bounded(lambda: _footer(path, filesystem), left, path)
    footer = footer_of(data, size)
    with pq.ParquetFile(pa.BufferReader(MAGIC + data + len(data).to_bytes(4, "little") + MAGIC)) as file:
        return Found(footer, file.schema_arrow, file.metadata, size, hashlib.sha256(data).hexdigest())


def _footer(path: str, filesystem: Any) -> tuple[bytes, int]:
    """The bytes of a footer, and the size of the file."""
    stream: IO[bytes]
    with followed(path, _open) if filesystem is None else filesystem.open_input_file(path) as stream:
        size = stream.seek(0, 2)
        if not size:
            raise ValueError("it is empty; it may be being written")
        stream.seek(max(size - TAIL, 0))
        tail = stream.read(TAIL)
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != MAGIC or length > size - TAIL - len(MAGIC):
            stream.seek(0)
            begun = stream.read(len(MAGIC)) == MAGIC
            raise ValueError(
                "it has no end; it may be cut off, or being written" if begun else "it does not look like one"
            )
        stream.seek(size - TAIL - length)
        return stream.read(length), size


def _open(path: str) -> IO[bytes]:
    return Path(path).open("rb")


def _layout(schema: pa.Schema, keys: Mapping[str, str | None], path: str, called: Mapping[str, str]) -> Layout:
    named = "metric" in schema.names or "metric" not in keys
    return layout_of(schema if named else schema.append(pa.field("metric", pa.string())), path, called)


def _agree(footer: Footer, layout: Layout, schema: pa.Schema) -> None:
    """Hold the numbers of values of each column against the number of rows. Raises ValueError."""
    for group in footer.groups:
        for name in layout.columns:
            if name not in schema.names:
                continue  # a folder gives it
            if name not in group.chunks:
                raise ValueError(f"its footer is damaged: row group {group.number} has no column {name}")
            values = group.chunks[name].values
            lists = layout.lists and name in {"timestamp", "value"}
            if values < group.rows if lists else values != group.rows:
                raise ValueError(
                    f"its footer is damaged: row group {group.number} has {group.rows} rows, "
                    f"but {values} values in column {name}"
                )
