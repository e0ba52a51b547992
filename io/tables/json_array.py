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
    pieces = _Pieces(content)
    waiting, at = pieces.take(1).lstrip().removeprefix("["), 0
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
        waiting, at = waiting[at:], 0
        # Twice as much: an item of many pieces is not tried with each of them.
        more = pieces.take(min(len(waiting), LONGEST - len(waiting)))
        if not more or len(waiting) + len(more) > LONGEST:
            told.lost(
                content.path,
                pieces.fault or f"{content.path}: its JSON array has no end, or is no JSON; the rest is left out",
            )
            return
        waiting += more


class _Pieces:
    """The text of a file from its front; `fault` says why it ends too early."""

    def __init__(self, content: Content) -> None:
        self.fault = ""
        self._pieces = codecs.iterdecode(content.pieces(), "utf-8", errors="surrogateescape")

    def take(self, size: int) -> str:
        """So many characters or some more; fewer at the end."""
        parts: list[str] = []
        taken = 0
        while taken < size or not parts:
            try:
                part = next(self._pieces, "")
            except CutOff as error:
                self.fault, part = str(error), ""
            if not part:
                break
            parts.append(part)
            taken += len(part)
        return "".join(parts)
