"""Profiles: frozen switches, not forks of the code."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ridgeline.io.errors import InputError
from ridgeline.kernels.shared.switches import (
    FIRST_HOUR_BEFORE,
    FIRST_HOUR_OPEN,
    HISTOGRAM_EARTHGECKO,
    HISTOGRAM_NUMPY,
    HISTOGRAM_OWN_BIN,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How one implementation of the nine algorithms differs from the others.

    The fields after `stale_period` are, in order, the switches that kernels read (`kernels.shared.switches`).
    """

    name: str
    stale_period: int  # seconds; overridden per metric
    ddof: int = 1  # grubbs, least_squares
    history_ddof: int = 1  # mean_subtraction_cumulation
    two_sided: bool = False  # grubbs
    round_gate: bool = True  # least_squares: round(s) != 0 and round(r) != 0
    histogram: int = HISTOGRAM_NUMPY
    first_hour: int = FIRST_HOUR_OPEN
    daily: bool = False  # exactly-daily series have windows of their own
    anchor_as_of: bool = False  # ks_test's windows end at as_of, not at the last timestamp
    standardise: bool = False  # ks_test standardises its reference sample for the ADF test
    windowed: bool = False  # only (last - D, last] is considered, also when more is given
    last_wins: bool = False  # of equal timestamps the last point wins
    drop_future: bool = False  # points after as_of are dropped
    guarded: bool = False  # rounding alone never votes, squares neither overflow nor underflow
    min_points: int = 100
    boring_points: int = 100
    skyline: bool = False  # counters and gaps are told as Skyline tells them
    hour: int = 3600  # seconds of first_hour_average's sample
    probe: int = 600  # seconds that ks_test's newest sample goes back
    reference: int = 3600  # seconds that the sample before it goes back

    def encode(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The switches as kernels read them: int64[SWITCHES]."""
        names = [field.name for field in fields(self)][2:]
        return np.array([int(getattr(self, name)) for name in names], dtype=np.int64)


_ALL: Final = (
    Profile(
        "native", 500, two_sided=True, round_gate=False, histogram=HISTOGRAM_OWN_BIN, standardise=True, windowed=True, last_wins=True,
        drop_future=True, guarded=True,
    ),
    Profile("earthgecko", 500, history_ddof=0, histogram=HISTOGRAM_EARTHGECKO, anchor_as_of=True, skyline=True),
    Profile("earthgecko_batch", 86400, daily=True, skyline=True),
    Profile("etsy", 500, ddof=0, first_hour=FIRST_HOUR_BEFORE, anchor_as_of=True),
)  # fmt: skip

PROFILES: Final = MappingProxyType({profile.name: profile for profile in _ALL})


def profile_named(name: str) -> Profile:
    """Return the profile of that name; InputError naming the known ones."""
    try:
        return PROFILES[name]
    except KeyError:
        raise InputError(f"unknown profile {name!r}: choose one of {', '.join(PROFILES)}") from None


def reach_fault(points: int, profile: Profile) -> str | None:
    """Say why windows cannot hold so many points at least; None where they can."""
    if points and not profile.windowed:
        return f"min_window_points is for the profile native: {profile.name} looks at all the points that it is given"
    return None
