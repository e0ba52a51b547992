"""The names of a fleet: the members of the unique set, page by page, each once, with an end whatever the server does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import InvalidResponse
from redis.exceptions import TimeoutError as SilentError

if TYPE_CHECKING:
    import redis

PAGE: Final = 5000  # names per SSCAN
LONGEST: Final = 65_536  # bytes of a name; longer ones are left out
MOST: Final = 5_000_000  # names; what comes after them is left out
STUCK: Final = 1000  # pages in a row without a new name: the server goes in circles

Page = Callable[[int, int], tuple[int, list[bytes]]]
"""`page_of(cursor, count) -> (next cursor, names)`; both cursors 0 at the ends."""


@dataclass(slots=True)
class Listing:
    """The members found. `incomplete` says why some are missing; `broken_off`: because not all pages were read."""

    names: set[bytes] = field(default_factory=set)
    incomplete: str | None = None
    broken_off: bool = False
    _idle: int = 0
    _oversized: int = 0

    def add(self, page: list[bytes]) -> None:
        """Take in a page; `incomplete` says afterwards if no other is wanted."""
        before = len(self.names)
        if max(map(len, page), default=0) > LONGEST:
            fitting = [name for name in page if len(name) <= LONGEST]
            self._oversized += len(page) - len(fitting)
            page = fitting
        self.names.update(page)
        self._idle = 0 if len(self.names) > before else self._idle + 1
        if len(self.names) > MOST:
            self.incomplete = f"there are more than {MOST:,} names"
        elif self._idle >= STUCK:
            self.incomplete = f"the server goes in circles, it gave {STUCK:,} pages without a new name"

    def end(self) -> None:
        """Say what was left out of pages, if nothing graver was."""
        self.broken_off = self.incomplete is not None
        if self._oversized and self.incomplete is None:
            self.incomplete = f"{self._oversized:,} names are longer than {LONGEST:,} bytes"


def list_names(client: redis.Redis, key: str, left: Callable[[], float]) -> Listing:
    """The members of the set `key`; those found so far when `left` tells no more seconds, or the server goes in circles.

    Raises redis.RedisError: InvalidResponse where an answer is no page of names.
    """
    listing = Listing()
    page_of, cursor = ask_page(client, key), -1
    try:
        while cursor != 0 and listing.incomplete is None:
            cursor, page = page_of(max(cursor, 0), PAGE)
            listing.add(page)
    except SilentError:
        if left() > 0 or not listing.names:
            raise
        listing.incomplete = f"the time for it was over after {len(listing.names):,} names"
    listing.end()
    return listing


def ask_page(client: redis.Redis, key: str) -> Page:
    """What asks for a page of the set `key`, given a cursor and a number of names, and returns the next cursor and names.

    It raises redis.RedisError: InvalidResponse where the answer is no page of names.
    """
    client.set_response_callback("SSCAN", _page)
    ask: Callable[..., tuple[int, list[bytes]]] = client.execute_command
    return lambda cursor, count: ask("SSCAN", key, cursor, "COUNT", count)


def _page(reply: Any, **_: Any) -> tuple[int, list[bytes]]:
    """(cursor, names) of an answer to SSCAN."""
    if not isinstance(reply, list) or len(reply) != 2:
        raise InvalidResponse("SSCAN was not answered by a cursor and a list")
    cursor, names = reply
    if not isinstance(cursor, bytes) or not cursor.isdigit() or len(cursor) > 20:
        raise InvalidResponse("SSCAN was answered with a cursor that is no number")
    if not isinstance(names, list) or not all(isinstance(name, bytes) for name in names):
        raise InvalidResponse("SSCAN was answered with names that are no texts")
    return int(cursor), names
