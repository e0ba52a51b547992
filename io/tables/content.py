"""The content of a file from its front, no longer compressed: in pieces, or in blocks of whole lines. Memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.parquet.listing import first_line, refuse_special
from ridgeline.io.tables.formats import BOM, codec_of
from ridgeline.io.tables.unpacked import UNPACKERS, Unpacked

HEAD: Final = 64 << 10  # bytes that a format is judged by
BLOCK: Final = 8 << 20  # bytes of whole lines read at a time
LONGEST: Final = 64 << 20  # bytes of one line; longer ones are malformed
MARK: Final = 16
STEP: Final = 4 << 10  # bytes unpacked at a time: so many at most are lost where the packed ones are damaged


class CutOff(InputError):  # noqa: N818 - reads as the sentence it is
    """The rest of a file cannot be read; what came before it can."""


class Content:
    """What is in one file. `head` is its beginning; reading starts there.

    Where a file is `growing`, its last line counts as not yet written unless it is ended.
    """

    def __init__(self, path: str, filesystem: Any = None, *, growing: bool = False) -> None:
        """Open it. Raises InputError for what is no regular file, or may not be read."""
        self.path = path
        self.filesystem = filesystem
        self._remote = filesystem is not None
        self._growing = growing
        if not self._remote:
            refuse_special(path)
        with self._telling():
            raw = pa.OSFile(path) if filesystem is None else filesystem.open_input_file(path)
            self.size = raw.size()
            self.codec = codec_of(raw.read(MARK))
            raw.seek(0)
            self.raw = raw
            self._stream = Unpacked(raw, self.codec) if self.codec and self.codec in UNPACKERS else self.file()
            self._step = STEP if isinstance(self._stream, pa.CompressedInputStream) else BLOCK
        self._done = 0
        self._failure: Exception | None = None
        self.head = self._read(HEAD)
        self._kept = self.head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.raw.close()

    def file(self) -> Any:
        """All of it as Arrow's file, no longer compressed, to be read once from the front."""
        self.raw.seek(0)
        return self.raw if self.codec is None else pa.CompressedInputStream(self.raw, self.codec)

    def read(self) -> bytes:
        """The next bytes, none at the end. Raises CutOff where they cannot be read."""
        if self._kept:
            kept, self._kept = self._kept, b""
            return kept
        return self._read(BLOCK)

    def pieces(self) -> Iterator[bytes]:
        """All of it, in pieces."""
        while piece := self.read():
            yield piece

    def whole(self, most: int, remedy: str) -> tuple[bytes, CutOff | None]:
        """All of it at once, as far as it can be read, and what keeps the rest from being read.

        Raises InputError, with what to do, for more than `most` bytes.
        """
        data = bytearray()
        try:
            for piece in self.pieces():
                data += piece
                if len(data) > most:
                    raise InputError(f"{self.path}: it holds more than {most >> 20} MiB; {remedy}")
        except CutOff as error:
            return bytes(data), error
        return bytes(data), None

    def blocks(self, *, newline: bytes = b"\n", quotes: bool = False) -> Iterator[tuple[bytes, int]]:
        """(whole lines, lines that were left out before them because they are too long).

        With `quotes`, a line goes on where it ends within quotes; a quote that is never closed again ends its line.
        """
        waiting, dropped, within = b"", 0, False
        for piece in self.pieces():
            text = waiting + piece
            if within:  # a line that is too long
                _, found, text = text.partition(newline)
                within = not found
            while not within:
                end = _end_of_lines(text, newline, quotes=quotes)
                if end or len(text) <= LONGEST:
                    break
                _, found, text = text.partition(newline)
                dropped += 1
                within = not found
            if within:
                waiting = b""
                continue
            for block in _pieces(text[:end], newline, quotes=quotes):
                yield block, dropped
                dropped = 0
            waiting = text[end:]
        if self._growing:
            waiting = b""
        if waiting or dropped:
            yield waiting, dropped

    def _read(self, size: int) -> bytes:
        """So many bytes, or fewer: what stands before a fault comes first, the fault with the next call."""
        with self._telling():
            parts = self._parts(size) if self._failure is None else []
            if not parts and self._failure is not None:
                raise self._failure
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        first = not self._done
        self._done += len(data)
        return data.removeprefix(BOM) if first else data

    def _parts(self, size: int) -> list[bytes]:
        parts: list[bytes] = []
        while size:
            try:
                part = self._stream.read(min(self._step, size))
            except (pa.ArrowException, OSError, ValueError) as error:
                self._failure = error
                break
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return parts

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what reading raises into one sentence."""
        try:
            yield
        except FileNotFoundError as error:
            raise InputError(f"{self.path}: no such file") from error
        except PermissionError as error:
            raise InputError(f"{self.path}: cannot be read: permission denied") from error
        except (pa.ArrowException, OSError, ValueError) as error:
            if self._remote and isinstance(error, OSError):
                raise SourceUnavailable(f"{self.path}: cannot be reached: {first_line(error)}") from error
            done = getattr(self, "_done", 0)
            raise CutOff(
                f"{self.path}: it is cut off or damaged, nothing can be read beyond {done:,} bytes: {first_line(error)}"
            ) from error


def _pieces(text: bytes, newline: bytes, *, quotes: bool) -> Iterator[bytes]:
    """Whole lines, where many of them waited for the end of a quote that never came: not all at once."""
    while len(text) > 2 * BLOCK:
        end = _end_of_lines(text[:BLOCK], newline, quotes=quotes)
        if not end:
            break
        yield text[:end]
        text = text[end:]
    if text:
        yield text


def _count(text: bytes, end: int) -> int:
    """Quotes before a place; where there are many, three times as fast as `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8, end) == ord('"')))


def _end_of_lines(text: bytes, newline: bytes, *, quotes: bool) -> int:
    """The place behind the last whole line; 0 where there is none."""
    end = text.rfind(newline) + 1
    if quotes and end and _count(text, end) % 2:  # it ends within quotes: the last quote opens them
        end = text.rfind(newline, 0, text.rfind(b'"', 0, end)) + 1
    return end
