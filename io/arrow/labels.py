"""Label columns: what tells series of one name apart. They become part of the name, or merging is refused.

The one documented form is Prometheus': `name{host="web1",job="x"}`, keys sorted, values escaped, absent labels left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.columns import list_lengths, one_array
from ridgeline.io.arrow.layout import NEEDED, is_text, text_within
from ridgeline.io.arrow.names import Names
from ridgeline.io.arrow.runs import Runs, runs_of
from ridgeline.io.errors import InputError

Ints = NDArray[np.int64]
TAKEN: Final = (*NEEDED, "as_of")  # columns that are no labels
MOST: Final = 1000  # different labels in one column of maps
IDENTIFIER: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
REMEDY: Final = (
    "make them part of the name by --labels-from {names} (labels_from in Python and in [source]), "
    "or pass over them by --labels-from ''"
)


class Merging(InputError):  # noqa: N818 - reads as the sentence it is
    """Series of one name would become one."""


def labelled(name: str, labels: Mapping[str, str | None]) -> str:
    r"""The name of a series with these labels.

    >>> labelled("cpu", {"job": "x", "host": 'a"b', "rack": None})
    'cpu{host="a\\"b",job="x"}'
    """
    pairs = [f"{_key(key)}={_quoted(value)}" for key, value in sorted(labels.items()) if value is not None]
    return f"{name}{{{','.join(pairs)}}}" if pairs else name


def label_columns(schema: pa.Schema, where: str, taken: Sequence[str] = TAKEN) -> list[str]:
    """The columns of text beside those that are `taken`: any of them may tell series apart.

    Raises InputError for text within lists, maps and structs, which may do so too.
    """
    others = [field for field in schema if field.name not in taken]
    for field in others:
        if not is_text(field.type) and text_within(field.type):
            nested = _has_labels(field.type)
            remedy = REMEDY.format(names=field.name if nested else "their columns")
            first = "" if nested else "write its labels as columns of text and "
            raise Merging(
                f"{where}: column {field.name} holds {field.type}, which may tell series of one name apart: {first}{remedy}"
            )
    return [field.name for field in others if is_text(field.type)]


def named(metric: Runs, labels: Mapping[str, Runs], constant: Mapping[str, str | None]) -> Runs:
    """The runs of a block of points by their full names; `constant` labels hold for all of them."""
    runs = [metric, *labels.values()]
    starts = np.unique(np.concatenate([one.starts[:-1] for one in runs]))
    codes = [one.codes[np.searchsorted(one.starts, starts, side="right") - 1] for one in runs]
    packed = np.zeros(len(starts), np.int64)
    for one, code in zip(runs, codes, strict=True):
        _, packed = np.unique(packed * (len(one.names) + 1) + code + 1, return_inverse=True)
    _, first, packed = np.unique(packed, return_index=True, return_inverse=True)
    first = first[codes[0][first] >= 0]  # points without a metric keep none
    first.sort()
    place = np.full(len(starts), -1, np.int64)
    place[packed[first]] = np.arange(len(first))
    texts = [one.names.to_pylist() for one in runs]
    keys = list(labels)
    full = [
        labelled(texts[0][codes[0][at]], {**constant, **{
            key: None if codes[k][at] < 0 else texts[k][codes[k][at]] for k, key in enumerate(keys, 1)
        }})
        for at in first.tolist()
    ]  # fmt: skip
    distinct = list(dict.fromkeys(full))
    number = {name: i for i, name in enumerate(distinct)}
    renumbered = np.append([number[name] for name in full], -1).astype(np.int64)
    return Runs(strings(distinct), renumbered[place[packed]], np.append(starts, metric.starts[-1]))


def named_runs(table: pa.Table, metric: Runs, asked: Sequence[str] | None, where: str) -> Runs:
    """The runs of a whole table by their full names; or by their plain ones, if no series would merge."""
    if asked is None:
        Apart(where).see(metric, {key: text_runs(table.column(key)) for key in label_columns(table.schema, where)})
        return metric
    for key in asked:
        check_label(key, [table.schema.field(key).type] if key in table.schema.names else [], where)
    return named(metric, labels_of({key: table.column(key) for key in asked}, where), {}) if asked else metric


def check_label(
    key: str, kinds: Sequence[pa.DataType], where: str, *, elsewhere: bool = False, taken: Sequence[str] = TAKEN
) -> None:
    """Raise InputError where no column can be this label; `elsewhere`: something else may be."""
    if key in taken:
        raise InputError(f"{where}: {key} cannot be a label")
    if not kinds and not elsewhere:
        raise InputError(f"{where}: no column or folder is called {key}")
    for kind in kinds:
        _must_be_plain(key, kind, where)


def labels_of(columns: Mapping[str, pa.ChunkedArray | pa.Array], where: str) -> dict[str, Runs]:
    """The runs of each label: of columns of plain values, and of each member of structs and maps by its own name."""
    found: dict[str, Runs] = {}
    for key, column in columns.items():
        for name, values in _flattened(key, one_array(column), where):
            if name in found:
                raise InputError(
                    f"{where}: label {name} comes from two columns, {key} and another; ask for one of them"
                )
            found[name] = text_runs(values)
    return found


def _must_be_plain(key: str, kind: pa.DataType, where: str) -> None:
    if kind.num_fields and not _has_labels(kind):
        raise InputError(f"{where}: column {key} holds {kind}; a label must be a plain value, a struct or a map")


def _has_labels(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind) or pa.types.is_map(kind))


def _flattened(key: str, column: pa.Array, where: str) -> Iterator[tuple[str, pa.Array]]:
    """(name, values) of each label that a column holds."""
    if pa.types.is_struct(column.type):
        for at, inner in enumerate(column.flatten()):
            yield from _flattened(column.type.field(at).name, inner, where)
    elif pa.types.is_map(column.type):
        column.validate(full=True)
        pair = pa.struct([pa.field("key", column.type.key_type, nullable=False), ("value", column.type.item_type)])
        lists = column.cast(pa.list_(pair))
        rows = np.repeat(np.arange(len(column)), list_lengths(lists))
        entries = lists.flatten()  # of null maps, none
        names, values = entries.field(0), entries.field(1)
        owners = runs_of([names if is_text(names.type) else names.cast(pa.string())], np.arange(len(names) + 1))
        if len(owners.names) > MOST:
            raise InputError(f"{where}: column {key} holds more than {MOST:,} different labels; make columns of some")
        for code, name in enumerate(owners.names.to_pylist()):
            entry = np.flatnonzero(owners.codes == code)
            places = np.full(len(column), -1, np.int64)
            places[rows[entry]] = entry
            yield from _flattened(name, values.take(arrow(places, places < 0)), where)
    else:
        _must_be_plain(key, column.type, where)
        yield key, column


def text_runs(column: pa.ChunkedArray | pa.Array) -> Runs:
    """The runs of a label column; what is no text is shown as text."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return runs_of([chunk if is_text(chunk.type) else chunk.cast(pa.string()) for chunk in chunks])


