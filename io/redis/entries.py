"""What a run writes for Skyline's siblings, in order: collected by whoever knows it, written together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ridgeline.io.state.batch import Add, Change, Drop, Put, Remove, SetText
from ridgeline.io.text import encodable


@dataclass(frozen=True, slots=True)
class Keep:
    """Store text under a key that does not expire."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Unlink:
    """Forget a key, whatever it holds and however much; the server frees the memory in its own time."""

    key: str


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


Entry = Change | Keep | Unlink | Rename | Expire


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
        """Forget keys."""
        self.entries += [Unlink(encodable(key)) for key in keys]

    def add(self, key: str, members: Iterable[str]) -> None:
        """Add members to a set."""
        if some := [encodable(member) for member in members]:
            self.entries.append(Add(encodable(key), some))

    def remove(self, key: str, members: Iterable[str]) -> None:
        """Remove members from a set."""
        if some := [encodable(member) for member in members]:
            self.entries.append(Remove(encodable(key), some))

    def put(self, key: str, fields: Mapping[str, str]) -> None:
        """Store fields of a hash."""
        if some := {encodable(name): encodable(text) for name, text in fields.items()}:
            self.entries.append(Put(encodable(key), some))

    def drop(self, key: str, fields: Iterable[str]) -> None:
        """Forget fields of a hash."""
        if some := [encodable(name) for name in fields]:
            self.entries.append(Drop(encodable(key), some))

    def rename(self, key: str, to: str) -> None:
        """Call a key otherwise, in place of what is called so."""
        self.entries.append(Rename(encodable(key), encodable(to)))

    def expire(self, key: str, ttl: int) -> None:
        """Let a key live for `ttl` more seconds."""
        self.entries.append(Expire(encodable(key), ttl))
