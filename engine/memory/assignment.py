"""How each row is judged, in one number that depends on names and configuration alone, so that it is kept with the row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.prepare.layout import DERIVE, DETECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ridgeline.engine.score.scorer import Scorer

# An assignment, int32: the place of a row's policy, and bits above it. -1: none yet.
POLICY_BITS: Final = 20
WHOLE: Final = 1 << 20  # its series is read in full by every run
APART: Final = 1 << 21  # the same, while others may judge it: `batch`'s
_ASKS: Final = 22  # place of the bits of what is asked of counters
_COUNTERS: Final = DETECT | DERIVE
_POLICY: Final = (1 << POLICY_BITS) - 1

Codes = NDArray[np.int32]


def assign(scorer: Scorer, names: Sequence[str], apart: NDArray[np.bool_] | None) -> Codes:
    """The assignment of each name, int32[n]; `apart` bool[n]: whether it is another program's."""
    policies = scorer.overrides.assign(names)
    found = np.zeros(len(names), np.int32) if policies is None else policies.astype(np.int32)
    own = np.array([policy.min_window_points > 0 or policy.cut for policy in scorer.overrides.policies])
    found |= np.where(own[found], WHOLE, 0).astype(np.int32)
    asks = scorer.asking.of(names, len(names))
    if asks is not None:
        found |= np.where(asks & ~np.uint8(_COUNTERS) > 0, WHOLE, 0).astype(np.int32)
        found |= (asks & _COUNTERS).astype(np.int32) << _ASKS
        # The steps of rises are not those of their counter.
        aware = np.array([policy.resolution_aware for policy in scorer.overrides.policies])
        found |= np.where((asks & _COUNTERS > 0) & aware[policy_of(found)], WHOLE, 0).astype(np.int32)
    if apart is not None:
        found |= np.where(apart, APART, 0).astype(np.int32)
    return found


def policy_of(codes: Codes) -> Codes:
    """The place of each row's policy, int32[n]."""
    return np.where(codes < 0, 0, codes & _POLICY).astype(np.int32)


def asks_of(codes: Codes) -> NDArray[np.uint8]:
    """What is asked of each row's series (`kernels.prepare.layout`), as far as rows of a memory can do it, uint8[n]."""
    return np.where(codes < 0, 0, codes >> _ASKS & _COUNTERS).astype(np.uint8)


def is_whole(codes: Codes) -> NDArray[np.bool_]:
    """Whether each row is to be read in full whatever its tail says, bool[n]."""
    found: NDArray[np.bool_] = (codes >= 0) & (codes & (WHOLE | APART) != 0)
    return found


def digest_of(*parts: Any) -> str:
    """What stands for all that an assignment is made from, but for the names."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
