"""gzip and bzip2, unpacked as far as they go: of a file that is cut off or damaged, all that stands before the damage."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

PIECE: Final = 4 << 10  # packed bytes at a time: what is within a damaged piece is lost
GZIP: Final = 31  # zlib's number for gzip with its header


class Unpacked:
    """The content of a packed file, to be read from the front; members that follow one another are one content."""

    def __init__(self, raw: Any, codec: str) -> None:
        self._raw = raw
        self._new = UNPACKERS[codec]
        self._unpacker: Any = None
        self._left = b""  # packed bytes behind the last member
        self._ready = b""

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end. Raises ValueError where the packed bytes end too early, or are none."""
        while not self._ready:
            packed, self._left = self._left or self._raw.read(PIECE), b""
            if not packed:
                if self._unpacker is not None:
                    raise ValueError("it ends in the middle of packed data")
                return b""
            self._unpacker = self._unpacker or self._new()
            try:
                self._ready = self._unpacker.decompress(packed)
            except (zlib.error, OSError, EOFError, ValueError) as error:
                raise ValueError(f"packed data is damaged: {error}") from error
            if self._unpacker.eof:
                self._left, self._unpacker = self._unpacker.unused_data, None
        part, self._ready = self._ready[:size], self._ready[size:]
        return part


UNPACKERS: Final[Mapping[str, Callable[[], Any]]] = {
    "gzip": lambda: zlib.decompressobj(GZIP),
    "bz2": bz2.BZ2Decompressor,
}
