"""How much goes into one command: of keys, members and fields, a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")
PAGE: Final = 1000  # keys, members or fields per command


def cut(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items, a page at a time."""
    return (items[first : first + PAGE] for first in range(0, len(items), PAGE))