class Apart:
    """Sees to it that no metric has two values of a label column, over as many blocks as there are."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._metrics = Names()
        self._values: dict[str, Names] = {}
        self._first: dict[str, Ints] = {}  # by metric: the number of its value + 2; 1: null, 0: none yet

    def see(self, metric: Runs, labels: Mapping[str, Runs]) -> None:
        """Look at a block. Raises InputError where series would merge."""
        if not labels:
            return
        numbers = self._metrics.codes(metric)
        for key, runs in labels.items():
            values = self._values.setdefault(key, Names())
            starts = np.unique(np.concatenate([metric.starts[:-1], runs.starts[:-1]]))
            code = numbers[np.searchsorted(metric.starts, starts, side="right") - 1]
            value = values.codes(runs)[np.searchsorted(runs.starts, starts, side="right") - 1] + 2
            code, value = code[code >= 0], value[code >= 0]
            first = self._known(key)
            fresh = first[code] == 0
            first[code[fresh][::-1]] = value[fresh][::-1]  # of equal indices the last written stays: the first seen
            wrong = np.flatnonzero(first[code] != value)
            if len(wrong):
                self._refuse(key, int(code[wrong[0]]), values, int(first[code[wrong[0]]]), int(value[wrong[0]]))

    def _known(self, key: str) -> Ints:
        """The values of all metrics so far, with room for new ones."""
        first = self._first.get(key, np.zeros(0, np.int64))
        if len(first) < len(self._metrics):
            first = np.append(first, np.zeros(2 * len(self._metrics) - len(first), np.int64))
            self._first[key] = first
        return first

    def _refuse(self, key: str, metric: int, values: Names, *numbers: int) -> None:
        name, texts = self._metrics.array()[metric].as_py(), values.array()
        shown = [f"{key}={'nothing' if number == 1 else texts[number - 2].as_py()}" for number in numbers]
        raise Merging(
            f"{self._where}: {name} has points of {shown[0]} and of {shown[1]}, which would merge into one series; "
            + REMEDY.format(names=key)
        )


def _key(key: str) -> str:
    return key if IDENTIFIER.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
