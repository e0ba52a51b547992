"""Thrift's compact protocol, read only: what Parquet footers are written in.

Every length is held against the bytes that are left, so that damaged bytes cost an error and never memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
INTEGERS: Final = frozenset({I16, I32, I64})
LONG_LIST: Final = 15  # a list of this many items or more has its length in a number of its own
DEEPEST: Final = 32


class Compact:
    """A cursor over bytes. Raises ValueError where they are no such thing."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """(number, kind) of each field of a struct; the caller takes its `value`, `items` or `fields` before the next."""
        number = 0
        self._depth += 1
        if self._depth > DEEPEST:
            raise ValueError("nested too deeply")
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            yield number, head & 15
        self._depth -= 1

    def items(self) -> tuple[int, int]:
        """(length, kind) of a list; the caller takes as many values."""
        head = self._byte()
        length = head >> 4
        return self._length(self._varint() if length == LONG_LIST else length), head & 15

    def struct(self) -> dict[int, Any]:
        """A struct as field numbers and values."""
        return {number: self.value(kind) for number, kind in self.fields()}

    def value(self, kind: int) -> Any:
        """A field's value: bool, int, bytes, list or dict; None for doubles and maps, which no footer needs."""
        if kind in INTEGERS:
            return self._integer()
        if kind == BINARY:
            return self._bytes(self._length(self._varint()))
        if kind == STRUCT:
            return self.struct()
        if kind in {LIST, SET}:
            length, item = self.items()
            return [self._flag() if item in {TRUE, FALSE} else self.value(item) for _ in range(length)]
        return self._scarce(kind)

    def _scarce(self, kind: int) -> bool | int | None:
        """Values of the kinds that hardly occur."""
        if kind in {TRUE, FALSE}:
            return kind == TRUE
        if kind == BYTE:
            return self._byte()
        if kind == DOUBLE:
            self._bytes(8)
            return None
        if kind != MAP:
            raise ValueError(f"no value is of kind {kind}")
        length = self._length(self._varint())
        kinds = self._byte() if length else 0
        for _ in range(length):
            self.value(kinds >> 4)
            self.value(kinds & 15)
        return None

    def _flag(self) -> bool:
        return self._byte() == TRUE

    def _byte(self) -> int:
        if self._at >= len(self._data):
            raise ValueError("it ends too early")
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, length: int) -> bytes:
        self._at += self._length(length)
        return self._data[self._at - length : self._at]

    def _length(self, length: int) -> int:
        """The length, if so many bytes are left: every item takes at least one."""
        if length > len(self._data) - self._at:
            raise ValueError("it ends too early")
        return length

    def _varint(self) -> int:
        octet = self._byte()
        if octet < 0x80:  # as a rule
            return octet
        number, shift = octet & 0x7F, 7
        while (octet := self._byte()) >= 0x80:
            number |= (octet & 0x7F) << shift
            shift += 7
            if shift > 63:
                raise ValueError("a number has too many digits")
        return number | octet << shift

    def _integer(self) -> int:
        number = self._varint()
        return number >> 1 ^ -(number & 1)
