"""Rows of CSV apart: those of too many or too few cells are malformed and left out, and what is left can be parsed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

import numpy as np

NEWLINES: Final = np.frombuffer(b"\n\r", np.uint8)


def mended(block: bytes, delimiter: str, cells: int) -> tuple[bytes, int]:
    """The rows of a block that have so many cells, as CSV; and how many others there are, blank ones left aside."""
    return _requoted(block, delimiter, cells) if b'"' in block else _even(block, delimiter, cells)


def _even(block: bytes, delimiter: str, cells: int) -> tuple[bytes, int]:
    """Without quotes: a line is a row, and has one cell more than delimiters."""
    octets = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(np.isin(octets, NEWLINES)) + 1
    if not len(ends) or ends[-1] < len(octets):
        ends = np.append(ends, len(octets))
    starts = np.append(0, ends[:-1])
    delimiters = np.searchsorted(np.flatnonzero(octets == ord(delimiter)), np.append(0, ends))
    blank = (ends - starts == 1) & np.isin(octets[starts], NEWLINES)
    bad = (np.diff(delimiters) != cells - 1) & ~blank
    return octets[np.repeat(~bad, ends - starts)].tobytes(), int(bad.sum())


def _requoted(block: bytes, delimiter: str, cells: int) -> tuple[bytes, int]:
    """With quotes: where one is not closed, or in the middle of a cell, each line is looked at alone."""
    lines = list(io.StringIO(block.decode(), newline=""))
    good = io.StringIO()
    write = csv.writer(good, delimiter=delimiter, lineterminator="\n").writerow
    bad = 0
    for row, first, last in _spans(lines, delimiter):
        alone = (next(records(line.encode(), delimiter), []) for line in lines[first:last])
        for one in alone if row is None else [row]:
            if len(one) == cells:
                write(one)
            else:
                bad += bool(one)
    return good.getvalue().encode(), bad


def _spans(lines: list[str], delimiter: str) -> Iterator[tuple[list[str] | None, int, int]]:
    """Each row, None where its quotes are not as they should be; and its lines, from the first to before the last."""
    rows = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    while True:
        first = rows.line_num
        try:
            yield next(rows), first, rows.line_num
        except StopIteration:
            return
        except csv.Error:
            yield None, first, rows.line_num


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
