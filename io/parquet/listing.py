"""Which files a path means: a file, a folder, a glob, or a URI that `pyarrow.fs` knows (file://, s3://, gs://)."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.parquet.generations import current_paths, followed
from ridgeline.io.parquet.waiting import Left, bounded, patience
from ridgeline.io.tables.formats import endings, of_one_kind
from ridgeline.io.text import escape, redact

HIVE_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
LISTINGS: Final = 5  # of a folder that changes while it is listed

Problems = list[tuple[str, str]]


class Listing(NamedTuple):
    """What a path means.

    filesystem  pyarrow's; None: this machine's
    files       paths, in sorted order
    root        what all of them lie under and what was asked for by name: a choice of the user's
    problems    (path, sentence) of what is there and cannot be read
    """

    filesystem: Any
    files: Sequence[str]
    root: str
    problems: Problems


def list_files(text: str, left: Left | None = None) -> Listing:
    """List a path. Raises InputError where there is nothing, SourceUnavailable where nobody answers."""
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    if "://" in text:
        return bounded(lambda: _remote(text), patience(left, remote=True), f"{redact(text)}: cannot be listed")
    local = Path(text)
    problems: Problems = []
    try:
        if local.is_dir():
            found = current_paths(sorted(of_one_kind(_below(text, problems), text)))
            if not found:
                raise InputError(f"{text}: no files ending in {endings()} in this directory")
            return Listing(None, _distinct(found, problems), text, problems)
        if local.exists():
            return Listing(None, [text], str(local.parent), problems)
    except OSError as error:
        raise InputError(f"{text}: cannot be read: {error.strerror or error}") from error
    if not glob.has_magic(text):
        raise InputError(f"{text}: no such file or directory")
    matched = sorted(p for p in glob.iglob(text, recursive=True) if not Path(p).is_dir())  # noqa: PTH207 - any root
    found = current_paths(matched)
    if not found:
        raise InputError(f"{text}: no file matches this pattern")
    return Listing(None, _distinct(found, problems), _fixed(text), problems)


def folder_keys(path: str) -> Mapping[str, str | None]:
    """The key=value folders of a path (percent-encoded, as Hive and DuckDB write them); values of Hive's null are None."""
    pairs = (part.partition("=") for part in path.split("/")[:-1] if "=" in part)
    return {unquote(key): None if value == HIVE_NULL else unquote(value) for key, _, value in pairs}


def refuse_special(path: str) -> None:
    """Raise InputError for what is no regular file: opening a FIFO waits for ever, reading a device has no end."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return  # opening it says why
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: not a regular file: give a file, a folder or a glob")


def _below(top: str, problems: Problems) -> Iterator[str]:
    """Files below a folder; through symbolic links too, but through each folder once, so that loops end."""
    seen: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            about = Path(folder).stat()
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            inside = _inside(folder)
            folders = {str(path) for path in inside if path.is_dir()}
        except OSError as error:
            note(problems, folder, f"{folder}: cannot be listed: {error.strerror or error}")
            continue
        waiting += sorted(folders, reverse=True)
        yield from (str(path) for path in inside if str(path) not in folders)


def _inside(folder: str) -> list[Path]:
    """What lies in a folder; listed anew where it changed meanwhile, because a listing may miss what is being renamed."""
    for _ in range(LISTINGS):
        before = Path(folder).stat().st_mtime_ns
        with os.scandir(folder) as entries:
            inside = [Path(entry.path) for entry in entries if not _hidden(entry.name)]
        if Path(folder).stat().st_mtime_ns == before:
            break
    return inside


def _distinct(paths: Sequence[str], problems: Problems) -> list[str]:
    """The paths, without those that lead to a file already listed: its points would count twice."""
    found: dict[tuple[int, int] | str, str] = {}
    for path in paths:
        try:
            about = followed(path, os.stat)
            found.setdefault((about.st_dev, about.st_ino), path)
        except OSError as error:
            note(problems, path, f"{path}: cannot be read: {error.strerror or error}")
    return list(found.values())


def _fixed(pattern: str) -> str:
    """The folders of a glob before its first wildcard."""
    parts = pattern.split("/")
    return "/".join(parts[: next(i for i, part in enumerate(parts) if glob.has_magic(part))])


def _remote(text: str) -> Listing:
    """List a URI."""
    from pyarrow import fs

    try:
        filesystem, root = fs.FileSystem.from_uri(text)
        info = filesystem.get_file_info(root)
        if info.type == fs.FileType.File:
            return Listing(filesystem, [root], root.rpartition("/")[0], [])
        found = []
        if info.type == fs.FileType.Directory:
            every = filesystem.get_file_info(fs.FileSelector(root, recursive=True))
            inside = ((i.path, i.path[len(root) :].strip("/").split("/")) for i in every if i.type == fs.FileType.File)
            listed = sorted(of_one_kind((p for p, parts in inside if not any(map(_hidden, parts))), text))
            found = current_paths(listed)
    except (pa.ArrowInvalid, ValueError) as error:
        raise InputError(f"{text}: cannot be read: {first_line(error)}") from error
    except OSError as error:
        raise SourceUnavailable(f"{text}: cannot be reached: {first_line(error)}") from error
    if not found:
        raise InputError(f"{text}: no such file, or no files ending in {endings()} there")
    return Listing(filesystem, found, root, [])


def _hidden(name: str) -> bool:
    """Files and folders that writers keep for themselves (`_temporary`, `.crc`); key=value folders are none."""
    return name.startswith((".", "_")) and "=" not in name


def note(problems: Problems, path: str, sentence: str) -> None:
    """Add what cannot be read to the problems, once, safe to show."""
    problem = (path, escape(redact(sentence)))
    if problem not in problems:
        problems.append(problem)


def first_line(error: Exception) -> str:
    """What an error says, as part of a sentence."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
