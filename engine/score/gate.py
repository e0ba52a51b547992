"""The gate behind the vote: a change must go the wanted way and be large enough; the same for score and replay."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.policy import Policy

Bools = NDArray[np.bool_]


def is_open(policy: Policy) -> bool:
    """Whether the policy lets every change through."""
    return policy.direction == "both" and policy.min_change == 0 and policy.min_change_relative == 0


def held_back(
    policy: Policy, change: NDArray[np.floating[Any]], level: NDArray[np.floating[Any]]
) -> tuple[Bools, Bools]:
    """Return which changes go the wrong way, and which others are too small: bool[n] each.

    change, level    float[n]: tail mean less the series' mean, and that mean
    """
    wrong = {"both": np.zeros(len(change), np.bool_), "up": change < 0, "down": change > 0}[policy.direction]
    # A share of a mean so large that it is infinite is more than any change.
    with np.errstate(over="ignore"):
        least = np.maximum(policy.min_change, policy.min_change_relative * np.abs(level))
    return wrong, ~wrong & (np.abs(change) < least)
