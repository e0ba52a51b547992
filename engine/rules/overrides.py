"""Overrides per metric pattern: all that match a metric apply in file order, later keys win."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.rules.matching import Patterns
from ridgeline.io.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from ridgeline.engine.rules.policy import Policy

DIRECTIONS: Final = ("both", "up", "down")
# Patterns that match every metric: an override of one of these applies to whatever another one matches.
UNIVERSAL: Final = frozenset({"", ".*", "^.*", ".*$", "^.*$", "^"})
# Few names repeat their overrides in new ways; this bounds what a hostile configuration could make of it.
MOST_POLICIES: Final = 65536


@dataclass(frozen=True, slots=True)
class Override:
    """One `[[override]]`: a pattern, and the keys it changes (None: left as they are)."""

    match: str
    consensus: int | None = None
    algorithms: tuple[str, ...] | None = None
    thresholds: tuple[tuple[str, float], ...] = ()
    direction: str | None = None
    min_change: float | None = None
    min_change_relative: float | None = None
    stale_period: int | None = None

    def apply(self, policy: Policy) -> Policy:
        """Return the policy with this override's keys on top; thresholds merge algorithm by algorithm."""
        changes: dict[str, Any] = {
            key: value
            for key in ("consensus", "algorithms", "direction", "min_change", "min_change_relative", "stale_period")
            if (value := getattr(self, key)) is not None
        }
        if self.thresholds:
            changes["thresholds"] = tuple(sorted({**dict(policy.thresholds), **dict(self.thresholds)}.items()))
        return replace(policy, **changes)


def impossible(base: Policy, overrides: Sequence[Override]) -> list[tuple[int, str]]:
    """Return the overrides that ask for more True votes than there are algorithms, as (index, what is wrong).

    Each is judged with the others that surely apply along with it: those of the same pattern and of patterns that
    match every metric. What other combinations of patterns make of a metric is judged when its name is known.
    """
    found = []
    for at, override in enumerate(overrides):
        policy = base
        for other in overrides:
            if other.match == override.match or other.match in UNIVERSAL:
                policy = other.apply(policy)
        if policy.consensus > len(policy.algorithms):
            found.append((at, shortfall(policy)))
    return found


def shortfall(policy: Policy) -> str:
    """Say that the consensus cannot be reached."""
    count = len(policy.algorithms)
    return f"a consensus of {policy.consensus} cannot be reached by {count} algorithm{'' if count == 1 else 's'}"


class Overrides:
    """Gives each metric its policy; equal combinations of overrides share one."""

    def __init__(self, base: Policy, overrides: Sequence[Override] = ()) -> None:
        self.overrides = tuple(overrides)
        self._base = base
        self._patterns = Patterns(override.match for override in self.overrides)
        self._index_of_name: dict[str, int] = {}
        self._policies: list[Policy] = [base]
        self._index_of_hits: dict[tuple[int, ...], int] = {(): 0}
        self._index_of_policy: dict[Policy, int] = {base: 0}

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The distinct policies so far; it only grows, so that an index once given stays good. Index 0: no override."""
        return tuple(self._policies)

    def assign(self, names: Iterable[str | None]) -> np.ndarray | None:
        """Return the policy index of each name, int32[n]; None where nothing is ever overridden.

        Raises InputError for a metric whose overrides together ask for more votes than there are algorithms.
        """
        if not self.overrides:
            return None
        import numpy as np

        listed = [name or "" for name in names]
        known = self._index_of_name
        unknown = [name for name in listed if name not in known] if known else listed
        found = dict(zip(unknown, self._indices(unknown), strict=True))
        return np.array([found[name] if name in found else known[name] for name in listed], dtype=np.int32)

    def foresee(self, names: Sequence[str]) -> None:
        """Find the policies of names that `assign` will ask for later: at once, which is many times as quick as in chunks."""
        if self.overrides:
            self._index_of_name.update(zip(names, self._indices(names), strict=True))

    def policy(self, name: str) -> Policy:
        """Return the policy of one metric."""
        found = self.assign([name])
        return self._base if found is None else self._policies[int(found[0])]

    def _indices(self, names: Sequence[str]) -> list[int]:
        known, hits = self._index_of_hits, self._patterns.hits(names)
        return [
            known[some] if some in known else self._learn(some, name) for some, name in zip(hits, names, strict=True)
        ]

    def _learn(self, hits: tuple[int, ...], name: str) -> int:
        policy = self._base
        for hit in hits:
            policy = self.overrides[hit].apply(policy)
        if policy.consensus > len(policy.algorithms):
            patterns = ", ".join(f'"{self.overrides[hit].match}"' for hit in hits)
            raise InputError(f"overrides {patterns} together leave {name}: {shortfall(policy)}")
        if policy not in self._index_of_policy:
            if len(self._policies) >= MOST_POLICIES:
                raise InputError(f"the overrides combine in more than {MOST_POLICIES} ways; use fewer patterns")
            self._index_of_policy[policy] = len(self._policies)
            self._policies.append(policy)
        index = self._index_of_policy[policy]
        self._index_of_hits[hits] = index
        return index
