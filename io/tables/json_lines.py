"""JSON lines: one object a line. Blocks that are alike go through Arrow's parser, others line by line through Python's.

Lines that are no object, or no JSON at all, are malformed. So is one nested so deeply that no reader takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from ridgeline.io.errors import InputError
from ridgeline.io.tables.content import Content
from ridgeline.io.tables.mixed import column_of, kind_of, lists_of
from ridgeline.io.tables.reading import Told, Want
from ridgeline.io.tables.victoria import exported, is_export
from ridgeline.io.text import encodable

SAMPLE: Final = 200  # lines that the columns are told from
DEEPEST: Final = 64  # brackets opened in one line that Arrow's parser is given: it recurses, and would end the process


def read(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of the wanted columns."""
    records: Records | None = None
    export: bool | None = None
    for block, dropped in content.blocks():
        told.malformed(dropped)
        if export is None:
            sample = list(objects(block.split(b"\n", SAMPLE)[:SAMPLE], Told()))
            export = bool(sample) and is_export(sample[0])
            if sample and not export:
                records = Records(sample, want, told)
        if export:
            yield from exported(objects(block.split(b"\n"), told), told)
        elif records is not None:
            yield from records.batches(block)
        else:
            export = None  # nothing but malformed lines so far
            told.malformed(sum(1 for _ in filter(bytes.strip, block.split(b"\n"))))
    if records is None and not export:
        raise InputError(f"{content.path}: not one of its lines is a JSON object")


class Records:
    """Objects of which some members are wanted."""

    def __init__(self, sample: Sequence[dict[str, Any]], want: Want, told: Told) -> None:
        names = list(dict.fromkeys(name for record in sample for name in record))
        fields = [pa.field(encodable(name), kind_of([record.get(name) for record in sample])) for name in names]
        wanted = want(pa.schema(fields))
        self._names = [names[at] for at in wanted.places]
        self._fields = [fields[at] for at in wanted.places]
        self._told = told

    def batches(self, block: bytes) -> Iterator[pa.RecordBatch]:
        """The objects of a block of whole lines."""
        table = None if _deep(block) else self._by_arrow(block)
        if table is None:
            yield from self.of(objects(block.split(b"\n"), self._told))
        else:
            yield from table.combine_chunks().to_batches()

    def _by_arrow(self, block: bytes) -> pa.Table | None:
        """The members of the objects of a block; None where Arrow's parser cannot take them, or would show them otherwise.

        Members of structs differ from line to line, so that each block has its own; as labels they must be text.
        """
        given = [field for field in self._fields if not field.type.num_fields]
        free = [field.name for field in self._fields if pa.types.is_struct(field.type)]
        if len(given) + len(free) < len(self._fields) or any(pa.types.is_null(field.type) for field in given):
            return None
        try:
            table = arrow_json.read_json(
                pa.BufferReader(block),
                read_options=arrow_json.ReadOptions(block_size=len(block) + 1),
                parse_options=arrow_json.ParseOptions(
                    explicit_schema=pa.schema(given), unexpected_field_behavior="infer" if free else "ignore"
                ),
            )
        except pa.ArrowInvalid:
            return None
        if not all(name in table.schema.names and _holds_text(table.schema.field(name).type) for name in free):
            return None
        return table.select([field.name for field in self._fields])

    def of(self, records: Iterable[dict[str, Any]]) -> Iterator[pa.RecordBatch]:
        """Objects as one batch; malformed are those without a list where the others have one."""
        lists = [name for name, field in zip(self._names, self._fields, strict=True) if pa.types.is_list(field.type)]
        found = list(records)
        whole = [record for record in found if all(isinstance(record.get(name), list) for name in lists)]
        self._told.malformed(len(found) - len(whole))
        if not whole:
            return
        columns = [
            lists_of([record[name] for record in whole])
            if name in lists
            else column_of([record.get(name) for record in whole])
            for name in self._names
        ]
        yield pa.RecordBatch.from_arrays(columns, names=[field.name for field in self._fields])
        self._fields = [
            field if column.type.num_fields or pa.types.is_null(column.type) else field.with_type(column.type)
            for field, column in zip(self._fields, columns, strict=True)
        ]


def _holds_text(kind: pa.DataType) -> bool:
    """Whether a struct has members of text alone."""
    return bool(pa.types.is_struct(kind)) and all(
        pa.types.is_string(inner.type) or pa.types.is_null(inner.type) for inner in kind
    )


def objects(lines: Iterable[bytes], told: Told) -> Iterator[dict[str, Any]]:
    """The objects of lines; others are counted."""
    for line in lines:
        if not line.strip():
            continue
        try:
            found = json.loads(line if line.isascii() else line.decode(errors="surrogateescape"))
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            yield found
        else:
            told.malformed()


def _deep(block: bytes) -> bool:
    """Whether some line opens so many brackets that it may be nested too deeply."""
    opened = block.count(b"{") + block.count(b"[")
    if opened - block.count(b"\n") < DEEPEST:  # as a rule: one bracket a line
        return False
    octets = np.frombuffer(block, np.uint8)
    places = np.flatnonzero((octets == ord("{")) | (octets == ord("[")))
    lines = np.searchsorted(np.flatnonzero(octets == ord("\n")), places)
    return bool(np.bincount(lines).max(initial=0) > DEEPEST)
