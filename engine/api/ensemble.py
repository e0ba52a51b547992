"""The judgement of one series that Skyline's names make, by the configuration that is found."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ridgeline.engine.api.found import Kept
from ridgeline.engine.config.model import Config
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.ensemble import Ensemble, Verdict
from ridgeline.engine.score.pairs import TimeSeries, shown
from ridgeline.engine.score.series import vote, whole
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape


@dataclass(frozen=True, slots=True)
class Settled:
    """What the configuration comes to: the ensemble of one profile, and what stands before the names of metrics."""

    ensemble: Ensemble
    namespace: str

    @classmethod
    def of(cls, profile: str, config: Config) -> Settled:
        """Settle for one profile, whatever the configured one is."""
        ensemble = Ensemble.of(config.analysis, config.overrides, profile)
        return cls(ensemble, config.source.each["redis"].namespace)


_SETTLED: Final = {profile: Kept(partial(Settled.of, profile)) for profile in PROFILES}


def judge_series(
    timeseries: TimeSeries,
    metric_name: str,
    profile: str,
    stale_periods: Mapping[str, Any] | None = None,
    *,
    own_stale_period: bool = False,
    now: float | None = None,
) -> Verdict:
    """Judge one series as `run` would judge the metric, by the arithmetic of `profile`, all votes of it.

    metric_name       with or without the namespace
    stale_periods     seconds by metric, numbers or texts of such: these go before the configured ones
    own_stale_period  the profile's stale period counts, whatever is configured
    now               epoch seconds; None: the clock's

    Raises InputError for what is no series, and where the configuration cannot be read.
    """
    settled = _SETTLED[profile].get()
    name = str(metric_name).removeprefix(settled.namespace)
    policy = settled.ensemble.policy(name)
    if own_stale_period:
        policy = replace(policy, stale_period=None)
    if stale_periods:
        period = _own_period(stale_periods, name, metric_name)
        policy = policy if period is None else replace(policy, stale_period=period)
    return settled.ensemble.judge(timeseries, name, policy, instant(now))


def vote_of(name: str, timeseries: TimeSeries, profile: str, full_duration: int | None = None) -> bool | None:
    """Vote of one algorithm as of now, over `full_duration` seconds, None: the configured ones. Raises as `judge_series`."""
    window = _SETTLED[profile].get().ensemble.scorer.plan.full_duration if full_duration is None else full_duration
    return vote(name, timeseries, profile=profile, as_of=instant(), full_duration=window)


def instant(now: float | None = None) -> int:
    """The clock as whole epoch seconds. Rounded up: windows and ages in whole seconds then end where they do in fractions."""
    return math.ceil(time.time() if now is None else now)


def _own_period(stale_periods: object, *names: str) -> int | None:
    """The stale period of the metric by the first of its names that has one, in seconds."""
    if not isinstance(stale_periods, Mapping):
        raise InputError(f"stale periods are {shown(stale_periods)}: give a dictionary of seconds by metric")
    found = next((stale_periods[name] for name in names if stale_periods.get(name) is not None), None)
    return None if found is None else whole(f"the stale period of {escape(names[0])}", found, least=1)
