"""The keys that Skyline's siblings and operators share with a run: read and written in bulk, over one connection.

Nothing is connected before the first use. Every wait is bounded, and a server that did not answer once is asked no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from redis.exceptions import ConnectionError as BrokenError
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as SilentError

from ridgeline.io.errors import RidgelineError
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.explain import explain
from ridgeline.io.redis.line import ROUND, line
from ridgeline.io.redis.pages import PAGE, cut
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.state.interface import MOST, StateError
from ridgeline.io.text import encodable

if TYPE_CHECKING:  # most runs only ask
    from ridgeline.io.redis.entries import Entries, Entry, Written
    from ridgeline.io.redis.sweep import Alike
    from ridgeline.io.redis.sweep import Fields as SweptHash
    from ridgeline.io.redis.sweep import Members as SweptSet

WHOLE: Final = 5_000_000  # members or fields: as many as there are names in a listing


class Strings(NamedTuple):
    """The texts of some keys, in their order; None for one that is not there."""

    keys: Sequence[str]

    def ask(self, client: Any) -> list[str | None]:
        """MGET, a page at a time."""
        pages = (client.mget([encodable(key) for key in some]) for some in cut(self.keys))
        return [None if text is None else _text(text) for page in pages for text in page]


class Members(NamedTuple):
    """The members of a set, about `most` of them."""

    key: str
    most: int = MOST

    def ask(self, client: Any) -> set[str]:
        """SSCAN, page by page."""
        return _members(client, self.key, self.most, _text)


class Exact(NamedTuple):
    """The members of a set, about `most` of them, as texts that `Entries.take_out` turns back into the bytes they are."""

    key: str
    most: int = MOST

    def ask(self, client: Any) -> set[str]:
        """SSCAN, page by page."""
        return _members(client, self.key, self.most, _exact)


class Filled(NamedTuple):
    """Whether each of some sets is there, in their order."""

    keys: Sequence[str]

    def ask(self, client: Any) -> list[bool]:
        """The least that SSCAN gives of each, a page of keys at a time: where members are left, its cursor says so."""
        found: list[bool] = []
        for some in cut(self.keys):
            pipeline = client.pipeline(transaction=False)
            for key in some:
                pipeline.sscan(encodable(key), count=1)
            found += [bool(members or cursor) for cursor, members in pipeline.execute()]
        return found


class Fields(NamedTuple):
    """The fields of a hash with their texts, about `most` of them."""

    key: str
    most: int = MOST

    def ask(self, client: Any) -> dict[str, str]:
        """HSCAN, page by page."""
        found: dict[str, str] = {}
        for page in _pages(client.hscan, self.key):
            found |= {_text(name): _text(text) for name, text in page.items()}
            if len(found) >= self.most:
                break
        return found


class Pick(NamedTuple):
    """The texts of some fields of a hash, in their order; None for one that is not there."""

    key: str
    names: Sequence[str]

    def ask(self, client: Any) -> list[str | None]:
        """HMGET, a page at a time."""
        pages = (client.hmget(encodable(self.key), [encodable(name) for name in some]) for some in cut(self.names))
        return [None if text is None else _text(text) for page in pages for text in page]


Question = Strings | Members | Exact | Filled | Fields | Pick


class Books(Protocol):
    """What can be asked and changed alike, wherever it is kept; every failure is a StateError."""

    def ask(self, *questions: Question) -> list[Any]:
        """The answer to each question, in their order."""
        ...

    def write(self, entries: Entries) -> None:
        """Make all changes, in order."""
        ...


class Ledger:
    """What is shared with siblings, in the Redis of `settings`. Every failure is a StateError, one sentence.

    `left` tells the seconds that may still be waited. `mark` is this writer's own among all that write at the same time.
    A right that is missing fails what needs it, and nothing else.
    """

    def __init__(self, settings: RedisSettings, left: Callable[[], float], mark: str = "") -> None:
        self._settings, self._left, self._mark = settings, left, mark
        self._lost: str | None = None

    def ask(self, *questions: Question) -> list[Any]:
        """The answer to each question, in their order."""
        return [self._answer(question) for question in questions]

    def sweep(self, sets: Sequence[SweptSet], hashes: Sequence[SweptHash]) -> dict[str, str]:
        """Let each look through its key, all of them together; by key, why one could not. Raises StateError."""
        from ridgeline.io.redis.sweep import sweep

        with self._failures("read from"):
            return sweep(self._client, sets, hashes, self._settings)

    def fetch(self, keys: Sequence[str]) -> tuple[list[str | None], dict[str, str]]:
        """The texts of keys, None for one that is not there; by key, why one could not be read. Raises StateError."""
        from ridgeline.io.redis.sweep import fetch

        with self._failures("read from"):
            return fetch(self._client, keys, self._settings)

    def compare(self, alike: Sequence[Alike]) -> dict[str, str]:
        """Tell each how it differs from what it is like; by key, why that is not known. Raises StateError."""
        from ridgeline.io.redis.sweep import compare

        with self._failures("read from"):
            return compare(self._client, alike, self._settings)

    def write(self, entries: Entries, at_once: int = ROUND) -> None:
        """Make all changes, in order, many to a round trip: about `at_once` bytes of them.

        Of what several hosts share, it is read first what is there.

        Raises StateError: at once where the server is lost; for what it refused, once all else is done.
        """
        from ridgeline.io.redis.entries import Replace, Together, commands

        refused: list[ResponseError] = []
        with self._failures("write to"):
            written = [change for entry in entries.entries for change in self._settled(entry, refused)]
            with line(self._client, at_once) as send:
                changes: list[Iterable[bytes]] = []
                for entry in written:
                    if isinstance(entry, Replace):
                        lacking = send(entry.filling(self._mark))
                        refused += lacking
                        changes.append(entry.leaving(self._mark) if lacking else entry.switching(self._mark))
                    elif isinstance(entry, Together):
                        changes.append(entry.commands())
                    else:
                        changes.append(commands(entry))
                refused += send(chain.from_iterable(changes))
            if refused:
                raise refused[0]

    def close(self) -> None:
        """Close the connection."""
        if "_client" in self.__dict__:
            self._client.close()

    def _answer(self, question: Question) -> Any:
        with self._failures("read from", "" if isinstance(question, Strings | Filled) else f"{question.key} of "):
            return question.ask(self._client)

    def _settled(self, entry: Entry, refused: list[ResponseError]) -> Iterable[Written]:
        """An entry as what it changes; nothing where the server refuses to say what is there."""
        from ridgeline.io.redis.entries import Part, PartOfHash

        try:
            match entry:
                case Part(key=key):
                    return entry.changes(Members(key, WHOLE).ask(self._client))
                case PartOfHash(key=key):
                    return entry.changes(Fields(key, WHOLE).ask(self._client))
                case _:
                    return (entry,)
        except ResponseError as error:
            refused.append(error)
            return ()

    @cached_property
    def _client(self) -> Any:
        return connect(self._settings, deadline=self._left)

    @contextmanager
    def _failures(self, what: str, where: str = "") -> Iterator[None]:
        """Turn the client's errors, and those of making sense of a nonsensical answer, into StateError.

        `where` is told of what the server refuses.
        """
        if self._lost is not None:
            raise StateError(self._lost)
        try:
            yield
        except RidgelineError as error:  # it could not be connected to
            self._lost = f"cannot {what} the books in Redis: {error}"
            raise StateError(self._lost) from error
        except (RedisError, OSError) as error:
            place = where if isinstance(error, ResponseError) else ""
            sentence = f"cannot {what} {place}the books in Redis: {explain(error, self._settings)}"
            if isinstance(error, (BrokenError, SilentError, OSError)):
                self._lost = sentence
            raise StateError(sentence) from error
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise StateError(f"cannot {what} the books in Redis: its answer makes no sense ({error})") from error


def _pages(scan: Callable[..., tuple[int, Any]], key: str) -> Iterator[Any]:
    """The pages of an SSCAN or HSCAN."""
    cursor = 0
    while True:
        cursor, page = scan(encodable(key), cursor=cursor, count=PAGE)
        yield page
        if not cursor:
            return


def _members(client: Any, key: str, most: int, read: Callable[[bytes], str]) -> set[str]:
    found: set[str] = set()
    for page in _pages(client.sscan, key):
        found.update(map(read, page))
        if len(found) >= most:
            break
    return found


def _exact(member: bytes) -> str:
    return member.decode("utf-8", "surrogateescape")


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
