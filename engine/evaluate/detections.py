"""What a detector said: a score per moment of each metric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.evaluate.tables import column_names, names_of, table_of
from ridgeline.engine.rules.policy import consensus_fault
from ridgeline.engine.score.graded import algorithms_among
from ridgeline.io.arrow.instants import instants_of
from ridgeline.io.errors import InputError
from ridgeline.io.tables.shape import Shape

SCORE_FOLDER: Final = "scores"
MANIFEST: Final = "manifest.json"  # of a backtest; alone where it was told to write no scores
PLAIN_SCORES: Final = Shape({"value": "score"})


@dataclass(frozen=True, slots=True)
class Detections:
    """One metric's rows in time order: `timestamps` int64[n] epoch seconds, `scores` float64[n]."""

    metric: str
    timestamps: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]


def read_detections(
    source: Any, *, consensus: int | None, expiry: int, shape: Shape = PLAIN_SCORES
) -> list[Detections]:
    """Read a backtest's output folder, or scores: files of any format or an Arrow table of `metric, timestamp, score`.

    From a folder the score is 1 at an anomalous step at least `expiry` seconds after the last step of that metric that
    scored 1, else 0; `consensus` re-decides "anomalous" from the stored votes.
    Rows may come in any order, times in any unit; of rows of one metric and moment the highest score counts. Raises
    InputError with one sentence for what cannot be read.
    """
    from ridgeline.io.tables.files import whole_points

    if isinstance(source, (str, Path)) and _is_backtest(Path(source)):
        return _from_backtest(Path(source), consensus, expiry)
    if consensus is not None:
        raise InputError("--consensus needs the votes of a backtest's output folder; plain scores have none")
    what = f"scores {source}" if isinstance(source, (str, Path)) else "scores"
    data = source if isinstance(source, (str, Path)) else table_of(source, what)
    points = whole_points(data, replace(shape, truths=True), what)
    return list(_by_metric(points.rename_columns(["metric", "timestamp", "score"]), "score", what))


def _is_backtest(folder: Path) -> bool:
    """Whether a folder is what a backtest wrote, not one of tables."""
    return (folder / SCORE_FOLDER).is_dir() or (folder / MANIFEST).is_file()


def _from_backtest(folder: Path, consensus: int | None, expiry: int) -> list[Detections]:
    parts = sorted((folder / SCORE_FOLDER).glob("*.parquet"))
    if not parts:
        raise InputError(
            f"{folder} holds no {SCORE_FOLDER}/*.parquet: run `ridgeline backtest` without --no-scores first"
        )
    decision = "anomalous" if consensus is None else "votes"
    table = pa.concat_tables([_read(part, decision) for part in parts])
    if consensus is not None:
        algorithms = len(algorithms_among(pq.read_schema(parts[0]).names))
        if fault := consensus_fault(consensus, algorithms):
            raise InputError(f"{folder}: {fault}")
    least = 1 if consensus is None else consensus
    return [
        Detections(
            found.metric,
            found.timestamps,
            let_through(found.timestamps, found.scores >= least, expiry).astype(np.float64),
        )
        for found in _by_metric(table, decision, f"scores {folder}")
    ]


def _read(path: Path, decision: str) -> pa.Table:
    """The three columns that count, of one Parquet file."""
    what = f"scores {path}"
    try:
        file = pq.ParquetFile(path)
        _check_columns(column_names(file.schema_arrow), decision, what)
        return file.read(columns=["metric", "timestamp", decision])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{what} cannot be read as Parquet: {error}") from error


def _check_columns(names: list[str], decision: str, what: str) -> None:
    wanted = ("metric", "timestamp", decision)
    absent = [name for name in wanted if name not in names]
    if absent:
        raise InputError(f"{what} lack the column {absent[0]!r}: expected {', '.join(wanted)}")


def _by_metric(table: pa.Table, decision: str, what: str) -> Iterator[Detections]:
    """Yield each metric's rows in time order, metrics in first-seen order, wherever the rows lie."""
    if not table.num_rows:
        return
    instants = instants_of(table["timestamp"], f"the column timestamp of {what}")
    if not instants.known.all():
        raise InputError(f"{what}: {int((~instants.known).sum()):,} rows have no timestamp")
    encoded = names_of(table["metric"], what).dictionary_encode()
    codes = encoded.indices.to_numpy()
    scores = _numbers(table[decision], decision, what)
    order = np.lexsort((scores, instants.seconds, codes))
    codes, stamps, scores = codes[order], instants.seconds[order], scores[order]
    # Of equal moments the last is the highest; NaN, which is no detection, sorts last and must not stand for them.
    last = np.append((codes[1:] != codes[:-1]) | (stamps[1:] != stamps[:-1]), True)
    codes, stamps, scores = codes[last], stamps[last], scores[last]
    bounds = np.searchsorted(codes, np.arange(len(encoded.dictionary) + 1))
    for code, metric in enumerate(encoded.dictionary.to_pylist()):
        here = slice(bounds[code], bounds[code + 1])
        yield Detections(metric, stamps[here], scores[here])


def _numbers(column: pa.ChunkedArray, name: str, what: str) -> npt.NDArray[np.float64]:
    """Scores as float64; 0 where null or NaN."""
    try:
        numbers = pc.fill_null(column.cast(pa.float64() if not pa.types.is_boolean(column.type) else pa.int8()), 0)
    except pa.ArrowException as error:
        raise InputError(f"{what}: the column {name} is {column.type}, which holds no numbers") from error
    found: npt.NDArray[np.float64] = numbers.to_numpy().astype(np.float64)
    return np.where(np.isnan(found), 0.0, found)
