"""The rows of CSV: by Arrow's parser, its numbers as such while they are; by Python's, where rows are odd or very wide."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from ridgeline.io.tables.reading import CELLS, NUMBERS, TEXTS, Told, Want

DELIMITERS: Final = ",\t;|"
WIDEST: Final = 2000  # columns; Arrow's reader takes 25 us and 8 kB a block for each
CELL: Final = pa.binary()  # not checked again
REPEATED: Final = pa.dictionary(pa.int32(), pa.binary())
NUMERIC: Final = frozenset({pa.int64(), pa.float64()})
MISSES: Final = 3  # blocks in which some number was none, after which all are taken for text
SAMPLE: Final = 100  # rows that show what the columns of very wide tables hold


class CsvTable:
    """The columns of one file that are wanted, by their places."""

    def __init__(self, header: bytes, sample: bytes, want: Want, told: Told) -> None:
        """`sample`: the first rows, which show what columns hold."""
        self._delimiter = delimiter_of(header)
        self._told = told
        names = next(iter(records(header, self._delimiter)), [])
        self._count = len(names)
        kinds = self._kinds(sample)
        wanted = want(pa.schema([pa.field(name, kinds.get(str(at), pa.null())) for at, name in enumerate(names)]))
        self._places = wanted.places
        self._names = [names[place] for place in wanted.places]
        self._texts: dict[str, pa.DataType] = {}
        self._typed: dict[str, pa.DataType] = {}
        self._misses = 0
        for place, looked_for in zip(wanted.places, wanted.kinds, strict=True):
            self._texts[str(place)] = REPEATED if looked_for == TEXTS else CELL
            self._typed[str(place)] = _typed(looked_for, kinds.get(str(place), CELL))

    def batches(self, block: bytes) -> Iterator[pa.RecordBatch]:
        """The rows of a block of whole lines."""
        if len(self._places) > WIDEST:
            yield from self._cells(records(block, self._delimiter))
            return
        table, odd = self._parsed(block)
        yield from table.rename_columns(self._names).combine_chunks().to_batches()
        if odd:
            yield from self._rest(odd)

    def _parsed(self, block: bytes) -> tuple[pa.Table, list[str]]:
        """The rows, and those that are malformed: with numbers as such as long as all are, which takes half the time."""
        if self._misses < MISSES:
            try:
                return self._parsed_as(block, self._typed)
            except pa.ArrowInvalid:
                self._misses += 1
        return self._parsed_as(block, self._texts)

    def _parsed_as(self, block: bytes, types: dict[str, pa.DataType]) -> tuple[pa.Table, list[str]]:
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
                column_types=types,
                include_columns=list(types),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
        return table, odd

    def _rest(self, odd: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Count malformed rows; of those that an open quote made of several lines, read the others one by one."""
        self._told.malformed(len(odd))
        lines = [line for text in odd for line in text.split("\n")[1:]]
        found = [next(iter(records(line.encode(), self._delimiter)), []) for line in lines]
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
        """What the first rows' columns hold, by their places; text where that cannot be told."""
        if not sample:
            return {}
        if self._count > WIDEST:
            rows = [row for row in islice(records(sample, self._delimiter), SAMPLE) if len(row) == self._count]
            columns = enumerate(zip(*rows, strict=True))
            return {str(at): pa.float64() if all(map(_is_number, cells)) else pa.string() for at, cells in columns}
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


def _typed(looked_for: str, held: pa.DataType) -> pa.DataType:
    """The type to read a column as, at first: values that look like numbers as such, whole or not."""
    if looked_for == TEXTS:
        return REPEATED
    if held not in NUMERIC:
        return CELL
    return pa.float64() if looked_for == NUMBERS else held


def _is_number(cell: str) -> bool:
    try:
        float(cell or 0)
    except ValueError:
        return False
    return True


def delimiter_of(header: bytes) -> str:
    """The delimiter that a header has most of."""
    outside = b"".join(header.split(b'"')[::2]).decode(errors="replace")
    return max(DELIMITERS, key=outside.count)


def records(data: bytes, delimiter: str) -> Iterator[list[str]]:
    """Rows by Python's reader, which takes any number of columns; a field that never ends ends its row."""
    rows = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            row = [""]  # of one cell: malformed
        yield row
