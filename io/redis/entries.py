"""What a run writes for Skyline's siblings, in order: collected by whoever knows it, written together at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final, Literal

from ridgeline.io.redis.changes import OF_NAMES
from ridgeline.io.redis.frames import Framed, frame, pages
from ridgeline.io.state.batch import Add, Change, Delete, Drop, Put, Remove, SetText
from ridgeline.io.text import encodable

STAGING: Final = "ridgeline.books."  # in front of a key whose successor is being filled; no sibling looks there
STAGED: Final = 3600  # seconds after which what a killed run left there is gone


@dataclass(frozen=True, slots=True)
class Keep:
    """Store text under a key that does not expire."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Call a key `to`, in place of what is called so; nothing happens where there is no such key."""

    key: str
    to: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Let a key live for so many more seconds."""

    key: str
    ttl: int


@dataclass(frozen=True, slots=True)
class Count:
    """Add to the numbers in fields of a hash; what is not there counts from nothing."""

    key: str
    amounts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stream:
    """Store fields of a hash: fields and their texts in turn, asked for once, as they are sent."""

    key: str
    words: Iterable[str]


@dataclass(frozen=True, slots=True)
class Replace:
    """Let a set or a hash hold these words, and nothing else, from one instant to the next; without words it is gone.

    words      members, or fields and their texts in turn; asked for once, as they are sent
    previous   what the key held before is called so afterwards; None: it is forgotten
    ttl        seconds that it then lives; None: for good
    """

    key: str
    command: Literal["SADD", "HSET"]
    words: Iterable[str]
    previous: str | None = None
    ttl: int | None = None

    def filling(self, mark: str) -> Iterator[bytes]:
        """Gather the words, unseen by anyone, and never without an end to their life."""
        staging = self._staging(mark)
        some = pages(self.command, staging, self.words)
        yield frame("MULTI")
        yield frame("UNLINK", staging)
        yield from islice(some, 1)
        yield frame("EXPIRE", staging, str(self.ttl or STAGED))
        yield frame("EXEC")
        yield from some

    def switching(self, mark: str) -> Iterator[bytes]:
        """Put what was gathered in its place, at once."""
        yield frame("MULTI")
        if self.previous is None:
            yield frame("UNLINK", self.key)
        else:
            yield frame("UNLINK", self.previous)
            yield frame("RENAME", self.key, self.previous)
        yield frame("RENAME", self._staging(mark), self.key)
        if self.ttl is None:
            yield frame("PERSIST", self.key)
        yield frame("EXEC")

    def leaving(self, mark: str) -> Iterator[bytes]:
        """Forget what was gathered."""
        yield frame("UNLINK", self._staging(mark))

    def _staging(self, mark: str) -> str:
        """Where the words are gathered; `mark` tells writers that are at work at the same time apart."""
        return f"{STAGING}{self.key}.{mark}"


Plain = Change | Keep | Rename | Expire | Count | Stream


@dataclass(frozen=True, slots=True)
class Together:
    """Make these changes in one instant: what a server refuses to take refuses them all, and no crash parts them."""

    changes: Sequence[Plain]

    def commands(self) -> Iterator[bytes]:
        """The transaction."""
        yield frame("MULTI")
        for change in self.changes:
            yield from commands(change)
        yield frame("EXEC")


Written = Plain | Replace | Together
Ours = Callable[[Iterable[str]], AbstractSet[str]]  # those of some members or fields that are this host's to change


@dataclass(frozen=True, slots=True)
class Part:
    """Let our part of a set that several hosts share hold these members, and nothing else; what is theirs stays.

    ours       which of the members are ours
    previous   what the whole set held before is called so afterwards; None: it is forgotten
    ttl        seconds that it then lives; None: for good
    """

    key: str
    members: Iterable[str]
    ours: Ours
    previous: str | None = None
    ttl: int | None = None

    def changes(self, found: AbstractSet[str]) -> Iterator[Written]:
        """What it takes where these members are found: what is new comes before what is over goes."""
        wanted = set(self.members)
        if self.previous is not None:
            yield Replace(self.previous, "SADD", found)
        if new := wanted - found:
            yield Add(self.key, list(new))
        if over := self.ours(found) - wanted:
            yield Remove(self.key, list(over))
        if self.ttl is not None:
            yield Expire(self.key, self.ttl)


@dataclass(frozen=True, slots=True)
class PartOfHash:
    """The same of a hash: its fields and their texts."""

    key: str
    fields: Mapping[str, str]
    ours: Ours

    def changes(self, found: Mapping[str, str]) -> Iterator[Written]:
        """What it takes where these fields are found."""
        if new := {name: text for name, text in self.fields.items() if found.get(name) != text}:
            yield Put(self.key, new)
        if over := self.ours(found) - self.fields.keys():
            yield Drop(self.key, list(over))


Entry = Written | Part | PartOfHash
Apart = Replace | Together | Part | PartOfHash  # what takes more than commands of its own


@dataclass(slots=True)
class Entries:
    """Changes to keys that siblings read, in the order they are to be made.

    Keys and texts stand here as they are stored. A change of nothing is none.
    """

    entries: list[Entry] = field(default_factory=list)

    def set(self, key: str, text: str, ttl: int | None = None) -> None:
        """Store text, for `ttl` seconds or for good."""
        named, stored = encodable(key), encodable(text)
        self.entries.append(Keep(named, stored) if ttl is None else SetText(named, stored, ttl))

    def unlink(self, *keys: str) -> None:
        """Forget keys, however much they hold; the server frees the memory in its own time."""
        self.entries += [Delete(encodable(key)) for key in keys]

    def add(self, key: str, members: Iterable[str]) -> None:
        """Add members to a set."""
        if some := [encodable(member) for member in members]:
            self.entries.append(Add(encodable(key), some))

    def remove(self, key: str, members: Iterable[str]) -> None:
        """Remove members from a set."""
        if some := [encodable(member) for member in members]:
            self.entries.append(Remove(encodable(key), some))

    def take_out(self, key: str, members: Iterable[str]) -> None:
        """Remove members from a set that were read from it with `surrogateescape`, whatever bytes they are."""
        if some := list(members):
            self.entries.append(Remove(encodable(key), some))

    def together(self, changes: Entries) -> None:
        """Make all of these changes in one instant, or none of them; none of them may replace a key or a part of one."""
        if some := [change for change in changes.entries if not isinstance(change, Apart)]:
            self.entries.append(Together(some))

    def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Store fields of a hash."""
        if some := {encodable(name): encodable(text) for name, text in fields.items()}:
            self.entries.append(Put(encodable(key), some))

    def put_pairs(self, key: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Store fields of a hash, (field, text) by (field, text): as many as there are metrics, none of them held here."""
        self.entries.append(Stream(encodable(key), map(encodable, chain.from_iterable(pairs))))

    def count(self, key: str, amounts: Mapping[str, int]) -> None:
        """Add to the numbers in fields of a hash."""
        self.entries.append(Count(encodable(key), {encodable(name): amount for name, amount in amounts.items()}))

    def drop(self, key: str, fields: Iterable[str]) -> None:
        """Forget fields of a hash."""
        if some := [encodable(name) for name in fields]:
            self.entries.append(Drop(encodable(key), some))

    def drop_out(self, key: str, fields: Iterable[str]) -> None:
        """Forget fields of a hash that were read from it with `surrogateescape`, whatever bytes they are."""
        if some := list(fields):
            self.entries.append(Drop(encodable(key), some))

    def rename(self, key: str, to: str) -> None:
        """Call a key otherwise, in place of what is called so."""
        self.entries.append(Rename(encodable(key), encodable(to)))

    def expire(self, key: str, ttl: int) -> None:
        """Let a key live for `ttl` more seconds."""
        self.entries.append(Expire(encodable(key), ttl))

    def replace_set(
        self, key: str, members: Iterable[str], *, previous: str | None = None, ttl: int | None = None
    ) -> None:
        """Let a set hold these members alone, from one instant to the next; `previous` is what it held before."""
        words = members if isinstance(members, Framed) else map(encodable, members)
        self._replace(key, "SADD", words, previous, ttl)

    def replace_hash(self, key: str, fields: Mapping[str, str]) -> None:
        """Let a hash hold these fields alone, from one instant to the next."""
        self._replace(key, "HSET", map(encodable, chain.from_iterable(fields.items())), None, None)

    def change_part(
        self, key: str, members: Iterable[str], ours: Ours, *, previous: str | None = None, ttl: int | None = None
    ) -> None:
        """Let our part of a set hold these members alone; `previous` is what all of it held before."""
        named = None if previous is None else encodable(previous)
        self.entries.append(Part(encodable(key), map(encodable, members), ours, named, ttl))

    def change_fields(self, key: str, fields: Mapping[str, str], ours: Ours) -> None:
        """Let our part of a hash hold these fields alone."""
        some = {encodable(name): encodable(text) for name, text in fields.items()}
        self.entries.append(PartOfHash(encodable(key), some, ours))

    def _replace(
        self, key: str, command: Literal["SADD", "HSET"], words: Iterable[str], previous: str | None, ttl: int | None
    ) -> None:
        named = None if previous is None else encodable(previous)
        self.entries.append(Replace(encodable(key), command, words, named, ttl))


def commands(entry: Plain) -> Iterator[bytes]:
    """One entry as commands."""
    match entry:
        case SetText(key, text, ttl):
            yield frame("SET", key, text, "EX", str(ttl))
        case Keep(key, text):
            yield frame("SET", key, text)
        case Delete(key):
            yield frame("UNLINK", key)
        case Rename(key, to):
            yield frame("RENAME", key, to)
        case Expire(key, ttl):
            yield frame("EXPIRE", key, str(ttl))
        case Count(key, amounts):
            yield from (frame("HINCRBY", key, name, str(amount)) for name, amount in amounts.items())
        case Put(key, fields):
            yield from pages("HSET", key, chain.from_iterable(fields.items()))
        case Stream(key, words):
            yield from pages("HSET", key, words)
        case Add(key, names) | Remove(key, names) | Drop(key, names):
            yield from pages(OF_NAMES[type(entry)], key, names)
