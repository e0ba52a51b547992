"""The source: reached, allowed, listed, its clock in step; and how long a run over it would take."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.calibration import Seen, calibrate
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.engine.doctor.rights import look_at_rights
from ridgeline.engine.run.sources import open_source
from ridgeline.engine.units import spoken
from ridgeline.io.errors import AuthenticationFailed, RidgelineError
from ridgeline.io.ordered import median
from ridgeline.io.shard import Share
from ridgeline.io.source import Source
from ridgeline.io.text import escape

PATIENCE: Final = 10.0  # seconds for a source that hangs
SKEW: Final = 5.0  # seconds that clocks may differ
OLD: Final = 2.0  # stale periods that the newest data of all may be old
SHARE: Final = 0.5  # of the deadline that a run should need at most
PER_NAME: Final = 400  # bytes that a run holds of each metric: its name, its verdict


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run over the whole fleet would take, from a calibration."""

    metrics: int
    seconds: float
    memory_bytes: int
    chunk_keys: int

    def as_json(self) -> dict[str, Any]:
        """Return `plan`."""
        return {
            "metrics": self.metrics,
            "seconds": round(self.seconds, 6),
            "memory_bytes": self.memory_bytes,
            "chunk_keys": self.chunk_keys,
        }


def look_at_source(config: Config, now: Callable[[], float], keep: Callable[[Plan], None]) -> Iterator[Check]:
    """Checks of the source; `keep` is given the plan, if one can be made."""
    end = time.monotonic() + PATIENCE
    left = lambda: end - time.monotonic()  # noqa: E731 - a value of a moment
    try:
        source = open_source(config, None, left, now, _share(config))
    except AuthenticationFailed as error:
        yield red("source", str(error), "[source] username, and password_env or password_file, say who we are")
        return
    except RidgelineError as error:
        yield red("source", str(error), "see that it runs, and that [source] names it rightly")
        return
    try:
        yield from _look(source, config, now, keep)
    except RidgelineError as error:
        yield red("source", str(error), "look at it before the next run")
    finally:
        source.close()


def _share(config: Config) -> Share | None:
    """What this host judges; everything, where it is none of the hosts: that is told elsewhere."""
    shards = config.shards
    return shards.share() if shards.host in shards.hosts else None


def _look(source: Source, config: Config, now: Callable[[], float], keep: Callable[[Plan], None]) -> Iterator[Check]:
    names = source.list()
    if config.source.kind == "redis":
        yield from _clock(source)
        client = source.client  # type: ignore[attr-defined]
        yield from look_at_rights(client, config)
    if names is not None and not names:
        yield red("source", f"{_place(config)} lists no metric", "is it the right one, and does anything write to it?")
        return
    seen = calibrate(config, names, source, now)
    if not seen.metrics:
        yield red("source", f"none of the metrics of {_place(config)} could be read", "look at what writes them")
        return
    metrics = len(names) if names is not None else source.known(seen.metrics)
    yield green(
        "source",
        f"{_place(config)}: {'' if metrics is None else f'{metrics:,} metrics, '}read at {seen.rate:,.0f} metrics/s",
    )
    yield from _data(seen, config, now())
    yield _growing(seen)
    if metrics is not None:
        plan = Plan(
            metrics, metrics / seen.rate, _memory(metrics), int(getattr(config.source.settings, "chunk_keys", 0))
        )
        keep(plan)
        yield _plan(plan, config)


def _clock(source: Source) -> Iterator[Check]:
    skew = source.clock_skew
    if skew is None:
        yield yellow("clock", "Redis does not tell its clock", "grant TIME, so that clocks can be compared")
    elif abs(skew) > SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield red("clock", f"Redis' clock is {spoken(skew)} {way} this machine's", "let both keep time by NTP")
    else:
        yield green("clock", "this machine and Redis agree")


def _growing(seen: Seen) -> Check:
    """Counters that are judged by their values: a ramp, on which nothing is remarkable but its end."""
    if not seen.growing:
        return green(
            "counters", f"of {seen.metrics:,} metrics looked at, none is a counter that is judged by its value"
        )
    return yellow(
        "counters",
        f"{seen.growing:,} of {seen.metrics:,} metrics looked at only grow, and are judged by their values",
        '[preparation] counters = "auto" judges counters by their rises',
    )


def _data(seen: Seen, config: Config, now: float) -> Iterator[Check]:
    """How old the data is, by the metrics that were read."""
    newest = seen.newest
    if not len(newest):
        yield red("data", f"none of {seen.metrics:,} metrics holds a usable point", "look at what writes them")
        return
    age, youngest = now - median(newest), now - float(newest.max())
    stale = config.analysis.stale_period or 500
    if youngest < -60:
        yield red("data", f"the newest point lies {spoken(youngest)} in the future", "compare the clocks of who writes")
    elif youngest > OLD * stale:
        yield red("data", f"the newest point of all is {spoken(youngest)} old", "nothing writes, or the clock is ahead")
    elif age > stale:
        yield yellow("data", f"half of the metrics are silent for over {spoken(age)}", "they come out stale")
    else:
        yield green(
            "data",
            f"the newest point is {spoken(max(youngest, 0))} old, half of the metrics are {spoken(max(age, 0))} old or less",
        )


def _memory(metrics: int) -> int:
    """The most that this process has held, which has read and scored as a run does, and what grows with the fleet."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + metrics * PER_NAME


def _plan(plan: Plan, config: Config) -> Check:
    deadline = config.run.deadline
    detail = (
        f"a run takes about {plan.seconds:.1f} s of {deadline:g} s and {plan.memory_bytes / (1 << 20):,.0f} MiB, "
        f"by chunks of {plan.chunk_keys} keys"
    )
    if plan.seconds > deadline:
        return red("plan", detail, "more threads, a longer deadline, or several hosts; what is not reached is shed")
    if plan.seconds > SHARE * deadline:
        return yellow(
            "plan", detail, "it will do, with little to spare: `ridgeline bench --tune` finds better settings"
        )
    return green("plan", detail)


def _place(config: Config) -> str:
    settings = config.source.settings
    return escape(f"Redis at {settings}" if config.source.kind == "redis" else settings.identity())
