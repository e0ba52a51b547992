"""CSV and its relatives: cells as text, block by block, whatever else is in the file.

The header says the names. The delimiter (comma, tab, semicolon or bar) is the one that the header has most of. Rows with
more or fewer cells than the header are malformed; a quote that is never closed costs its row and no other.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from ridgeline.io.errors import InputError
from ridgeline.io.tables.content import LONGEST, Content
from ridgeline.io.tables.reading import CELLS, Told, Want

DELIMITERS: Final = ",\t;|"
WIDEST: Final = 2000  # columns; Arrow's reader takes 25 us and 8 kB a block for each
CELL: Final = pa.binary()  # what is no UTF-8 is no reason to lose a name
REPEATED: Final = pa.dictionary(pa.int32(), pa.binary())


def read(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of the wanted columns, as text."""
    newline = b"\r" if b"\r" in content.head and b"\n" not in content.head else b"\n"
    table: _Table | None = None
    for lines, dropped in content.blocks(newline=newline, quotes=True):
        block = lines
        if table is None:
            if dropped:
                raise InputError(f"{content.path}: its first line is longer than {LONGEST >> 20} MiB")
            end = _header_end(block, newline)
            header, block = block[:end], block[end:]
            table = _Table(header, block, want, told)
        else:
            told.malformed(dropped)
        if block:
            yield from table.batches(block)


class _Table:
    """The columns of one file that are wanted, by their places."""

    def __init__(self, header: bytes, sample: bytes, want: Want, told: Told) -> None:
        """`sample`: the first rows, which show what columns hold."""
        self._delimiter = _delimiter(header)
        self._told = told
        names = next(iter(_records(header, self._delimiter)), [])
        self._count = len(names)
        kinds = self._kinds(sample)
        wanted = want(pa.schema([pa.field(name, kinds.get(str(at), pa.null())) for at, name in enumerate(names)]))
        self._places = wanted.places
        self._names = [names[place] for place in wanted.places]
        self._types = {
            str(place): REPEATED if repeated else CELL
            for place, repeated in zip(wanted.places, wanted.repeated, strict=True)
        }

    def batches(self, block: bytes) -> Iterator[pa.RecordBatch]:
        """The rows of a block of whole lines."""
        if len(self._places) > WIDEST:
            yield from self._cells(_records(block, self._delimiter))
            return
        odd: list[str] = []

        def skip(row: arrow_csv.InvalidRow) -> str:
            odd.append(row.text)
            return "skip"

        table = arrow_csv.read_csv(
            pa.py_buffer(block),
            read_options=self._reading(block),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=self._types,
                include_columns=list(self._types),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
        yield from table.rename_columns(self._names).combine_chunks().to_batches()
        if odd:
            yield from self._rest(odd)

    def _rest(self, odd: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Count malformed rows; of those that an open quote made of several lines, read the others one by one."""
        self._told.malformed(len(odd))
        lines = [line for text in odd for line in text.splitlines()[1:]]
        found = [next(iter(_records(line.encode(), self._delimiter)), []) for line in lines]
        rows = [row for row in found if row]
        good = [row for row in rows if len(row) == self._count]
        self._told.malformed(len(rows) - len(good))
        if good:
            columns = [pa.array([row[place].encode() or None for row in good], CELL) for place in self._places]
            yield pa.RecordBatch.from_arrays(columns, names=self._names)

    def _cells(self, rows: Iterator[list[str]]) -> Iterator[pa.RecordBatch]:
        """Very wide rows: all cells of a row as one list."""
        good = []
        for row in rows:
            if len(row) == self._count:
                good.append(row)
            elif row:
                self._told.malformed()
        if good:
            cells = pa.array([cell.encode() or None for cell in chain.from_iterable(good)], CELL)
            yield pa.RecordBatch.from_arrays([pa.FixedSizeListArray.from_arrays(cells, self._count)], names=[CELLS])

    def _kinds(self, sample: bytes) -> dict[str, pa.DataType]:
        """What Arrow takes the first rows' columns for, by their places; text where it cannot tell."""
        if self._count > WIDEST or not sample:
            return {}
        try:
            table = arrow_csv.read_csv(
                pa.py_buffer(sample),
                read_options=self._reading(sample),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=lambda _: "skip"
                ),
            )
        except pa.ArrowInvalid:
            return dict.fromkeys(map(str, range(self._count)), pa.string())
        return {field.name: field.type for field in table.schema}

    def _reading(self, block: bytes) -> arrow_csv.ReadOptions:
        """One piece, whatever is in it: nothing may straddle."""
        return arrow_csv.ReadOptions(column_names=[str(at) for at in range(self._count)], block_size=len(block) + 1)


def _header_end(block: bytes, newline: bytes) -> int:
    """The place behind the header, which may have line feeds within quotes."""
    end = 0
    while (found := block.find(newline, end)) >= 0:
        end = found + 1
        if block.count(b'"', 0, end) % 2 == 0:
            return end
    return len(block)


def _delimiter(header: bytes) -> str:
    outside = b"".join(header.split(b'"')[::2]).decode(errors="replace")
    return max(DELIMITERS, key=outside.count)


def _records(data: bytes, delimiter: str) -> Iterator[list[str]]:
    """Rows by Python's reader, which takes any number of columns; a field that never ends ends its row."""
    rows = csv.reader(io.StringIO(data.decode(errors="backslashreplace"), newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            row = [""]  # of one cell: malformed
        yield row
