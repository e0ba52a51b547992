"""Standard output and error of a process of our own, whatever they are: closed, full, or a pipe that nobody reads."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from ridgeline.io.errors import OutputError


@contextlib.contextmanager
def sound_streams() -> Iterator[None]:
    """Make a result that cannot be printed an OutputError, and a remark that cannot be printed nothing at all.

    A pipe whose reader has gone stays a BrokenPipeError.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Result(before[0]), _Remarks(before[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def abandon(descriptor: int) -> None:
    """Let whatever is still to be written there vanish, so that the interpreter's last flush does not fail too."""
    with contextlib.suppress(OSError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, descriptor)
        if sink != descriptor:
            os.close(sink)


class _Stream(io.TextIOBase):
    """Stands in for a standard stream; Python has None for one that was closed."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether people are watching."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """The descriptor of the stream itself."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    @property
    def buffer(self) -> Any:
        """The bytes below."""
        return None if self._stream is None else self._stream.buffer


class _Result(_Stream):
    """Standard output: what cannot be written there has not been delivered."""

    def write(self, text: str) -> int:
        """Write, or raise OutputError."""
        if self._stream is None:
            raise OutputError("cannot write the result: standard output is closed")
        with self._told():
            return self._stream.write(text)

    def flush(self) -> None:
        """Flush, or raise OutputError."""
        if self._stream is not None:
            with self._told():
                self._stream.flush()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            abandon(1)
            raise OutputError(f"cannot write the result to standard output: {error.strerror or error}") from error


class _Remarks(_Stream):
    """Standard error: what cannot be said there is no reason to fail."""

    def write(self, text: str) -> int:
        """Write if that works."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush if that works."""
        if self._stream is not None:
            try:
                self._stream.flush()
            except OSError:
                abandon(2)
