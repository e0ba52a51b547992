"""A fleet of services over days, to try rules on: seeded series of many kinds without incidents, and copies with one fault each.

Every page about one without a fault is false. Nothing here is drawn from anyone's data. How deep days swing and how much
noise lies on them was set by two things measured on other fleets of this description, and by no figure of the rules that are
tried on it: how often the nine page, by kind, and how much of a series its profile explains (docs/quality.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Values = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
DAY: Final = 86400
STEP: Final = 60
MISSING: Final = 0.003  # share of points that never came
DEPLOYS_A_DAY: Final = 0.4
FIRST_FAULT_DAY: Final = 4  # rules that learn what a day holds speak from the fifth day on
FAULT_POINTS: Final = 15
SCHEMA: Final = pa.schema([("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64())])


@dataclass(frozen=True, slots=True)
class Service:
    """What the metrics of one service share: `traffic` float64[n], about 1 on average; `deploys` int64[d], places of points."""

    name: str
    timestamps: Times
    traffic: Values
    deploys: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: float64[n], NaN where a point is missing; with a fault, its kind and first and last place."""

    metric: str
    values: Values
    fault: tuple[str, int, int] | None = None


def services(metrics: int, days: int, end: int, seed: int, *, faults: bool) -> Iterator[tuple[Times, list[Series]]]:
    """Yield the series of each service in turn, about 20 a service: `metrics` in all, and with `faults` the copies.

    timestamps int64[days * 1440], a minute apart, ends at `end`.
    """
    timestamps = end - STEP * np.arange(days * DAY // STEP - 1, -1, -1, dtype=np.int64)
    kinds = [kind for kind, (share, _) in KINDS.items() for _ in range(share)]
    per_service = len(kinds) // 5  # every fifth of all shares
    for number, first in enumerate(range(0, metrics, per_service)):
        random = np.random.default_rng([seed, number])
        service = _service(random, f"service{number:03d}", timestamps)
        series: list[Series] = []
        for row in range(first, min(first + per_service, metrics)):
            kind = kinds[row * 5 % len(kinds) + row * 5 // len(kinds) % 5]
            clean = KINDS[kind][1](random, service)
            clean[random.random(len(clean)) < MISSING] = np.nan
            name = f"{service.name}.{kind}.{row:05d}"
            series.append(Series(name, clean))
            if faults:
                series += _faulty(random, name, kind, clean)
        yield timestamps, series


def table_of(timestamps: Times, series: list[Series]) -> pa.Table:
    """The points of some series in long format, one series after another."""
    present = [~np.isnan(one.values) for one in series]
    codes = np.repeat(np.arange(len(series), dtype=np.int32), [int(here.sum()) for here in present])
    names = pa.DictionaryArray.from_arrays(pa.array(codes), pa.array([one.metric for one in series])).cast(pa.string())
    stamps = np.concatenate([timestamps[here] for here in present])
    values = np.concatenate([one.values[here] for one, here in zip(series, present, strict=True)])
    return pa.table([names, pa.array(stamps), pa.array(values)], schema=SCHEMA)


def _service(random: np.random.Generator, name: str, t: Times) -> Service:
    """A day's wave with its peak hour and a second harmonic, quieter weekends, a few per cent of drift, deploys by day."""
    hours = (t % DAY) / DAY
    peak, depth = random.uniform(0.45, 0.85), random.uniform(0.45, 0.75)
    wave = 1 + depth * np.cos(2 * np.pi * (hours - peak)) + 0.15 * depth * np.cos(4 * np.pi * (hours - peak - 0.1))
    weekend = np.where((t // DAY + 3) % 7 >= 5, random.uniform(0.5, 1.0), 1.0)
    drift = np.interp(t, t[:: DAY // STEP], 1 + random.normal(0, 0.03, len(t[:: DAY // STEP])))
    days = len(t) * STEP // DAY
    working = np.arange(days) * (DAY // STEP) + random.integers(9 * 60, 17 * 60, days)
    deploys = np.sort(working[random.random(days) < DEPLOYS_A_DAY])
    return Service(name, t, wave * weekend * drift, deploys)


def _level(random: np.random.Generator, low: float, high: float) -> float:
    """Log-uniform between `low` and `high`."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _slow(random: np.random.Generator, n: int, memory: float) -> Values:
    """An AR(1) of unit variance that forgets 1 - `memory` a step."""
    from itertools import accumulate

    shocks = random.normal(0, np.sqrt(1 - memory * memory), n)
    return np.fromiter(accumulate(shocks.tolist(), lambda level, shock: memory * level + shock), float, n)


def _since_deploy(service: Service) -> npt.NDArray[np.int64]:
    """How many deploys came before each point."""
    return np.searchsorted(service.deploys, np.arange(len(service.timestamps)), "right")


def _requests(random: np.random.Generator, service: Service) -> Values:
    """Requests a minute; a deploy costs some for a few minutes."""
    rate = _level(random, 10, 5000) * service.traffic * np.exp(0.04 * _slow(random, len(service.traffic), 0.9))
    for deploy in service.deploys:
        rate[deploy : deploy + int(random.integers(2, 5))] *= random.uniform(0.4, 0.9)
    return random.poisson(rate).astype(float)


def _latency(random: np.random.Generator, service: Service) -> Values:
    """Slower when there is more to do, now and then much slower, and on another level after each deploy."""
    steps = np.exp(random.normal(0, 0.08, len(service.deploys) + 1))[_since_deploy(service)]
    noise = random.lognormal(0, 0.12, len(steps)) * np.where(
        random.random(len(steps)) < 0.0022, random.pareto(2.5, len(steps)) + 1.5, 1
    )
    latency: Values = _level(random, 2, 300) * (1 + 0.3 * (service.traffic - 1)) * steps * noise
    return latency


def _cpu(random: np.random.Generator, service: Service) -> Values:
    base = random.uniform(12, 34) * service.traffic + 2 * _slow(random, len(service.traffic), 0.9)
    every = int(random.choice([15, 60, 360, 720, 1440]))
    cron = (np.arange(len(base)) + int(random.integers(every))) % every < int(random.integers(1, 4))
    return np.clip(base + cron * random.uniform(15, 40) + random.normal(0, 1.5, len(base)), 0, 100)


def _memory(random: np.random.Generator, service: Service) -> Values:
    """A leak that deploys end."""
    place = np.arange(len(service.traffic))
    begun = np.concatenate([[0], service.deploys])[_since_deploy(service)]
    leak = _level(random, 1e-5, 1e-4) * (place - begun)
    used: Values = 1 + leak + 0.01 * service.traffic + 0.004 * _slow(random, len(place), 0.98)
    return _level(random, 1e8, 1e11) * used


def _counter(random: np.random.Generator, service: Service) -> Values:
    """Totals that begin at 0 with each deploy."""
    rises = np.round(_level(random, 1e3, 1e7) * service.traffic * random.gamma(30, 1 / 30, len(service.traffic)))
    total = np.cumsum(rises) + _level(random, 1e7, 1e11)
    for deploy in service.deploys:
        total[deploy:] -= total[deploy] - rises[deploy]
    return total


def _errors(random: np.random.Generator, service: Service) -> Values:
    return random.poisson(_level(random, 0.003, 0.6) * service.traffic).astype(float)


def _pool(random: np.random.Generator, service: Service) -> Values:
    size = float(random.choice([20, 50, 100, 200]))
    return np.clip(np.round(random.poisson(size * 0.35 * service.traffic)), 0, size)


def _queue(random: np.random.Generator, service: Service) -> Values:
    busy = np.exp(0.12 * _slow(random, len(service.traffic), 0.9))
    return random.poisson(_level(random, 2, 50) * busy * service.traffic).astype(float)


def _disk(random: np.random.Generator, service: Service) -> Values:
    """Filling slowly, rotated at night."""
    place = np.arange(len(service.traffic))
    rotated = random.uniform(0.1, 0.5) * ((place + int(random.integers(1440))) % 1440) / 1440
    noise = 0.1 * _slow(random, len(place), 0.98) + random.normal(0, 0.02, len(place))
    return random.uniform(30, 80) + place / len(place) * random.uniform(0, 4) + rotated + noise


def _batch(random: np.random.Generator, service: Service) -> Values:
    """Nothing but for an hour of the night."""
    minute = np.arange(len(service.traffic)) % 1440
    begin, length = int(random.integers(60, 300)), int(random.integers(10, 60))
    jitter = np.repeat(random.integers(-30, 31, len(minute) // 1440 + 1), 1440)[: len(minute)]
    running = (minute >= begin + jitter) & (minute < begin + jitter + length)
    return np.where(running, random.poisson(_level(random, 100, 1e4), len(minute)), 0).astype(float)


def _temperature(random: np.random.Generator, service: Service) -> Values:
    day = 2 * np.sin(2 * np.pi * (service.timestamps % DAY) / DAY - random.uniform(0, 6))
    readings = random.uniform(30, 60) + day + _slow(random, len(day), 0.99) + random.normal(0, 0.3, len(day))
    return np.round(readings, 1)


# Of a hundred metrics so many are of each kind.
KINDS: Final[dict[str, tuple[int, Callable[[np.random.Generator, Service], Values]]]] = {
    "requests": (30, _requests),
    "latency_ms": (15, _latency),
    "cpu_percent": (12, _cpu),
    "memory_bytes": (8, _memory),
    "bytes_total": (8, _counter),
    "errors": (8, _errors),
    "pool_used": (4, _pool),
    "queue_depth": (4, _queue),
    "disk_percent": (4, _disk),
    "batch_rows": (3, _batch),
    "temperature": (4, _temperature),
}


def _stall(values: Values) -> Values:
    return np.full(len(values), values[0])


# What a fault makes of a quarter of an hour, by kind of metric.
FAULTS: Final[dict[str, dict[str, Callable[[Values], Values]]]] = {
    "requests": {"zero": lambda x: x * 0, "half": lambda x: np.round(x / 2), "triple": lambda x: x * 3},
    "latency_ms": {"double": lambda x: x * 2},
    "cpu_percent": {"hot": lambda x: np.minimum(x + 40, 100)},
    "memory_bytes": {"swollen": lambda x: x * 1.5},
    "bytes_total": {"stall": _stall},
    "batch_rows": {"absent": lambda x: x * 0},
}


def _faulty(random: np.random.Generator, name: str, kind: str, clean: Values) -> Iterator[Series]:
    """Copies of a series with one fault each, from day FIRST_FAULT_DAY on; a batch's as long as it should have run."""
    first = FIRST_FAULT_DAY * DAY // STEP
    if len(clean) <= first + 2 * FAULT_POINTS:
        return
    for fault, change in FAULTS.get(kind, {}).items():
        begin, length = int(random.integers(first, len(clean) - 2 * FAULT_POINTS)), FAULT_POINTS
        if kind == "batch_rows":
            running = np.flatnonzero(np.nan_to_num(clean[first:]) > 0) + first
            starts = running[np.append(True, np.diff(running) > DAY // STEP // 2)]
            begin = int(random.choice(starts))
            length = int(np.count_nonzero((running >= begin) & (running < begin + DAY // STEP // 2))) + 1
        values = clean.copy()
        values[begin : begin + length] = change(clean[begin : begin + length])
        if kind == "bytes_total":  # what was not counted stays uncounted
            values[begin + length :] -= clean[begin + length - 1] - clean[begin]
        yield Series(f"{name}.{fault}", values, (fault, begin, min(begin + length, len(clean)) - 1))
