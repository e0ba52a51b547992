"""msgpack, as much of it as Graphite writes: arrays, maps, texts, numbers, nil. Every length is held against what is there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.tables.content import Content, CutOff
from ridgeline.io.tables.graphite import rendered
from ridgeline.io.tables.reading import Told, Want

LARGEST: Final = 256 << 20  # bytes of one file, which is held in memory
DEEPEST: Final = 16
SIMPLE: Final = {0xC0: None, 0xC2: False, 0xC3: True}
NUMBERS: Final = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
TEXTS: Final = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
ARRAYS: Final = {0xDC: ">H", 0xDD: ">I"}
MAPS: Final = {0xDE: ">H", 0xDF: ">I"}


def read(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:  # noqa: ARG001 - as all readers
    """The points of a file that Graphite rendered."""
    data, fault = content.whole(LARGEST, "render it in parts, or as JSON")
    yield from rendered(_maps(data, content.path, told, fault), told)


def _maps(data: bytes, path: str, told: Told, fault: CutOff | None) -> Iterator[dict[str, Any]]:
    """The maps of the array, as far as it can be read; `fault`: why the bytes may not be all."""
    cursor = _Cursor(data)
    try:
        for _ in range(cursor.array()):
            item = cursor.value()
            yield item if isinstance(item, dict) else {}
    except (ValueError, struct.error) as error:
        fault = fault or CutOff(f"{path}: damaged or cut off at byte {cursor.at:,}, the rest is left out: {error}")
    if fault is not None:
        told.lost(path, str(fault))


class _Cursor:
    """Where reading stands. Raises ValueError or struct.error where the bytes are no such thing."""

    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data

    def array(self) -> int:
        """The length of the array that begins here."""
        head = self._head()
        return head & 15 if 0x90 <= head <= 0x9F else self._number(ARRAYS[head])

    def value(self, depth: int = 0) -> Any:
        """The value that begins here."""
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        head = self._head()
        if head <= 0x7F or head >= 0xE0:
            return head if head <= 0x7F else head - 256
        if head in SIMPLE:
            return SIMPLE[head]
        if head in NUMBERS:
            return self._number(NUMBERS[head])
        if head <= 0x8F or head in MAPS:
            length = self._length(head & 15 if head <= 0x8F else self._number(MAPS[head]))
            return {self._key(depth): self.value(depth + 1) for _ in range(length)}
        if head <= 0x9F or head in ARRAYS:
            length = self._length(head & 15 if head <= 0x9F else self._number(ARRAYS[head]))
            return [self.value(depth + 1) for _ in range(length)]
        if head <= 0xBF or head in TEXTS:
            return self._text(head & 31 if head <= 0xBF else self._number(TEXTS[head]))
        raise ValueError(f"no value begins with {head:#x}")

    def _key(self, depth: int) -> str:
        return str(self.value(depth + 1))

    def _head(self) -> int:
        self.at += self._length(1)
        return self._data[self.at - 1]

    def _number(self, form: str) -> Any:
        (number,) = struct.unpack_from(form, self._data, self.at)
        self.at += struct.calcsize(form)
        return number

    def _text(self, length: int) -> str:
        self.at += self._length(length)
        return self._data[self.at - length : self.at].decode(errors="backslashreplace")

    def _length(self, length: int) -> int:
        """The length, if so many bytes are left: every item takes at least one."""
        if length > len(self._data) - self.at:
            raise ValueError("it ends too early")
        return length
