"""Whether the names of a fleet are still those that are known: their number, and a look at one part of them per run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import InvalidResponse, ResponseError

from ridgeline.io.redis.clock import clock_skew
from ridgeline.io.redis.explain import explain, explained, is_refusal
from ridgeline.io.redis.listing import LONGEST, PAGE, Page, ask_page
from ridgeline.io.redis.tails import Refused

if TYPE_CHECKING:
    from ridgeline.io.redis.source import RedisSource

SPARSEST: Final = (
    20  # places of a set that are looked through for each of its names, at most: Redis fills a tenth at least
)
SHARE: Final = 0.25  # of the time left, which a look may take
_CURSORS: Final = 2**64


@dataclass(frozen=True, slots=True)
class Glance:
    """`count`: how many names there are. `keys`: some of them, as keys; `cursor`: where the next look goes on."""

    count: int
    cursor: int
    keys: list[bytes]


def glance(source: RedisSource, key: str, cursor: int, size: int) -> Glance:
    """Count the members of the set `key` and look at `size` of them from `cursor` on, or all; the first begins with 0.

    Looks at a tenth of them in each of ten runs see every member that is there all the while, from wherever the first
    began. Ours and Redis' clocks are compared as in a listing. Raises Refused where the server does not count, and
    SourceUnavailable or AuthenticationFailed.
    """
    with explained(source.settings):
        source.clock_skew = None if source.now is None else clock_skew(source.client, source.now)
        count = _count(source, key)
        page_of = ask_page(source.client, key)
        left = source.deadline or (lambda: inf)
        return Glance(count, *_look(page_of, cursor if 0 <= cursor < _CURSORS else 0, size, left))


def _count(source: RedisSource, key: str) -> int:
    """How many members the set has."""
    try:
        count: Any = source.client.scard(key)
    except ResponseError as error:
        if not is_refusal(error):
            raise
        raise Refused(str(explain(error, source.settings))) from error
    if not isinstance(count, int) or count < 0:
        raise InvalidResponse("SCARD was not answered by a number")
    return int(count)


def _look(page_of: Page, cursor: int, size: int, left: Callable[[], float]) -> tuple[int, list[bytes]]:
    """(where it ended, keys): page by page, beyond the end from the beginning, until there are enough or all were seen.

    A server so slow that this takes long is looked at again by the next run.
    """
    keys: list[bytes] = []
    whole, looked, end = cursor == 0, 0, (1 - SHARE) * left()
    while len(keys) < size and looked < SPARSEST * size + PAGE and left() >= end:
        count = min(PAGE, size)
        cursor, page = page_of(cursor, count)
        looked += count
        keys += [name for name in page if len(name) <= LONGEST]
        if cursor == 0:
            if whole:
                break
            whole = True
    return cursor, keys
