"""What a key is to hold, held against what it holds: only the difference is written.

Each kind of list looks through its key page by page (`ridgeline.io.redis.sweep`), and keeps no more of it than a flag for
each metric and what is to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.manage.fleet import Fleet
from ridgeline.io.redis.entries import Entries


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a key: members or fields that are added or changed, and those that are removed."""

    added: Sequence[str] = ()
    removed: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class Kept(Protocol):
    """A list that a pass keeps true."""

    @property
    def key(self) -> str:
        """Its key."""
        ...

    def change(self, entries: Entries) -> Change:
        """Add to `entries` what makes the key hold what it is to hold, once it was looked through; and say what that is."""
        ...


@dataclass(slots=True, eq=False)
class MetricSet:
    """A set of metrics: those where `wanted`, bool[n], is set, each with `prefix` in front.

    like     another list that holds nearly the same: Redis is asked how the two differ, and this one is not looked through
    there    bool[n]: which of the fleet's metrics the key holds
    strays   its other members
    """

    key: str
    fleet: Fleet
    wanted: NDArray[np.bool_]
    prefix: str = ""
    like: MetricSet | None = None
    there: NDArray[np.bool_] = field(init=False)
    strays: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.there = np.zeros(len(self.fleet), np.bool_)

    @property
    def other(self) -> str:
        """The key of the list that is nearly the same."""
        return self.key if self.like is None else self.like.key

    def take(self, page: Sequence[str]) -> None:
        """Look at a page of members."""
        get, prefix = self.fleet.places.get, self.prefix
        size = len(prefix)
        known = (get(member[size:], -1) if member.startswith(prefix) else -1 for member in page)
        places = np.fromiter(known, np.int64, len(page))
        self.there[places[places >= 0]] = True
        strange = np.flatnonzero(places < 0).tolist()
        self.strays.update(page[at] for at in strange)

    def differ(self, lacking: Sequence[str], extra: Sequence[str]) -> None:
        """Know what the key holds by what `like` holds: less `lacking`, and `extra`."""
        if self.like is not None:
            self.there |= self.like.there
            self.strays |= self.like.strays
        self.there &= ~self.fleet.mask(lacking)
        self.strays.difference_update(lacking)
        self.take(extra)

    def size(self) -> int:
        """How many members it is to have, those of other hosts included."""
        return int(self.wanted.sum()) + len(self.strays) - len(self.gone())

    def gone(self) -> list[str]:
        """The base names of members that are not of the fleet any more, sorted."""
        return sorted(self.fleet.share.among({member.removeprefix(self.prefix) for member in self.strays}))

    def change(self, entries: Entries) -> Change:
        """Add and remove what differs."""
        mine = set(self.gone())
        going = sorted(member for member in self.strays if member.removeprefix(self.prefix) in mine)
        added = self.fleet.chosen(self.wanted & ~self.there, self.prefix)
        removed = [*self.fleet.chosen(self.there & ~self.wanted, self.prefix), *going]
        entries.take_out(self.key, removed)
        entries.add(self.key, added)
        return Change(added, removed)


@dataclass(slots=True, eq=False)
class TextSet:
    """A set of texts that are no metrics, such as patterns."""

    key: str
    wanted: frozenset[str]
    there: set[str] = field(default_factory=set)

    def take(self, page: Sequence[str]) -> None:
        """Look at a page of members."""
        self.there.update(page)

    def change(self, entries: Entries) -> Change:
        """Add and remove what differs."""
        added, removed = sorted(self.wanted - self.there), sorted(self.there - self.wanted)
        entries.take_out(self.key, removed)
        entries.add(self.key, added)
        return Change(added, removed)


@dataclass(slots=True, eq=False)
class Hash:
    """A hash of these fields and texts, and no others but those of other hosts.

    owned   tells of fields with their texts which may be removed here; None: all of them
    """

    key: str
    wanted: Mapping[str, str]
    owned: Callable[[Mapping[str, str]], Iterable[str]] | None = None
    right: set[str] = field(default_factory=set)
    strays: dict[str, str] = field(default_factory=dict)

    def take(self, page: Mapping[str, str]) -> None:
        """Look at a page of fields."""
        get = self.wanted.get
        for name, text in page.items():
            told = get(name)
            if told is None:
                self.strays[name] = text
            elif told == text:
                self.right.add(name)

    def change(self, entries: Entries) -> Change:
        """Put and drop what differs."""
        added = {name: text for name, text in self.wanted.items() if name not in self.right}
        removed = sorted(self.strays if self.owned is None else self.owned(self.strays))
        entries.drop_out(self.key, removed)
        entries.put(self.key, added)
        return Change(list(added), removed)


@dataclass(slots=True, eq=False)
class Pruned:
    """A hash that others fill, and from which goes what `over` says of some fields is over, if it is this host's."""

    key: str
    over: Callable[[Mapping[str, str]], Iterable[str]]
    own: Callable[[Iterable[str]], Iterable[str]]
    going: set[str] = field(default_factory=set)

    def take(self, page: Mapping[str, str]) -> None:
        """Look at a page of fields."""
        self.going.update(self.over(page))

    def change(self, entries: Entries) -> Change:
        """Drop what is over."""
        removed = sorted(self.own(self.going))
        entries.drop_out(self.key, removed)
        return Change((), removed)


@dataclass(slots=True, eq=False)
class SmallHash:
    """A hash that is looked at as a whole; what is to become of it, its kind says."""

    key: str
    there: dict[str, str] = field(default_factory=dict, init=False)

    def take(self, page: Mapping[str, str]) -> None:
        """Keep a page of fields."""
        self.there |= page

    def change(self, entries: Entries) -> Change:
        """Put and drop what differs."""
        added, removed = self.difference()
        entries.drop_out(self.key, removed)
        entries.put(self.key, added)
        return Change(list(added), removed)

    def difference(self) -> tuple[Mapping[str, str], list[str]]:
        """The fields to put, and the names of those to drop."""
        raise NotImplementedError


@dataclass(slots=True, eq=False)
class Text:
    """A text that does not expire; `told` is asked once everything was looked through."""

    key: str
    told: Callable[[], str]
    there: str | None = None

    def change(self, entries: Entries) -> Change:
        """Set it if it differs."""
        wanted = self.told()
        if self.there == wanted:
            return Change()
        entries.set(self.key, wanted)
        return Change([wanted], [] if self.there is None else [self.there])


def in_two(key: str, fleet: Fleet, wanted: NDArray[np.bool_]) -> tuple[MetricSet, MetricSet]:
    """A set of metrics and the copy that Skyline has of it."""
    first = MetricSet(key, fleet, wanted)
    return first, MetricSet(f"aet.{key}", fleet, wanted, like=first)


Sets = MetricSet | TextSet
Hashes = Hash | Pruned | SmallHash
