"""A synthetic fleet: the shapes that real metrics have, and incidents planted at its end.

Used by `ridgeline demo` and `ridgeline bench`. Nothing here is drawn from anyone's data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Values = npt.NDArray[np.float64]
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Incident:
    """A planted incident: what happened to `metric`, from `start` to `end` (epoch seconds, both inclusive)."""

    metric: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """Regular series: `values` float64[metrics, points], one shared row of `timestamps` int64[points]."""

    metrics: list[str]
    timestamps: npt.NDArray[np.int64]
    values: Values
    incidents: tuple[Incident, ...]

    def table(self) -> pa.Table:
        """The fleet in long format: metric, timestamp, value, clustered by metric."""
        rows, points = self.values.shape
        codes = pa.array(np.repeat(np.arange(rows, dtype=np.int32), points))
        return pa.table(
            {
                "metric": pa.DictionaryArray.from_arrays(codes, pa.array(self.metrics, pa.string())),
                "timestamp": np.tile(self.timestamps, rows),
                "value": self.values.ravel(),
            }
        )

    def labels(self) -> pa.Table:
        """The planted incidents as labelled windows: metric, start, end."""
        rows = [{"metric": i.metric, "start": i.start, "end": i.end} for i in self.incidents]
        return pa.Table.from_pylist(
            rows, pa.schema([("metric", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
        )


def build_fleet(
    metrics: int,
    *,
    points: int = 1440,
    step: int = 60,
    end: int,
    seed: int = 7,
    incidents: int = 0,
    scattered: bool = False,
) -> Fleet:
    """Make `metrics` series of `points` points, `step` seconds apart, the newest at `end`; plant `incidents`.

    They end the series; `scattered`, they lie anywhere in its last two thirds, and a series may have several.
    """
    random = np.random.default_rng(seed)
    timestamps = end - step * np.arange(points - 1, -1, -1, dtype=np.int64)
    names: list[str] = []
    values = np.empty((metrics, points))
    kinds = list(_KINDS.items())
    for k, (kind, make) in enumerate(kinds):
        rows = np.arange(k, metrics, len(kinds))
        values[rows] = make(random, len(rows), timestamps)
        names += [""] * (metrics - len(names)) if not names else []
        for row in rows:
            names[row] = _name(int(row), kind)
    fit = np.array([row for row in range(metrics) if kinds[row % len(kinds)][0] in _FIT_FOR_INCIDENTS])
    chosen = np.sort(random.choice(fit, size=incidents if scattered else min(incidents, len(fit)), replace=scattered))
    planted = []
    for row in chosen:
        stop = int(random.integers(points // 3, points)) if scattered else points
        kind, length = _plant(random, values[row, :stop], values[row].std())
        planted.append(Incident(names[row], kind, int(timestamps[stop - length]), int(timestamps[stop - 1])))
    return Fleet(names, timestamps, values, tuple(planted))


def _name(row: int, kind: str) -> str:
    regions = ("eu-west", "us-east", "ap-south")
    return f"{regions[row % 3]}.{kind.partition('.')[0]}{row // 3 % 97:02d}.{kind.partition('.')[2]}.{row:06d}"


def _column(random: np.random.Generator, rows: int, low: float, high: float) -> Values:
    """One level per series, log-uniform between `low` and `high`: float64[rows, 1]."""
    return np.exp(random.uniform(np.log(low), np.log(high), (rows, 1)))


def _daily(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    """A daily wave between -1 and 1, peak hour by series."""
    return np.sin(2 * np.pi * (timestamps / DAY + random.uniform(0, 1, (rows, 1))))


def _requests(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    level = _column(random, rows, 20, 5000) * (1 + 0.25 * _daily(random, rows, timestamps))
    return random.poisson(level).astype(float)


def _latency(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    return _column(random, rows, 2, 200) * random.lognormal(0, 0.18, (rows, len(timestamps)))


def _cpu(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    noise = random.normal(0, 4, (rows, len(timestamps)))
    return np.clip(random.uniform(20, 60, (rows, 1)) + 8 * _daily(random, rows, timestamps) + noise, 0, 100)


def _memory(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    """Slowly drifting gauges around a level: an AR(1) of long memory."""
    noise = random.normal(0, 1, (rows, len(timestamps)))
    drift = np.empty_like(noise)
    level = np.zeros(rows)
    for i in range(len(timestamps)):
        level = 0.97 * level + noise[:, i]
        drift[:, i] = level
    return _column(random, rows, 1e9, 1e11) * (1 + 0.002 * drift)


def _queue(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    return random.geometric(0.3, (rows, len(timestamps))).astype(float) - 1


def _errors(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    return random.poisson(random.uniform(0.05, 0.6, (rows, 1)), (rows, len(timestamps))).astype(float)


def _disk(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    ramp = np.linspace(0, 1, len(timestamps)) * random.uniform(0.1, 2, (rows, 1))
    return random.uniform(30, 80, (rows, 1)) + ramp + random.normal(0, 0.05, (rows, len(timestamps)))


def _temperature(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    readings = random.uniform(35, 60, (rows, 1)) + random.normal(0, 0.7, (rows, len(timestamps)))
    return np.round(readings, 1)


def _bytes(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    level = _column(random, rows, 1e4, 1e8) * (1 + 0.2 * _daily(random, rows, timestamps))
    return level * (1 + random.normal(0, 0.08, (rows, len(timestamps))))


def _flat(random: np.random.Generator, rows: int, timestamps: npt.NDArray[np.int64]) -> Values:
    return np.repeat(np.round(_column(random, rows, 1, 64)), len(timestamps), axis=1)


_KINDS: Final[dict[str, Callable[[np.random.Generator, int, npt.NDArray[np.int64]], Values]]] = {
    "web.nginx.requests": _requests,
    "api.http.latency_ms": _latency,
    "host.cpu.percent": _cpu,
    "host.memory.used_bytes": _memory,
    "mq.queue.depth": _queue,
    "web.nginx.errors": _errors,
    "db.disk.percent": _disk,
    "host.sensors.temperature": _temperature,
    "net.eth0.bytes": _bytes,
    "app.config.workers": _flat,
}
# Shapes on which an incident of the size planted here is one: a constant has no spread to compare with.
_FIT_FOR_INCIDENTS: Final = tuple(kind for kind in _KINDS if kind != "app.config.workers")


def _plant(random: np.random.Generator, series: Values, spread: float) -> tuple[str, int]:
    """Change the newest points of one series by 6 to 12 times its `spread`: kind of incident, points changed."""
    size = random.uniform(6, 12) * spread
    kinds = ("surge", "drop", "burst") if series.mean() > 1.2 * size else ("surge", "burst")
    kind = kinds[int(random.integers(len(kinds)))]
    points = {"surge": 8, "drop": 6, "burst": 4}[kind]
    shape = random.uniform(0.9, 1.1, points) * size
    series[-points:] += -shape if kind == "drop" else shape
    return kind, points
