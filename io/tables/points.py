"""From the columns of one file to points: which column is what, and each batch in the columns that datasets have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.apart import Apart, Merging
from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.columns import either
from ridgeline.io.arrow.labelled import named
from ridgeline.io.arrow.labels import MOST, check_label, label_columns, labels_of, text_runs
from ridgeline.io.arrow.layout import absent, is_text, is_whole, layout_of
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.errors import InputError
from ridgeline.io.tables.cells import numbers_of, times_of
from ridgeline.io.tables.legible import Legible, refuse_comma
from ridgeline.io.tables.point_columns import LISTS, LONG, batch_of, dictionary, lists, points
from ridgeline.io.tables.reading import NUMBERS, TEXTS, TIMES, Wanted
from ridgeline.io.tables.shape import ROLES, Shape, refuse_metric

Ints = NDArray[np.int64]


class Points(Protocol):
    """What makes points of a file's batches: asked once for the columns, then for each batch, at last for what is left."""

    def wanted(self, schema: pa.Schema) -> Wanted:
        """The columns to read. Raises InputError where the file cannot be read as points."""

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The points of a batch of these columns, as LONG or LISTS, perhaps with AS_OF behind."""

    def rest(self) -> Iterator[pa.RecordBatch]:
        """What is only known at the end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file lies: its `path` for sentences, what its key=value folders say; `met` gets the labels that it has."""

    path: str
    keys: Mapping[str, str | None]
    met: set[str] = field(default_factory=set)


class Plain:
    """One point a row, or one metric a row; cells are `text` where the format has no types."""

    def __init__(self, shape: Shape, place: Place, apart: Apart, *, text: bool) -> None:
        self._shape = shape
        self._place = place
        self._apart = apart
        self._text = text
        self._roles: dict[str, str] = {}
        self._labels: list[str] = []
        self._lists = False
        self._legible = Legible(place.path)

    def wanted(self, schema: pa.Schema) -> Wanted:
        """The columns of the roles, and of labels: those asked for, or all that might tell series apart."""
        names = schema.names
        self._roles = self._found(names)
        types = {role: self._kind(schema, role, name) for role, name in self._roles.items()}
        types.setdefault("metric", pa.string())
        self._lists = layout_of(pa.schema(list(types.items())), self._place.path, self._roles).lists
        self._labels = self._labels_in(schema)
        columns = [*self._roles.values(), *self._labels]
        kinds = {self._roles["timestamp"]: TIMES, self._roles["value"]: NUMBERS}
        return Wanted([names.index(name) for name in columns], [kinds.get(name, TEXTS) for name in columns])

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The points of a batch."""
        times, values = (batch.column(self._roles[role]) for role in ("timestamp", "value"))
        metric = self._metric(batch)
        as_of = [self._as_of(batch)] if "as_of" in self._roles else []
        if self._lists:
            codes = np.repeat(metric.codes, np.diff(metric.starts))
            names = metric.names.take(arrow(codes, codes < 0))
            return batch_of(LISTS, [names, *lists(times, values), *as_of])
        stamps, numbers = times_of(times), numbers_of(values, truths=self._shape.truths)
        self._legible.see(self._roles["timestamp"], times, stamps)
        refuse_comma(self._place.path, numbers)
        self._legible.see(self._roles["value"], values, numbers)
        return batch_of(LONG, [dictionary(metric), *points(stamps, numbers), *as_of])

    def rest(self) -> Iterator[pa.RecordBatch]:
        """Nothing. Raises InputError where of a column not one cell could be read."""
        self._legible.check()
        yield from ()

    def _found(self, names: Sequence[str]) -> dict[str, str]:
        """The column of each role."""
        shape, path = self._shape, self._place.path
        roles = {role: shape.column(role) for role in ROLES}
        if shape.metric is not None:
            refuse_metric(names, path)
            del roles["metric"]
        elif roles["metric"] not in names and "metric" in self._place.keys and "metric" not in shape.columns:
            del roles["metric"]
        if "as_of" not in shape.columns and "as_of" not in names:
            del roles["as_of"]
        if missing := [role for role, name in roles.items() if name not in names]:
            raise absent(missing, names, path, {role: shape.column(role) for role in ROLES})
        for name in roles.values():
            if names.count(name) > 1:
                raise InputError(f"{path}: column {name} is there {names.count(name)} times; keep one")
        return roles

    def _kind(self, schema: pa.Schema, role: str, name: str) -> pa.DataType:
        """The type to judge a column by: cells of text may hold anything, and text may hold times."""
        kind = schema.field(name).type
        if self._text and not pa.types.is_nested(kind):
            return {"metric": pa.string(), "value": pa.float64()}.get(role, pa.int64())
        if role == "value" and self._shape.truths and pa.types.is_boolean(kind):
            return pa.int8()
        if role == "metric" and is_whole(kind):
            return pa.string()
        inner = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else kind
        if role in {"timestamp", "as_of"} and (is_text(inner) or pa.types.is_date(inner)):
            return pa.int64() if inner is kind else pa.list_(pa.int64())
        return kind

    def _labels_in(self, schema: pa.Schema) -> list[str]:
        path, taken = self._place.path, [*self._roles.values()]
        if self._shape.labels_from is None:
            found = label_columns(schema, path, taken)
            if len(found) > MOST:
                raise Merging(
                    f"{path}: {len(found):,} columns of text may tell series of one name apart: name those that do, "
                    "as --labels-from host,job, or pass over them by --labels-from ''"
                )
            return found
        for label in self._shape.labels_from:
            kinds = [schema.field(at).type for at in schema.get_all_field_indices(label)]
            if len(kinds) > 1:
                raise InputError(f"{path}: column {label} is there {len(kinds)} times; keep one")
            check_label(label, kinds, path, elsewhere=True, taken=taken)
            self._place.met.update([label] if kinds or label in self._place.keys else [])
        return [label for label in self._shape.labels_from if label in schema.names]

    def _metric(self, batch: pa.RecordBatch) -> Runs:
        """The runs of full names."""
        if "metric" in self._roles:
            metric = text_runs(batch.column(self._roles["metric"]))
        else:
            metric = _one(self._shape.metric or self._place.keys.get("metric"), batch.num_rows)
        columns = {name: batch.column(name) for name in self._labels}
        if self._shape.labels_from is None:  # what looked like text may be nested further on
            label_columns(pa.schema([(name, column.type) for name, column in columns.items()]), self._place.path, ())
        labels = labels_of(columns, self._place.path)
        if self._shape.labels_from is None:
            self._apart.see(metric, labels)
            return metric
        keys = self._place.keys
        folders = {key: keys[key] for key in self._shape.labels_from if key in keys and key not in self._labels}
        return named(metric, labels, folders) if labels or folders else metric

    def _as_of(self, batch: pa.RecordBatch) -> pa.Array:
        column = batch.column(self._roles["as_of"])
        times = times_of(column)
        self._legible.see(self._roles["as_of"], column, times)
        return arrow(times.numbers, either(times.absent, times.bad))


def _one(name: str | None, rows: int) -> Runs:
    """One run of a name that is not in the table."""
    return Runs(strings([] if name is None else [name]), np.array([-1 if name is None else 0]), np.array([0, rows]))
