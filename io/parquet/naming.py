"""Whose rows are whose: by the column `metric`, or the folder metric=NAME, and by the labels that are part of the name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.apart import REMEDY, Apart, Merging
from ridgeline.io.arrow.labelled import named
from ridgeline.io.arrow.labels import check_label, label_columns, text_runs
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.footer import Chunk
from ridgeline.io.parquet.generations import DAY

LONGEST_BOUND: Final = 64  # bytes; writers cut off longer bounds


class Naming:
    """Names for the rows of these files.

    `asked`: the labels, columns or key=value folders, that become part of the name; others are passed over. None: where
    a label would tell series of one name apart, merging them is refused.
    """

    def __init__(self, files: Sequence[DataFile], asked: Sequence[str] | None, where: str) -> None:
        self._asked = asked
        self._apart = Apart(where)
        if asked is None:
            refuse_folders([{key: file.keys[key] for key in file.open_keys} for file in files], where)
            constant = _constant(files)
            self._labels = {file.path: [c for c in _candidates(file) if c not in constant] for file in files}
        else:
            _must_exist(files, asked, where)
            self._labels = {file.path: [c for c in asked if c in file.schema.names] for file in files}

    def columns(self, file: DataFile) -> list[str]:
        """The columns that tell the names of a file's rows; none where its folders do."""
        return (["metric"] if file.metric is None else []) + self._labels[file.path]

    def constant(self, file: DataFile, rows: int) -> Runs:
        """The one run of a file without such columns."""
        metric = _metric(file, rows)
        return metric if self._asked is None else named(metric, {}, self._folders(file))

    def runs(self, file: DataFile, batch: pa.RecordBatch) -> Runs:
        """The runs of a batch of those columns."""
        metric = text_runs(batch.column("metric")) if file.metric is None else _metric(file, batch.num_rows)
        labels = {key: text_runs(batch.column(key)) for key in self._labels[file.path]}
        if self._asked is not None:
            return named(metric, labels, self._folders(file))
        self._apart.see(metric, labels)
        return metric

    def _folders(self, file: DataFile) -> dict[str, str | None]:
        assert self._asked is not None
        return {key: file.keys[key] for key in self._asked if key in file.keys and key not in file.schema.names}


def _metric(file: DataFile, rows: int) -> Runs:
    """One run of the metric that a folder names."""
    assert file.metric is not None
    return Runs(file.metric.drop_null(), np.array([-file.metric.null_count]), np.array([0, rows]))


def _candidates(file: DataFile) -> list[str]:
    return label_columns(file.schema, file.path)


def _constant(files: Sequence[DataFile]) -> set[str]:
    """Columns with one value in all files, as their statistics show."""
    seen: dict[str, set[bytes | None]] = {}
    for file in files:
        for group in file.groups:
            for name, chunk in group.chunks.items():
                seen.setdefault(name, set()).add(_only(chunk))
    return {name for name, values in seen.items() if len(values) == 1 and None not in values}


def _only(chunk: Chunk) -> bytes | None:
    """The only value of a chunk, None where that is not certain."""
    same = chunk.low is not None and chunk.low == chunk.high and chunk.nulls == 0
    return chunk.low if same and chunk.low is not None and len(chunk.low) < LONGEST_BOUND else None


def refuse_folders(files: Iterable[Mapping[str, str | None]], where: str) -> None:
    """Raise Merging where files in several key=value folders, of which the user named none, would merge."""
    values: dict[str, dict[str | None, None]] = {}
    for file in files:
        for key, value in file.items():
            if key != "metric" and not (key == "day" and value is not None and DAY.fullmatch(value)):
                values.setdefault(key, {})[value] = None
    if not values:
        return
    key, found = next(iter(values.items()))
    shown = [f"{key}={'' if value is None else value}" for value in found]
    listed = " and ".join(shown[:2]) + (f" and {len(shown) - 2:,} more" if len(shown) > 2 else "")
    raise Merging(
        f"{where}: its folders {listed} tell series of one name apart, which would merge; "
        + REMEDY.format(names=",".join(values))
    )


def _must_exist(files: Sequence[DataFile], asked: Sequence[str], where: str) -> None:
    for label in asked:
        kinds = [file.schema.field(label).type for file in files if label in file.schema.names]
        check_label(label, kinds, where, elsewhere=any(label in file.keys for file in files))
