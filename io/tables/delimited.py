"""CSV and its relatives: cells as text, block by block, whatever else is in the file.

The header says the names. The delimiter (comma, tab, semicolon or bar) is the one that the header has most of. Rows with
more or fewer cells than the header are malformed; a quote that is never closed costs its row and no other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from ridgeline.io.errors import InputError
from ridgeline.io.parquet.waiting import ahead
from ridgeline.io.tables.content import LONGEST, Content
from ridgeline.io.tables.csv_table import CsvTable
from ridgeline.io.tables.reading import Told, Want


def read(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of the wanted columns, as text."""
    newline = b"\r" if b"\r" in content.head and b"\n" not in content.head else b"\n"
    table: CsvTable | None = None
    # Unpacking, parsing and making points go on at once; who asks for batches has a bound on the wait.
    for lines, dropped in ahead(content.blocks(newline=newline, quotes=True), None, content.path):
        block = _utf8(lines)
        if table is None:
            if dropped:
                raise InputError(f"{content.path}: its first line is longer than {LONGEST >> 20} MiB")
            end = _header_end(block, newline)
            header, block = block[:end], block[end:]
            table = CsvTable(content.path, header, block, want, told)
        else:
            told.malformed(dropped)
        if block:
            yield from table.batches(block)
    if table is not None:
        table.check()


def _utf8(block: bytes) -> bytes:
    """The same, what is no UTF-8 shown as escapes: names stay apart, and Arrow cannot hand over rows with such bytes."""
    if block.isascii():
        return block
    return block.decode(errors="backslashreplace").encode()


def _header_end(block: bytes, newline: bytes) -> int:
    """The place behind the header, which may have line feeds within quotes."""
    end = 0
    while (found := block.find(newline, end)) >= 0:
        end = found + 1
        if block.count(b'"', 0, end) % 2 == 0:
            return end
    return len(block)
