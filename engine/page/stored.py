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


@dataclass(frozen=True, slots=True)
class Stored:
    """A backtest as it lies on disk; `pages` and `tuned` are None where their files are absent."""

    folder: Path
    manifest: Mapping[str, Any]
    parts: tuple[Path, ...]
    columns: tuple[str, ...]
    incidents: pa.Table
    pages: pa.Table | None
    tuned: Mapping[str, Any] | None


def open_stored(folder: Path) -> Stored:
    """Look into the folder of a backtest. Raises InputError with one sentence where it lacks what a page needs."""
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} holds no {MANIFEST}: give a folder that `ridgeline backtest` has finished")
    manifest = _object(folder / MANIFEST)
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
        incidents=_table(folder / INCIDENTS),
        pages=_table(folder / PAGES) if (folder / PAGES).exists() else None,
        tuned=_object(folder / TUNED) if (folder / TUNED).exists() else None,
    )


def opened(path: Path) -> pq.ParquetFile:
    """A file of scores, its texts to be read as codes. Raises InputError where it cannot be read."""
    try:
        return pq.ParquetFile(path, read_dictionary=["metric", "outcome"])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}; run the backtest anew") from error


def _table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {error}; run the backtest anew") from error


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}; write it anew") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no JSON object: write it anew")
    return found
