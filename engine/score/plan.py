"""How to score: one plan per run, and its policies as kernels read them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.policy import Policy, consensus_fault, threshold_fault
from ridgeline.engine.rules.profiles import PROFILES, Profile, reach_fault
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.failures import Complaint
from ridgeline.engine.score.rows import Judgeable
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.kernels.native import loader
from ridgeline.kernels.score.layout import ALGORITHMS, CONSENSUS_SLACK, CRITICAL_ROW, CUT, MASK, POLICY, STALE_PERIOD

BLOCK_ROWS: Final = 1024


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """How to score. The rest is the matrix.

    full_duration  seconds: the window of every row whose policy has none of its own
    as_of          epoch seconds for every row; "last": each row's own newest point; None: the matrix's column, and
                   where that is null `default_as_of`, or else the matrix's newest timestamp
    all_votes      no early exit; `scores` implies it
    walks          tell what rules with walks say: their scores, channels and expected ranges
    resolution     tell the median step: a pass over timestamps, most of which early exit never looks at
    user           users' algorithms, after the nine in that order; they rule out early exit
    block_rows     rows per kernel call; results do not depend on it
    complaints     by user's algorithm, what it said when it raised, and on which metric; filled while scoring
    spent          by user's algorithm, (seconds, rows judged) of each block; filled while scoring
    """

    profile: Profile = PROFILES["native"]
    full_duration: int = 86400
    as_of: int | Literal["last"] | None = None
    default_as_of: int | None = None
    policies: tuple[Policy, ...] = (Policy(),)
    all_votes: bool = False
    scores: bool = False
    walks: bool = False
    resolution: bool = False
    user: tuple[UserAlgorithm, ...] = ()
    block_rows: int = BLOCK_ROWS
    complaints: dict[str, Complaint] = field(default_factory=dict, compare=False)
    spent: dict[str, list[tuple[float, int]]] = field(default_factory=dict, compare=False)

    @property
    def names(self) -> tuple[str, ...]:
        """All algorithms, in the order of verdict columns."""
        return (*algorithm_names(), *(found.name for found in self.user))


@cache
def algorithm_names() -> tuple[str, ...]:
    """Names of the nine, in the order of verdict columns."""
    return tuple(loader.facts())


@dataclass(frozen=True, slots=True, eq=False)
class Policies:
    """The plan's policies as kernels read them."""

    of_row: NDArray[np.int32]
    numbers: NDArray[np.int64]  # columns as in `kernels.score.layout`
    thresholds: NDArray[np.float64]  # of the nine
    cutoffs: NDArray[np.float64]  # what scores are divided by, of the nine and users' algorithms after them
    consensus: NDArray[np.int64]
    alphas: tuple[float, ...]
    user: NDArray[np.float64]  # thresholds of users' algorithms, NaN where one is switched off
    full_duration: NDArray[np.int64]  # seconds
    aware: NDArray[np.bool_]  # of resolution
    reach: NDArray[np.int64]  # points that a window holds at least; 0: as many as there are
    own_windows: NDArray[np.int64] | None = None  # of each row, where these are not its policy's (`score.reach`)

    @property
    def windows(self) -> NDArray[np.int64]:
        """Seconds of each row's window: int64[n]."""
        return self.full_duration[self.of_row] if self.own_windows is None else self.own_windows

    @property
    def in_force(self) -> NDArray[np.bool_]:
        """Which algorithms each policy has, the nine and users' after them: bool[policies, algorithms]."""
        nine = (self.numbers[:, MASK, None] >> np.arange(ALGORITHMS) & 1).astype(np.bool_)
        return np.concatenate([nine, ~np.isnan(self.user)], axis=1)

    def only(self, rows: NDArray[np.int64]) -> Policies:
        """Return the policies of some rows, as if there were no others."""
        own = None if self.own_windows is None else self.own_windows[rows]
        return replace(self, of_row=self.of_row[rows], own_windows=own)

    def without(self, rows: NDArray[np.int64]) -> Policies:
        """Return the policies of all rows, with none for some: kernels take those for empty."""
        of_row = self.of_row.copy()
        of_row[rows] = -1
        return replace(self, of_row=of_row)

    @classmethod
    def encode(cls, plan: ScorePlan, of_row: NDArray[Any] | None, rows: int) -> Policies:
        """Encode the plan's policies; InputError where a consensus cannot be reached."""
        known = _encoded(plan.profile, plan.full_duration, plan.policies, plan.user)
        return replace(
            known, of_row=np.zeros(rows, np.int32) if of_row is None else np.ascontiguousarray(of_row, np.int32)
        )


@lru_cache(64)
def _encoded(
    profile: Profile, full_duration: int, policies: tuple[Policy, ...], user: tuple[UserAlgorithm, ...]
) -> Policies:
    """All but `of_row`: the same for every chunk of a run."""
    facts = loader.facts()
    names = (*facts, *(one.name for one in user))
    numbers, thresholds, cutoffs, own = [], [], [], []
    alphas: list[float] = []
    for policy in policies:
        chosen = policy.algorithms or names
        limits = {name: float(fact["threshold"]) for name, fact in facts.items()} | dict(policy.thresholds)
        _check(policy, chosen, limits, profile)
        if limits["grubbs"] not in alphas:
            alphas.append(limits["grubbs"])
        mask = sum(1 << place for place, name in enumerate(facts) if name in chosen)
        stale = profile.stale_period if policy.stale_period is None else policy.stale_period
        row = np.empty(POLICY, np.int64)
        row[CONSENSUS_SLACK] = len(chosen) - policy.consensus
        row[MASK] = mask
        row[STALE_PERIOD] = stale
        row[CRITICAL_ROW] = alphas.index(limits["grubbs"])
        row[CUT] = policy.cut
        numbers.append(row)
        thresholds.append([limits[name] for name in facts])
        cutoffs.append([policy.cutoff(name) for name in names])
        own.append([limits.get(one.name, 1.0) if one.name in chosen else np.nan for one in user])
    return Policies(
        np.empty(0, np.int32),
        np.array(numbers),
        np.array(thresholds),
        np.array(cutoffs),
        np.array([policy.consensus for policy in policies], np.int64),
        tuple(alphas),
        np.array(own, np.float64).reshape(len(policies), len(user)),
        np.array(
            [full_duration if policy.full_duration is None else policy.full_duration for policy in policies], np.int64
        ),
        np.array([policy.resolution_aware for policy in policies], np.bool_),
        np.array([policy.min_window_points for policy in policies], np.int64),
    )


def _check(policy: Policy, chosen: tuple[str, ...], limits: dict[str, float], profile: Profile) -> None:
    fault = consensus_fault(policy.consensus, len(chosen)) or reach_fault(policy.min_window_points, profile)
    if fault is not None:
        raise InputError(fault)
    for name, limit in limits.items():
        fault = threshold_fault(name, limit)
        if fault is not None:
            raise InputError(f"threshold {name} = {limit:g} {fault}")


def resolve_as_of(matrix: Judgeable, plan: ScorePlan) -> NDArray[np.int64]:
    """Return int64[n]: when each row is judged; NO_AS_OF stands for its own newest point."""
    if plan.as_of == "last":
        return np.full(len(matrix), NO_AS_OF)
    if plan.as_of is not None:
        return np.full(len(matrix), plan.as_of, np.int64)
    default = plan.default_as_of if plan.default_as_of is not None else matrix.newest
    own = matrix.as_of
    return own if default is None else np.where(own == NO_AS_OF, default, own)
