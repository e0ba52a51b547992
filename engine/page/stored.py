"""The files of a backtest's folder that a page is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.engine.evaluate.detections import MANIFEST, SCORE_FOLDER
from ridgeline.io.errors import InputError

INCIDENTS: Final = "anomalies.parquet"
PAGES: Final = "pages.parquet"
TUNED: Final = "tune.json"
COLUMNS: Final = ("metric", "timestamp", "value", "outcome", "anomalous", "consensus_score")  # of every file of scores
KEYS: Final = ("configuration", "outcomes", "pages", "policy", "steps", "unreadable")  # of every manifest


@dataclass(frozen=True, slots=True)
class Stored:
    """A backtest as it lies on disk; `tuned` is None where nobody tuned it."""

    folder: Path
    manifest: Mapping[str, Any]
    parts: tuple[Path, ...]
    columns: tuple[str, ...]
    incidents: pa.Table
    pages: pa.Table
    tuned: Mapping[str, Any] | None

    @property
    def files(self) -> tuple[Path, ...]:
        """What a page must not be written over."""
        return (*self.parts, *(self.folder / name for name in (MANIFEST, INCIDENTS, PAGES, TUNED)))


def open_stored(folder: Path) -> Stored:
    """Look into the folder of a backtest. Raises InputError with one sentence where it lacks what a page needs."""
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} holds no {MANIFEST}: give a folder that `ridgeline backtest` has finished")
    manifest = _object(folder / MANIFEST, KEYS)
    parts = tuple(sorted((folder / SCORE_FOLDER).glob("*.parquet")))
    if not parts:
        raise InputError(
            f"{folder} holds no {SCORE_FOLDER}/*.parquet, of which the report is made: run `ridgeline backtest` without --no-scores first"
        )
    return Stored(
        folder=folder,
        manifest=manifest,
        parts=parts,
        columns=tuple(opened(parts[0]).schema_arrow.names),
        incidents=_table(folder / INCIDENTS, ("metric", "start", "end", "points")),
        pages=_table(folder / PAGES, ("metric", "timestamp")),
        tuned=_object(folder / TUNED, ("frontier",)) if (folder / TUNED).exists() else None,
    )


def opened(path: Path) -> pq.ParquetFile:
    """A file of scores, its texts to be read as codes. Raises InputError where it cannot be read."""
    try:
        _check(path, COLUMNS, pq.read_schema(path).names)
        return pq.ParquetFile(path, read_dictionary=["metric", "outcome"])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}; run the backtest anew") from error


def _table(path: Path, columns: tuple[str, ...]) -> pa.Table:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}; run the backtest anew") from error
    _check(path, columns, table.column_names)
    return table


def _check(path: Path, wanted: tuple[str, ...], found: list[str]) -> None:
    if absent := [name for name in wanted if name not in found]:
        raise InputError(f"{path} lacks {', '.join(absent)}: it is not what `ridgeline backtest` writes; run it anew")


def _object(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    """A JSON object that has these keys; what is no number in it is null."""
    try:
        found = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}; write it anew") from error
    if not isinstance(found, dict) or not all(key in found for key in keys):
        raise InputError(f"{path} is no object with {', '.join(keys)}: write it anew")
    return found
