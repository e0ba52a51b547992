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
from ridgeline.engine.evaluate.choices import ABOVE_ONE
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
    """One metric's rows in time order: `timestamps` int64[n] epoch seconds, `scores` float64[n], -inf where there is none."""

    metric: str
    timestamps: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]


def read_detections(
    source: Any,
    *,
    consensus: int | None,
    expiry: int,
    shape: Shape = PLAIN_SCORES,
    score: str | tuple[str, ...] | None = None,
    threshold: float = ABOVE_ONE,
) -> list[Detections]:
    """Read a backtest's output folder, or scores: files of any format or an Arrow table of `metric, timestamp, score`.

    From a folder the score is 1 at an anomalous step at least `expiry` seconds after the last step of that metric that
    scored 1, else 0; `consensus` re-decides "anomalous" from the stored votes. `score` names a column of the folder to be the
    score instead, or several of which the first that is there counts; of its steps at or above `threshold` those that come sooner
    than `expiry` after the last have none.
    Rows may come in any order, times in any unit; of rows of one metric and moment the highest score counts. Raises
    InputError with one sentence for what cannot be read.
    """
    from ridgeline.io.tables.files import whole_points

    if isinstance(source, (str, Path)) and _is_backtest(Path(source)):
        if isinstance(score, str) and consensus is not None:
            raise InputError(
                f"a consensus re-decides what is anomalous, the column {score!r} is a score: give one of them"
            )
        return _from_backtest(Path(source), consensus, expiry, None if consensus is not None else score, threshold)
    if consensus is not None:
        raise InputError("--consensus needs the votes of a backtest's output folder; plain scores have none")
    if isinstance(score, str):
        raise InputError(
            "--score needs a backtest's output folder; of plain scores, --columns score=NAME names the column"
        )
    what = f"scores {source}" if isinstance(source, (str, Path)) else "scores"
    data = source if isinstance(source, (str, Path)) else table_of(source, what)
    points = whole_points(data, replace(shape, truths=True), what)
    return list(_by_metric(points.rename_columns(["metric", "timestamp", "score"]), "score", what))


def _is_backtest(folder: Path) -> bool:
    """Whether a folder is what a backtest wrote, not one of tables."""
    return (folder / SCORE_FOLDER).is_dir() or (folder / MANIFEST).is_file()


def _from_backtest(
    folder: Path, consensus: int | None, expiry: int, score: str | tuple[str, ...] | None, threshold: float
) -> list[Detections]:
    parts = sorted((folder / SCORE_FOLDER).glob("*.parquet"))
    if not parts:
        raise InputError(
            f"{folder} holds no {SCORE_FOLDER}/*.parquet: run `ridgeline backtest` without --no-scores first"
        )
    schema = _schema(parts[0])
    if score is not None:
        decision, least = _scored_by(schema, score, folder), threshold
    elif consensus is not None:
        decision, least = "votes", float(consensus)
        if fault := consensus_fault(consensus, len(algorithms_among(schema.names))):
            raise InputError(f"{folder}: {fault}")
    else:
        decision, least = "anomalous", 1.0
    table = pa.concat_tables([_read(part, decision) for part in parts])
    found = []
    for one in _by_metric(table, decision, f"scores {folder}"):
        detected = one.scores >= least
        through = let_through(one.timestamps, detected, expiry)
        kept = through.astype(np.float64) if score is None else np.where(through | ~detected, one.scores, -np.inf)
        found.append(Detections(one.metric, one.timestamps, kept))
    return found


def _scored_by(schema: pa.Schema, score: str | tuple[str, ...], folder: Path) -> str:
    """The column asked for, or the first of several that is there; InputError naming those that could be asked for."""
    numbers = [name for name in column_names(schema) if name != "timestamp" and _is_number(schema.field(name).type)]
    asked = (score,) if isinstance(score, str) else score
    for name in asked:
        if name in numbers:
            return name
    raise InputError(
        f"{folder} holds no score called {' or '.join(map(repr, asked))}: its columns of scores are {', '.join(numbers)}"
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _schema(path: Path) -> pa.Schema:
    try:
        return pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"scores {path} cannot be read as Parquet: {error}") from error


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
    # Of equal moments the last is the highest.
    last = np.append((codes[1:] != codes[:-1]) | (stamps[1:] != stamps[:-1]), True)
    codes, stamps, scores = codes[last], stamps[last], scores[last]
    bounds = np.searchsorted(codes, np.arange(len(encoded.dictionary) + 1))
    for code, metric in enumerate(encoded.dictionary.to_pylist()):
        here = slice(bounds[code], bounds[code + 1])
        yield Detections(metric, stamps[here], scores[here])


def _numbers(column: pa.ChunkedArray, name: str, what: str) -> npt.NDArray[np.float64]:
    """Scores as float64; below all of them, -inf, where null or NaN."""
    try:
        numbers = column.cast(pa.float64() if not pa.types.is_boolean(column.type) else pa.int8()).cast(pa.float64())
    except pa.ArrowException as error:
        raise InputError(f"{what}: the column {name} is {column.type}, which holds no numbers") from error
    found: npt.NDArray[np.float64] = pc.fill_null(numbers, np.nan).to_numpy()
    return np.where(np.isnan(found), -np.inf, found)
