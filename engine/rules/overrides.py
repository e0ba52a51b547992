"""Overrides per metric pattern: all that match a metric apply in file order, later keys win."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.rules.judgement import check_rules
from ridgeline.engine.rules.pattern import UNIVERSAL
from ridgeline.engine.rules.policy import consensus_fault, cutoffs_of

if TYPE_CHECKING:
    import numpy as np

    from ridgeline.engine.rules.matching import Patterns
    from ridgeline.engine.rules.policy import Policy

DIRECTIONS: Final = ("both", "up", "down")
# Sentences about what overrides come to, before the rest is only counted.
REMARKS: Final = 5


@dataclass(frozen=True, slots=True)
class Override:
    """One `[[override]]`: a pattern, and the keys it changes (None: left as they are).

    `m_of_n` is about alerts, and changes nothing of how a metric is judged.
    """

    match: str
    consensus: int | None = None
    algorithms: tuple[str, ...] | None = None
    thresholds: tuple[tuple[str, float], ...] = ()
    direction: str | None = None
    min_change: float | None = None
    min_change_relative: float | None = None
    stale_period: int | None = None
    full_duration: int | None = None
    resolution_aware: bool | None = None
    min_window_points: int | None = None
    rule: str | None = None
    rule_threshold: float | None = None
    cutoffs: tuple[tuple[str, float], ...] = ()
    m_of_n: tuple[int, int] | None = None

    def apply(self, policy: Policy) -> Policy:
        """Return the policy with this override's keys on top; thresholds and cutoffs merge algorithm by algorithm."""
        keys = [field.name for field in fields(self) if field.name not in {"match", "thresholds", "cutoffs", "m_of_n"}]
        changes: dict[str, Any] = {key: value for key in keys if (value := getattr(self, key)) is not None}
        if self.thresholds:
            changes["thresholds"] = tuple(sorted({**dict(policy.thresholds), **dict(self.thresholds)}.items()))
        if self.cutoffs:
            changes["cutoffs"] = cutoffs_of((*policy.cutoffs, *self.cutoffs))
        return replace(policy, **changes)


def rules_of(rule: str, overrides: Iterable[Override]) -> list[str]:
    """The rules that a configuration judges by: its own, and those of its overrides."""
    return [rule, *(one.rule for one in overrides if one.rule is not None)]


def check_judgement(job: str, rule: str, overrides: Iterable[Override]) -> None:
    """Raise InputError where a job cannot judge by this rule, or by that of an override."""
    check_rules(job, rules_of(rule, overrides))


def impossible(base: Policy, overrides: Sequence[Override]) -> list[tuple[int, str]]:
    """Return the overrides that ask for more True votes than there are algorithms, as (index, what is wrong).

    Each is judged with the others that surely apply along with it: those of the same pattern and of patterns that
    match every metric. What other combinations ask of a metric is known when its name is: `Overrides` then asks for
    all of its algorithms.
    """
    deciding = [
        (at, one) for at, one in enumerate(overrides) if one.consensus is not None or one.algorithms is not None
    ]
    along: dict[str, list[tuple[int, Override]]] = {}
    for at, one in deciding:
        along.setdefault("" if one.match in UNIVERSAL else one.match, []).append((at, one))
    everywhere = along.get("", [])
    found: list[tuple[int, str]] = []
    for match, own in along.items():
        policy = base
        for _, other in sorted([*everywhere, *(own if match else ())], key=itemgetter(0)):
            policy = other.apply(policy)
        fault = consensus_fault(policy.consensus, len(policy.algorithms))
        if fault is not None:
            found.extend((at, fault) for at, _ in own)
    return sorted(found)


class Overrides:
    """Gives each metric its policy; equal combinations of overrides share one.

    Overrides that together ask for more True votes than there are algorithms ask for all of them: the metric is judged
    as strictly as can be, and `remarks` says so.
    """

    def __init__(self, base: Policy, overrides: Sequence[Override] = ()) -> None:
        self.overrides = tuple(overrides)
        self._base = base
        self._index_of_name: dict[str, int] = {}
        self._policies: list[Policy] = [base]
        self._index_of_hits: dict[tuple[int, ...], int] = {(): 0}
        self._name_of_hits: dict[tuple[int, ...], str] = {}
        self._index_of_policy: dict[Policy, int] = {base: 0}
        self._remarks: list[str] = []

    @cached_property
    def _patterns(self) -> Patterns:
        """Compiled when first asked: a start without overrides does without."""
        from ridgeline.engine.rules.matching import Patterns

        return Patterns(override.match for override in self.overrides)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The distinct policies so far; it only grows, so that an index once given stays good. Index 0: no override."""
        return tuple(self._policies)

    @property
    def hits(self) -> tuple[tuple[tuple[int, ...], str], ...]:
        """Which overrides were found to meet on a metric, in the order in which that was learned, each with the first one."""
        return tuple((hits, self._name_of_hits.get(hits, "")) for hits in self._index_of_hits if hits)

    def recall(self, hits: Iterable[tuple[tuple[int, ...], str]]) -> None:
        """Learn, before anything else, what another of the same overrides had learned: then policies have the same indices."""
        for some, name in hits:
            self._learn(some, name)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What overrides that met on a metric came to against their words, one sentence each, so far."""
        more = len(self._remarks) - REMARKS
        return (*self._remarks[:REMARKS], *([f"so do {more} more combinations of overrides"] if more > 0 else []))

    def assign(self, names: Iterable[str | None]) -> np.ndarray | None:
        """Return the policy index of each name, int32[n]; None where nothing is ever overridden."""
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
        most = len(policy.algorithms)
        if policy.consensus > most:
            patterns = ", ".join(f'"{self.overrides[hit].match}"' for hit in hits)
            self._remarks.append(
                f"overrides {patterns} together ask for {policy.consensus} votes where {most} can be cast, of {name} for one: "
                "there, every algorithm must vote True"
            )
            policy = replace(policy, consensus=most)
        if policy not in self._index_of_policy:
            self._index_of_policy[policy] = len(self._policies)
            self._policies.append(policy)
        index = self._index_of_policy[policy]
        self._index_of_hits[hits] = index
        self._name_of_hits[hits] = name
        return index
