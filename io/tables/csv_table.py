"""The rows of CSV, by Arrow's parser: numbers as such while they are some. Very wide ones by Python's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

import pyarrow as pa
from pyarrow import csv as arrow_csv

from ridgeline.io.errors import InputError
from ridgeline.io.tables.csv_rows import mended, records
from ridgeline.io.tables.reading import CELLS, NUMBERS, TEXTS, Told, Want

DELIMITERS: Final = ",\t;|"
MOST: Final = 2_000_000  # columns; beyond, names alone would fill memory
FRUITLESS: Final = 1_000_000  # malformed rows before the first good one, after which no other is awaited
WIDEST: Final = 2000  # columns; Arrow's reader takes 25 us and 8 kB a block for each
CELL: Final = pa.binary()  # not checked again
REPEATED: Final = pa.dictionary(pa.int32(), pa.binary())
NUMERIC: Final = frozenset({pa.int64(), pa.float64()})
MISSES: Final = 3  # blocks in which some number was none, after which all are taken for text
SAMPLE: Final = 100  # rows that show what the columns of very wide tables hold


class CsvTable:
    """The columns of one file that are wanted, by their places."""

    def __init__(self, path: str, header: bytes, sample: bytes, want: Want, told: Told) -> None:
        """`sample`: the first rows, which show what columns hold."""
        self._path = path
        self._delimiter = delimiter_of(header)
        if header.count(self._delimiter.encode()) >= MOST:
            raise InputError(f"{path}: it has more than {MOST:,} columns: give a point a row")
        self._told = told
        self._good = self._bad = 0  # rows
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
        """The rows of a block of whole lines. Raises InputError where ever so many rows were malformed, and all of them."""
        for batch in self._batches(block):
            self._good += batch.num_rows
            yield batch
        if self._bad >= FRUITLESS:
            self.check()

    def check(self) -> None:
        """Raise InputError where all rows were malformed."""
        if self._bad and not self._good:
            raise InputError(
                f"{self._path}: not one of its {self._bad:,} rows has {self._count:,} cells, as the header has; what has a "
                f"'{self._delimiter}' in it must be in quotes"
            )

    def _batches(self, block: bytes) -> Iterator[pa.RecordBatch]:
        if len(self._places) > WIDEST:
            yield from self._cells(records(block, self._delimiter))
            return
        table = self._parsed(block)
        if table is None:
            block, bad = mended(block, self._delimiter, self._count)
            self._malformed(bad)
            table = self._parsed(block)
        if table is None:
            self._malformed(block.count(b"\n"))
        else:
            yield from table.rename_columns(self._names).combine_chunks().to_batches()

    def _malformed(self, rows: int) -> None:
        self._bad += rows
        self._told.malformed(rows)

    def _parsed(self, block: bytes) -> pa.Table | None:
        """The rows, numbers as such as long as all are some, which takes half the time; None where some row is malformed."""
        for types in (self._typed, self._texts) if self._misses < MISSES else (self._texts,):
            try:
                table = self._parsed_as(block, types)
            except pa.ArrowInvalid:
                continue
            self._misses += types is self._texts
            return table
        return None

    def _parsed_as(self, block: bytes, types: dict[str, pa.DataType]) -> pa.Table:
        return arrow_csv.read_csv(
            pa.py_buffer(block),
            read_options=self._reading(block),
            parse_options=self._form(),
            convert_options=arrow_csv.ConvertOptions(
                column_types=types,
                include_columns=list(types),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )

    def _cells(self, rows: Iterator[list[str]]) -> Iterator[pa.RecordBatch]:
        """Very wide rows: all cells of a row as one list."""
        good = []
        for row in rows:
            if len(row) == self._count:
                good.append(row)
            elif row:
                self._malformed(1)
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
            table = self._as_found(sample)
        except pa.ArrowInvalid:
            try:
                table = self._as_found(mended(sample, self._delimiter, self._count)[0])
            except pa.ArrowInvalid:
                return dict.fromkeys(map(str, range(self._count)), pa.string())
        return {field.name: field.type for field in table.schema}

    def _as_found(self, sample: bytes) -> pa.Table:
        """In the types that Arrow takes cells for."""
        return arrow_csv.read_csv(pa.py_buffer(sample), read_options=self._reading(sample), parse_options=self._form())

    def _form(self) -> arrow_csv.ParseOptions:
        """Without a handler of malformed rows: Arrow would ask Python on a thread of its own, at its end for ever."""
        return arrow_csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True)

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
