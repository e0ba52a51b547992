"""A backtest's stored scores, as tuning reads them: part by part, each step's scores and what it was judged to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.rules.judgement import NEEDS_WALKS, SCORE_OF_RULE
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.engine.score.graded import algorithms_among
from ridgeline.io.errors import InputError

AGAIN: Final = "run `ridgeline backtest` again, into another folder"
ASKED: Final = frozenset({"plan", "policy", "overrides", "alerts", "strategies", "delivery", "m_of_n", "scores"})
COLUMNS: Final = ("metric", "timestamp", "outcome", "anomalous")


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole metrics of one part, N steps of them in order of time.

    offsets int64[n+1], timestamps int64[N]; scores float32[A, N] of the algorithms, NaN where none judged the step;
    walks float32[R, N] of the rules with walks that are stored; analysed, anomalous bool[N]: what the backtest found.
    """

    metrics: tuple[str, ...]
    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    scores: NDArray[np.float32]
    walks: NDArray[np.float32]
    analysed: NDArray[np.bool_]
    anomalous: NDArray[np.bool_]

    def steps_of(self, at: int) -> slice:
        """Where the steps of the metric at this place are."""
        return slice(int(self.offsets[at]), int(self.offsets[at + 1]))


@dataclass(frozen=True, slots=True)
class History:
    """One backtest's folder: its manifest, its files of scores, whose scores they hold, and the rules with walks among them."""

    folder: Path
    manifest: dict[str, Any]
    parts: tuple[Path, ...]
    algorithms: tuple[str, ...]
    walks: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> History:
        """The backtest in a folder. Raises InputError with one sentence where it cannot be tuned from."""
        manifest = _manifest(folder)
        if not manifest["configuration"]["scores"]:
            raise InputError(
                f"{folder} was made with --no-scores, and settings are chosen by scores: {AGAIN}, without it"
            )
        names = sorted(name for name in manifest["checksums"] if name.startswith("scores/"))
        parts = tuple(folder / name for name in names)
        if not parts:
            raise InputError(f"{folder} holds no scores at all: nothing was replayed there")
        for part in parts:
            if not part.is_file():
                raise InputError(f"{part} is gone, and {folder} cannot be tuned from in part: {AGAIN}")
            if checksum(part) != manifest["checksums"][f"scores/{part.name}"]:
                raise InputError(f"{part} is damaged, or another file than manifest.json tells of: {AGAIN}")
        columns = _schema(parts[0]).names
        if lacking := [name for name in COLUMNS if name not in columns]:
            raise InputError(f"{parts[0]} lacks the column {lacking[0]!r}: it was written by another version; {AGAIN}")
        walks = tuple(rule for rule in SCORE_OF_RULE if rule in NEEDS_WALKS and SCORE_OF_RULE[rule] in columns)
        return cls(folder, manifest, parts, tuple(algorithms_among(columns)), walks)

    def metrics(self) -> tuple[list[str], tuple[int, int]]:
        """The names of all metrics that have steps, in the order of the parts, and the first and last moment of all."""
        found: dict[str, None] = {}
        spans = []
        for part in self.parts:
            table = _read(part, ["metric", "timestamp"])
            if table.num_rows:
                names = table["metric"].unique().to_pylist()
                if not found.keys().isdisjoint(names):
                    raise InputError(f"{part} holds steps of a metric that an earlier part holds: {AGAIN}")
                found.update(dict.fromkeys(names))
                spans.append(pc.min_max(table["timestamp"]).as_py())
        if not found:
            raise InputError(f"{self.folder} holds no step at all: nothing was replayed there")
        return list(found), (min(span["min"] for span in spans), max(span["max"] for span in spans))

    def pieces(self, *, scores: bool = True) -> Iterator[Piece]:
        """Read part by part; without `scores` only verdicts, the rows of scores being none. Raises InputError."""
        own = [name + SCORE for name in self.algorithms] if scores else []
        walks = [SCORE_OF_RULE[rule] for rule in self.walks] if scores else []
        for part in self.parts:
            table = _read(part, [*COLUMNS, *own, *walks])
            if table.num_rows:
                yield self._piece(table, part, own, walks)

    def _piece(self, table: pa.Table, part: Path, own: list[str], walks: list[str]) -> Piece:
        encoded = table["metric"].combine_chunks().dictionary_encode()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        codes = encoded.indices.to_numpy(zero_copy_only=False)
        timestamps = np.ascontiguousarray(table["timestamp"].to_numpy(), np.int64)
        starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
        ascending = (timestamps[1:] > timestamps[:-1]) | (codes[1:] != codes[:-1])
        if len(starts) != len(encoded.dictionary) or not ascending.all():
            raise InputError(f"{part} does not hold each metric's steps in order of time: {AGAIN}")
        return Piece(
            tuple(encoded.dictionary.take(pa.array(codes[starts])).to_pylist()),
            np.append(starts, len(codes)).astype(np.int64),
            timestamps,
            _rows(table, own),
            _rows(table, walks),
            pc.equal(table["outcome"], "analysed").to_numpy(zero_copy_only=False),
            table["anomalous"].fill_null(False).to_numpy(zero_copy_only=False),
        )


def _rows(table: pa.Table, names: list[str]) -> NDArray[np.float32]:
    """Columns as rows, NaN where null."""
    found = np.empty((len(names), table.num_rows), np.float32)
    for row, name in zip(found, names, strict=True):
        row[:] = table[name].to_numpy()
    return found


def _manifest(folder: Path) -> dict[str, Any]:
    """The manifest, which has all that is asked of it."""
    path = folder / "manifest.json"
    if not path.is_file():
        if (folder / ".parts").is_dir():
            raise InputError(f"the backtest in {folder} is not finished: continue it with --resume")
        raise InputError(f"{folder} is no backtest's folder: it holds no manifest.json; `ridgeline backtest` makes one")
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        configuration = found["configuration"]
        known = set(configuration) >= ASKED
        known &= isinstance(found["checksums"], dict) and isinstance(found["data"]["sha256"], str)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise InputError(f"{path} is damaged, or of another version of Ridgeline: {AGAIN}")
    return found


def _schema(part: Path) -> pa.Schema:
    try:
        return pq.read_schema(part)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{part} is damaged: {error}; {AGAIN}") from error


def _read(part: Path, columns: list[str]) -> pa.Table:
    try:
        return pq.ParquetFile(part).read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{part} is damaged: {error}; {AGAIN}") from error
