"""What lists depend on and only Redis knows: operators' words, and what runs found of the series."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.trends import Trends, key_of
from ridgeline.engine.run.books.events import EVENTS
from ridgeline.engine.run.books.series import COUNTERS, SPARSITY
from ridgeline.engine.run.skips import SKIPS

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Ledger

LONG_TERM: Final = "metrics_manager.longterm_non_derivative_metrics"
APPS: Final = ("analyzer_batch", "mirage", "analyzer", "boundary")
DAYS: Final = 15  # before today, for which events are kept


@dataclass(slots=True)
class Held:
    """A small hash as a whole."""

    key: str
    fields: dict[str, str] = field(default_factory=dict)

    def take(self, page: Mapping[str, str]) -> None:
        """Keep a page."""
        self.fields |= page


@dataclass(slots=True, eq=False)
class Found:
    """Which of the fleet's metrics a set holds, bool[n], by keys of their series."""

    key: str
    fleet: Fleet
    there: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.there = np.zeros(len(self.fleet), np.bool_)

    def take(self, page: Sequence[str]) -> None:
        """Look at a page of members."""
        prefix = self.fleet.namespace
        self.there |= self.fleet.mask(member.removeprefix(prefix) for member in page if member.startswith(prefix))


@dataclass(slots=True, eq=False)
class Densities:
    """How dense series are, percent: of each of the fleet's, float64[n], NaN where it is not told.

    others   of metrics that are not the fleet's, by key: other hosts', and such as are listed no more
    """

    key: str
    fleet: Fleet
    percent: NDArray[np.float64] = field(init=False)
    others: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.percent = np.full(len(self.fleet), np.nan)

    def take(self, page: Mapping[str, str]) -> None:
        """Look at a page of fields."""
        get, prefix = self.fleet.places.get, self.fleet.namespace
        names, numbers = list(page), _numbers(page)
        places = np.fromiter((get(name.removeprefix(prefix), -1) for name in names), np.int64, len(names))
        told = (places >= 0) & np.isfinite(numbers)
        self.percent[places[told]] = numbers[told]
        self.others |= {names[at]: float(numbers[at]) for at in np.flatnonzero(places < 0).tolist()}

    def gone(self) -> dict[str, float]:
        """Those of the others that are this host's: metrics that are listed no more."""
        mine = self.fleet.share.among(name.removeprefix(self.fleet.namespace) for name in self.others)
        told = self.others.items()
        return {name: number for name, number in told if name.removeprefix(self.fleet.namespace) in mine}

    def all(self) -> NDArray[np.float64]:
        """Of all hosts' metrics, as far as they are told."""
        gone = self.gone()
        others = [number for name, number in self.others.items() if name not in gone and math.isfinite(number)]
        return np.concatenate([self.percent[~np.isnan(self.percent)], others])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """All of it. `trends`: what was noted of densities; `events`: by day (ISO) and program what it counted, by namespace."""

    skips: Held
    long_term: Held
    counters: Found
    densities: Densities
    trends: Trends
    events: Mapping[tuple[str, str], Held]
    failed: Mapping[str, str]

    @classmethod
    def read(cls, ledger: Ledger, fleet: Fleet, now: int) -> Reading:
        """Read it all at once; `failed` says by key what could not be read. Raises StateError."""
        days = [datetime.fromtimestamp(now, UTC).date() - timedelta(days=back) for back in range(DAYS + 1)]
        events = {(day.isoformat(), app): Held(f"{EVENTS}.{app}.{day}") for day in days for app in APPS}
        skips, long_term, counters, densities = (
            Held(SKIPS),
            Held(LONG_TERM),
            Found(COUNTERS, fleet),
            Densities(SPARSITY, fleet),
        )
        counted = events if fleet.share.first else {}
        failed = ledger.sweep([counters], [skips, long_term, densities, *counted.values()])
        (noted,), unread = ledger.fetch([key_of(fleet.host)])
        return cls(skips, long_term, counters, densities, Trends.read(noted, fleet.names), counted, failed | unread)


def older_than(limit: float) -> Callable[[Mapping[str, str]], list[str]]:
    """The fields whose texts are epochs before `limit`, or no numbers at all."""

    def over(fields: Mapping[str, str]) -> list[str]:
        names = list(fields)
        return [names[at] for at in np.flatnonzero(~(_numbers(fields) >= limit)).tolist()]

    return over


def _numbers(fields: Mapping[str, str]) -> NDArray[np.float64]:
    """The texts of fields as numbers, float64[n]; NaN for what is none."""
    try:
        return np.fromiter(map(float, fields.values()), np.float64, len(fields))
    except ValueError:
        return np.fromiter(map(_number, fields.values()), np.float64, len(fields))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
