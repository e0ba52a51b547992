"""A JSON array, item by item, however long it is: objects as rows, or series as Graphite renders them."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.errors import InputError
from ridgeline.io.tables.content import LONGEST, Content, CutOff
from ridgeline.io.tables.graphite import is_rendered, rendered
from ridgeline.io.tables.json_lines import SAMPLE, Records
from ridgeline.io.tables.reading import Told, Want

ROWS: Final = 1 << 16  # objects in a batch
BETWEEN: Final = " \t\r\n,"


def read(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of the wanted columns, or of points where the items are series."""
    found = _objects(_items(content, told), told)
    sample = list(islice(found, SAMPLE))
    if not sample:
        raise InputError(f"{content.path}: not one item of its JSON array is an object")
    items = chain(sample, found)
    if is_rendered(sample[0]):
        yield from rendered(items, told)
        return
    records = Records(sample, want, told)
    while batch := list(islice(items, ROWS)):
        yield from records.of(batch)


def _objects(items: Iterable[Any], told: Told) -> Iterator[dict[str, Any]]:
    for item in items:
        if isinstance(item, dict):
            yield item
        else:
            told.malformed()


def _items(content: Content, told: Told) -> Iterator[Any]:
    """The items of the array, as far as it can be read."""
    decoder = json.JSONDecoder()
    pieces = codecs.iterdecode(content.pieces(), "utf-8", errors="surrogateescape")
    waiting, at = next(pieces, "").lstrip().removeprefix("["), 0
    while True:
        while at < len(waiting) and waiting[at] in BETWEEN:
            at += 1
        if waiting.startswith("]", at):
            return
        try:
            item, end = decoder.raw_decode(waiting, at)
        except RecursionError:
            told.lost(
                content.path, f"{content.path}: an item of its JSON array is nested too deeply, the rest is left out"
            )
            return
        except ValueError:
            end = len(waiting)
        if end < len(waiting):  # a number at the very end may go on
            yield item
            at = end
            continue
        try:
            piece = next(pieces, "")
        except CutOff as error:
            told.lost(content.path, str(error))
            return
        if not piece or len(waiting) - at > LONGEST:
            told.lost(content.path, f"{content.path}: its JSON array has no end, or is no JSON; the rest is left out")
            return
        waiting, at = waiting[at:] + piece, 0
