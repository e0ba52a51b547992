"""Many sets and hashes looked through at once: a page of each of them to a round trip, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from redis.exceptions import ResponseError

from ridgeline.io.redis.explain import explain
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.text import encodable, escape

if TYPE_CHECKING:
    import redis

PAGE: Final = 20_000  # members or fields of a page: a set of a hundred thousand is half a dozen round trips
MOST: Final = 5_000_000  # of one key; what holds more is not looked through
WRONG_TYPE: Final = "WRONGTYPE"


class Members(Protocol):
    """A set that is to be looked through. `key` names it; `take` is given its members, a page at a time, some twice."""

    @property
    def key(self) -> str:
        """Its key."""
        ...

    def take(self, page: Sequence[str], /) -> None:
        """Look at a page of members."""
        ...


class Fields(Protocol):
    """The same of a hash."""

    @property
    def key(self) -> str:
        """Its key."""
        ...

    def take(self, page: Mapping[str, str], /) -> None:
        """Look at a page of fields with their texts."""
        ...


class Alike(Protocol):
    """A set that holds nearly what the set `other` does."""

    @property
    def key(self) -> str:
        """Its key."""
        ...

    @property
    def other(self) -> str:
        """The key that it is compared with."""
        ...

    def differ(self, lacking: Sequence[str], extra: Sequence[str], /) -> None:
        """Know what it lacks of the other's members, and what it has besides."""
        ...


def sweep(
    client: redis.Redis, sets: Sequence[Members], hashes: Sequence[Fields], settings: RedisSettings
) -> dict[str, str]:
    """Let each look at all that its key holds; by key, why one could not: a sentence. What is not there holds nothing.

    Raises redis.RedisError or OSError where the server is lost; ValueError where an answer makes no sense.
    """
    scanned: list[tuple[Members | Fields, bool, int]] = [(one, False, 0) for one in sets]
    scanned += [(one, True, 0) for one in hashes]
    seen: Counter[str] = Counter()
    failed: dict[str, str] = {}
    while scanned:
        pipeline = client.pipeline(transaction=False)
        for one, is_hash, cursor in scanned:
            (pipeline.hscan if is_hash else pipeline.sscan)(encodable(one.key), cursor=cursor, count=PAGE)
        replies = pipeline.execute(raise_on_error=False)
        further: list[tuple[Members | Fields, bool, int]] = []
        for (one, is_hash, _), reply in zip(scanned, replies, strict=True):
            if isinstance(reply, ResponseError):
                failed[one.key] = _why(one.key, reply, settings, "hash" if is_hash else "set")
                continue
            if isinstance(reply, Exception):
                raise reply
            cursor, page = reply
            one.take(_texts(page))
            seen[one.key] += len(page)
            if seen[one.key] > MOST:
                failed[one.key] = (
                    f"{escape(one.key)} of Redis at {settings} holds more than {MOST:,}, and is left as it is"
                )
            elif cursor:
                further.append((one, is_hash, cursor))
        scanned = further
    return failed


def compare(client: redis.Redis, alike: Sequence[Alike], settings: RedisSettings) -> dict[str, str]:
    """Tell each what its key lacks of `like`'s members and has besides; by key, why that could not be known of one.

    One round trip, in which only differences travel. Raises redis.RedisError or OSError where the server is lost.
    """
    pipeline = client.pipeline(transaction=False)
    for one in alike:
        key, other = encodable(one.key), encodable(one.other)
        pipeline.sdiff([other, key])
        pipeline.sdiff([key, other])
    replies = iter(pipeline.execute(raise_on_error=False) if alike else ())
    failed: dict[str, str] = {}
    for one, lacking, extra in zip(alike, replies, replies, strict=True):
        wrong = next((reply for reply in (lacking, extra) if isinstance(reply, Exception)), None)
        if isinstance(wrong, ResponseError):
            failed[one.key] = _why(one.key, wrong, settings, "set")
        elif wrong is not None:
            raise wrong
        else:
            one.differ(_texts(list(lacking)), _texts(list(extra)))
    return failed


def fetch(client: redis.Redis, keys: Sequence[str], settings: RedisSettings) -> tuple[list[str | None], dict[str, str]]:
    """The texts of keys, in their order, None for one that is not there; and by key why one could not be read.

    Raises redis.RedisError or OSError where the server is lost.
    """
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.get(encodable(key))
    replies = pipeline.execute(raise_on_error=False) if keys else []
    failed: dict[str, str] = {}
    found: list[str | None] = []
    for key, reply in zip(keys, replies, strict=True):
        if isinstance(reply, ResponseError):
            failed[key] = _why(key, reply, settings, "text")
        elif isinstance(reply, Exception):
            raise reply
        found.append(reply.decode("utf-8", "surrogateescape") if isinstance(reply, bytes) else None)
    return found, failed


def _texts(page: Any) -> Any:
    """A page as texts, from which `Entries.take_out` and `drop_out` make the very bytes again."""
    try:
        return _decoded(page, "strict")
    except UnicodeDecodeError:
        return _decoded(page, "surrogateescape")


def _decoded(page: Any, errors: str) -> Any:
    if isinstance(page, dict):
        return {name.decode("utf-8", errors): text.decode("utf-8", errors) for name, text in page.items()}
    return [member.decode("utf-8", errors) for member in page]


def _why(key: str, error: ResponseError, settings: RedisSettings, kind: str) -> str:
    if str(error).startswith(WRONG_TYPE):
        return f"{escape(key)} of Redis at {settings} is no {kind}, and is left as it is"
    return f"{escape(key)}: {explain(error, settings)}"
