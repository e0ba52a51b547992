"""By what the rows of a memory are judged today: policies and tables as the kernels of the memory take them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.resolution import scaled, units_by
from ridgeline.engine.score.tables import Tables, weight_sums
from ridgeline.io.ordered import distinct
from ridgeline.kernels.memory.layout import COUNT, STEP
from ridgeline.kernels.score.layout import CONSENSUS_SLACK

if TYPE_CHECKING:
    from ridgeline.engine.rules.policy import Policy

Ints = NDArray[np.int64]

MORE: Final = 64  # points that a window may gain before a row of it is read in full for want of a table
MOST: Final = 1 << 20  # points of a window; what claims more is damaged, or read in full
NO_VOTES: Final = -1  # a slack that no number of False votes is within
_tables: Final = Tables()


@dataclass(frozen=True, eq=False)
class Judging:
    """What n rows are judged by.

    as_of       the run's clock, epoch seconds
    policies    theirs, row by row
    asks        uint8[n]: what is done to their series first (`kernels.prepare.layout`)
    meanings    int64[n]: hashes of what their sums mean (`kernels.memory.layout.MEANING`)
    judgements  int64[p]: hashes of the policies
    switches    int64[SWITCHES]: the profile's
    """

    as_of: int
    policies: Policies
    asks: NDArray[np.uint8]
    meanings: Ints
    judgements: Ints
    switches: Ints

    @classmethod
    def of(
        cls, plan: ScorePlan, policies: Sequence[Policy], of_row: NDArray[np.int32], asks: NDArray[np.uint8], as_of: int
    ) -> Self:
        """Of rows that have these policies, by their places int32[n], and of whose series that is asked, uint8[n]."""
        encoded = Policies.encode(replace(plan, policies=tuple(policies)), of_row, len(of_row))
        walked, numbers = [policy.rule in NEEDS_WALKS for policy in policies], encoded.numbers.copy()
        numbers[walked, CONSENSUS_SLACK] = NO_VOTES  # the walks say what is anomalous: no vote is missed
        encoded = replace(encoded, numbers=numbers)
        switches = plan.profile.encode()
        windows, kinds = encoded.full_duration.tolist(), range(int(asks.max(initial=0)) + 1)
        means = np.array([[_hash((plan.profile, window, kind)) for kind in kinds] for window in windows])
        judgements = np.array([_hash((plan.profile, policy)) for policy in policies])
        return cls(as_of, encoded, asks, means[of_row, asks], judgements, switches)

    @cached_property
    def windows(self) -> Ints:
        """int64[n]: seconds."""
        return self.policies.windows

    def rules(self, hot: Ints) -> tuple[Any, ...]:
        """What `tails` and `heads` are told, in the order of `kernels.memory.rules`, about rows hot int64[n, HOT_WORDS]."""
        counts = np.flatnonzero(np.bincount(np.clip(hot[:, COUNT], 0, MOST)))
        longest = int(counts.max(initial=0)) + MORE
        known = distinct(np.clip(counts[:, None] + np.arange(-2, MORE), 0, longest).reshape(-1))
        totals, scales = weight_sums(longest)
        switches_of_row, switches = switches_by_step(self.policies, self.switches, hot[:, STEP])
        return (
            self.as_of, self.meanings, self.windows, self.policies.of_row, self.policies.numbers, self.policies.thresholds,
            self.judgements, switches_of_row, switches,
            _tables.critical(self.policies.alphas, known), self.weights(longest), totals, scales,
        )  # fmt: skip

    def weights(self, longest: int) -> NDArray[np.float64]:
        """Exponential weights for so many points."""
        return _tables.weights(longest)


def switches_by_step(policies: Policies, switches: Ints, steps: Ints) -> tuple[NDArray[np.int32], Ints]:
    """(place of each row's switches, int32[n], int64[s, SWITCHES]): the profile's; from 1 on, scaled to its step, of int64[n]."""
    of_row, found = np.zeros(len(steps), np.int32), [switches]
    rows = np.flatnonzero(policies.aware[policies.of_row])
    pairs = np.stack([units_by(steps[rows]), policies.windows[rows]], axis=1)
    for unit, window in sorted(set(map(tuple, pairs.tolist()))):
        of_row[rows[(pairs == (unit, window)).all(axis=1)]] = len(found)
        found.append(scaled(switches, unit, window))
    return of_row, np.stack(found)


def _hash(what: object) -> int:
    """64 bits that stand for what prints so; never 0."""
    found = hashlib.blake2b(repr(what).encode(), digest_size=8).digest()
    return int.from_bytes(found, "little", signed=True) or 1
