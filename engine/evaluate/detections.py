"""What a detector said: a score per row of each metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.io.errors import InputError

SCORE_FOLDER = "scores"


@dataclass(frozen=True, slots=True)
class Detections:
    """One metric's rows in file order: `timestamps` int64[n] epoch seconds, `scores` float64[n]."""

    metric: str
    timestamps: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]


def read_detections(path: Path, *, consensus: int | None, expiry: int) -> list[Detections]:
    """Read a backtest's output folder, or any Parquet of `metric, timestamp, score`.

    From a folder the score is 1 at an anomalous step at least `expiry` seconds after the last step of that metric that
    scored 1, else 0; `consensus` re-decides "anomalous" from the stored votes. Rows of a file are taken as they come.
    """
    if path.is_dir():
        return _from_backtest(path, consensus, expiry)
    if not path.is_file():
        raise InputError(f"scores {path} do not exist: give a backtest's output folder or a Parquet file")
    if consensus is not None:
        raise InputError("--consensus needs the votes of a backtest's output folder; a file of scores has none")
    table = _read(path, ["metric", "timestamp", "score"])
    return [
        Detections(metric, stamps, scores.astype(np.float64)) for metric, stamps, scores in _by_metric(table, "score")
    ]


def _from_backtest(folder: Path, consensus: int | None, expiry: int) -> list[Detections]:
    parts = sorted((folder / SCORE_FOLDER).glob("*.parquet"))
    if not parts:
        raise InputError(
            f"{folder} holds no {SCORE_FOLDER}/*.parquet: run `ridgeline backtest` without --no-scores first"
        )
    decision = "anomalous" if consensus is None else "votes"
    table = pa.concat_tables([_read(part, ["metric", "timestamp", decision]) for part in parts])
    found = []
    for metric, stamps, decided in _by_metric(table, decision):
        anomalous = decided.astype(np.int64) >= (1 if consensus is None else consensus)
        found.append(Detections(metric, stamps, let_through(stamps, anomalous, expiry).astype(np.float64)))
    return found


def _read(path: Path, columns: list[str]) -> pa.Table:
    try:
        file = pq.ParquetFile(path)
        absent = [name for name in columns if name not in file.schema_arrow.names]
        if absent:
            raise InputError(f"scores {path} lack the column {absent[0]!r}: expected {', '.join(columns)}")
        table = file.read(columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(f"scores {path} cannot be read as Parquet: {error}") from error
    metric = table["metric"].cast(pa.string())
    return table.set_column(table.column_names.index("metric"), "metric", metric)


def _by_metric(table: pa.Table, column: str) -> Iterator[tuple[str, npt.NDArray[np.int64], npt.NDArray[np.generic]]]:
    """Yield each metric's rows in file order, metrics in first-seen order, wherever the rows lie."""
    if not table.num_rows:
        return
    encoded = table["metric"].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    stamps = table["timestamp"].cast(pa.int64()).to_numpy()
    decided = table[column]
    if pa.types.is_boolean(decided.type):
        decided = pc.fill_null(decided, False)
    values = pc.fill_null(decided, 0).to_numpy() if decided.null_count else decided.to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(encoded.dictionary) + 1))
    for code, metric in enumerate(encoded.dictionary.to_pylist()):
        rows = order[bounds[code] : bounds[code + 1]]
        yield metric, stamps[rows], values[rows]
