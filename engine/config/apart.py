"""Files that a configuration names must not be one another: what is written would destroy what is read, or written too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.model import Archive, Log, Output, RemoteFiles, Source, Statistics
from ridgeline.engine.config.problems import Problems
from ridgeline.engine.report.files import JSON, JSONP, PARQUET
from ridgeline.io.disk.rotated import names
from ridgeline.io.disk.target import check_apart
from ridgeline.io.errors import UnsafeTarget


def keep_apart(
    problems: Problems,
    config: Path,
    source: Source,
    output: Output,
    statistics: Statistics,
    log: Log,
    archive: Archive,
    remote_files: RemoteFiles,
) -> None:
    """Note every file to be written that is the configuration, the data, within the archive, or another to be written."""
    taken = {os.path.realpath(config): "this configuration itself"}
    for key, file in _written(output, statistics, log, remote_files):
        place = os.path.realpath(file)
        if place in taken:
            problems.add(key, f"{file} is {taken[place]}: name another file")
        elif source.kind == "parquet" and source.settings.path and key != ("output", "directory"):  # a run looks itself
            _check_data(problems, key, file, source.settings.path)
        if archive.directory is not None:
            _check_archive(problems, key, file, archive.directory)
        taken[place] = f"what {'.'.join(map(str, key))} writes"


def _written(
    output: Output, statistics: Statistics, log: Log, remote_files: RemoteFiles
) -> Iterator[tuple[KeyPath, Path]]:
    if output.directory is not None:
        yield from ((("output", "directory"), output.directory / name) for name in (PARQUET, JSON, JSONP))
    if output.state is not None:
        yield ("output", "state"), output.state
    if statistics.prometheus_textfile is not None:
        yield ("statistics", "prometheus_textfile"), statistics.prometheus_textfile
    if log.file is not None:
        yield from ((("log", "file"), file) for file in names(log.file, log.keep))
    if remote_files.directory is not None:
        yield ("remote_files", "directory"), remote_files.directory / "data"  # what is there is not replaced


def _check_archive(problems: Problems, key: KeyPath, file: Path, archive: Path) -> None:
    if os.path.realpath(file).startswith(os.path.realpath(archive) + os.sep):
        problems.add(key, f"{file} lies within `[archive] directory`: name a place beside it")


def _check_data(problems: Problems, key: KeyPath, file: Path, data: str) -> None:
    try:
        check_apart(file, data, [data])
    except UnsafeTarget as error:
        problems.add(key, str(error))
