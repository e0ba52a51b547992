"""Commands as the bytes that Redis' protocol frames them in, page by page.

Whole fleets of names are written in every run, and the client library's own packing costs more than making what is packed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

from ridgeline.io.redis.pages import PAGE


@runtime_checkable
class Framed(Protocol):
    """Words that frame themselves, many at once."""

    def __iter__(self) -> Iterator[str]:
        """Each word as text."""
        ...

    def framed(self, most: int) -> Iterator[tuple[int, bytes]]:
        """(how many, their bytes), `most` at a time at the most."""
        ...


def frame(*words: str) -> bytes:
    r"""One command.

    >>> frame("SADD", "key", "a")
    b'*3\r\n$4\r\nSADD\r\n$3\r\nkey\r\n$1\r\na\r\n'
    """
    return b"*%d\r\n" % len(words) + bulks(words)


def mget(keys: Sequence[bytes]) -> bytes:
    r"""MGET of keys.

    >>> mget([b"a"])
    b'*2\r\n$4\r\nMGET\r\n$1\r\na\r\n'
    """
    return b"*%d\r\n$4\r\nMGET\r\n" % (1 + len(keys)) + b"".join([b"$%d\r\n%b\r\n" % (len(key), key) for key in keys])


def pages(command: str, key: str, words: Iterable[str]) -> Iterator[bytes]:
    """The command with all the words, a page of members or fields at a time; none where there are no words.

    HSET has fields and their texts in turn.
    """
    size = 2 * PAGE if command == "HSET" else PAGE
    head = bulks((command, key))
    for count, framed in words.framed(size) if isinstance(words, Framed) else _framed(words, size):
        yield b"*%d\r\n%b%b" % (2 + count, head, framed)


def _framed(words: Iterable[str], most: int) -> Iterator[tuple[int, bytes]]:
    rest = iter(words)
    while page := [*islice(rest, most)]:
        yield len(page), bulks(page)


def bulks(words: Sequence[str]) -> bytes:
    """The words; all at once where they have as many bytes as characters, as nearly all do."""
    framed = "".join([f"${len(word)}\r\n{word}\r\n" for word in words])
    return framed.encode("ascii") if framed.isascii() else b"".join([_bulk(word) for word in words])


def _bulk(word: str) -> bytes:
    """The word; what was read from Redis with `surrogateescape` is sent as the bytes it was."""
    octets = word.encode("utf-8", "surrogateescape")
    return b"$%d\r\n%b\r\n" % (len(octets), octets)
