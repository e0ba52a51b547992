"""How to replay: one plan for all series, and the steps that it asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.rules.profiles import PROFILES, Profile
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.engine.score.failures import Complaint


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How to replay. The rest is the matrix and its overrides.

    window      seconds of history at each step, where a policy has none of its own; FULL_DURATION for
                first_hour_average
    start       epoch seconds of the first step written; earlier points warm the window
    end         epoch seconds before which the last step written lies
    every       seconds: of each bucket aligned to its multiples only the last step is written
    user        users' algorithms, after the nine in that order: each is given every window, so they cost far more
    preparation what is done to series first
    rules       those with walks whose scores are stored, in the order of `rules.judgement.RULES`: by them are judged the
                metrics whose policies have them, and all metrics by those of `throughout`
    complaints  by algorithm, what the first one of a user's said when it raised; filled while replaying
    """

    profile: Profile = PROFILES["native"]
    window: int = 86400
    start: int | None = None
    end: int | None = None
    every: int | None = None
    user: tuple[UserAlgorithm, ...] = ()
    preparation: Preparation = UNPREPARED
    rules: tuple[str, ...] = ()
    throughout: tuple[str, ...] = ()
    complaints: dict[str, Complaint] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError(f"the window must be longer than 0 seconds, not {self.window}")
        if self.every is not None and self.every <= 0:
            raise ValueError(f"steps are thinned to one in more than 0 seconds, not {self.every}")

    def describe(self) -> dict[str, Any]:
        """What decides the steps, as JSON."""
        return {
            "profile": self.profile.name,
            "window": self.window,
            "start": self.start,
            "end": self.end,
            "every": self.every,
            "user": [one.name for one in self.user],
            "preparation": self.preparation.describe(),
            "rules": list(self.rules),
            "throughout": list(self.throughout),
        }

    def wanted_steps(self, t: NDArray[np.int64], start: int | None = None) -> NDArray[np.uint8]:
        """Return uint8[n]: 1 at the points whose steps are written, the last of each timestamp (or bucket) in bounds.

        t int64[n], ascending; start: the series' own first step, if it is later than the plan's.
        """
        n = len(t)
        wanted = np.zeros(n, np.uint8)
        starts = [when for when in (self.start, start) if when is not None]
        begin = int(np.searchsorted(t, max(starts))) if starts else 0
        end = n if self.end is None else int(np.searchsorted(t, self.end))
        if end > begin:
            stamps = t[begin:end] if self.every is None else t[begin:end] // self.every
            wanted[begin : end - 1] = stamps[1:] != stamps[:-1]
            wanted[end - 1] = 1
        return wanted
