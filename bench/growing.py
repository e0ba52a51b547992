"""A fleet in Redis that gets new points from run to run, made part by part: more metrics than memory holds as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.bench.axes import Axes
from ridgeline.bench.past import write_past
from ridgeline.bench.redis_fleet import NAMESPACE
from ridgeline.bench.room import check_room
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.redis.source import UNIQUE_SET
from ridgeline.io.redis.write import INTEGER_LAYOUT, encode_points

if TYPE_CHECKING:
    import redis

PART: Final = 2000  # metrics made at once
ROUND: Final = 500  # commands to a round trip
SIZES: Final = (8.0, 20.0)  # of a spike, in standard deviations of its metric
RATE: Final = 20.0  # by which a counter rises from point to point
RESETS: Final = 0.1  # share of the counters that began anew within their series
POINT: Final = INTEGER_LAYOUT.itemsize


@dataclass(slots=True)
class Growing:
    """`points` of each of the `keys` are in the Redis at `url`, the newest at `end`; `to_come` float64[steps, metrics] is not.

    past: the folder that holds days before them as Parquet; None: there is none
    """

    url: str
    client: redis.Redis
    step: int
    points: int
    end: int
    keys: list[bytes] = field(default_factory=list)
    to_come: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))
    past: Path | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def grow(self, delta: int) -> None:
        """Append the next `delta` points of each metric."""
        values, self.to_come = self.to_come[:delta], self.to_come[delta:]
        stamps = self.end + self.step * np.arange(1, len(values) + 1, dtype=np.int64)
        data = _encoded(np.tile(stamps, len(self)), values.T)
        size = len(values) * POINT
        for first in range(0, len(self), ROUND):
            pipeline: Any = self.client.pipeline(transaction=False)
            for row, key in enumerate(self.keys[first : first + ROUND], first):
                pipeline.append(key, data[row * size : (row + 1) * size])
            pipeline.execute()
        self.end += self.step * len(values)
        self.points += len(values)


@contextmanager
def growing(axes: Axes, *, steps: int, end: int, counters: float, past: Path | None = None) -> Iterator[Growing]:
    """The fleet of the axes in the given or an embedded Redis, the newest points at `end`, `steps` more in hand.

    `counters`: share of the metrics that count what happened since they began; `past`: an empty folder for what was before.
    """
    if axes.redis is None:
        check_room(axes.metrics, axes.points + steps)
    with ExitStack() as stack:
        url = axes.redis or stack.enter_context(embedded_redis()).url
        client = connect(url)
        stack.callback(client.close)
        fleet = Growing(url, client, axes.step, axes.points, end, past=past)
        fleet.to_come = np.empty((steps, axes.metrics))
        for first in range(0, axes.metrics, PART):
            _add(fleet, axes, first, min(PART, axes.metrics - first), counters)
        yield fleet


def _add(fleet: Growing, axes: Axes, first: int, metrics: int, counters: float) -> None:
    """Make and write the metrics from `first` on.

    Their keys come into being in the order of their names, as those of hosts that send all their metrics at once: what
    came together lies together in the server's memory.
    """
    steps = len(fleet.to_come)
    made = build_fleet(
        metrics,
        points=axes.points + steps,
        step=axes.step,
        end=fleet.end + steps * axes.step,
        seed=axes.seed + first,
    )
    random = np.random.default_rng(axes.seed + first)
    values = made.values
    _spike(random, values, axes.spikes)
    _count(random, values, counters)
    names = np.array(made.metrics)
    order = np.argsort(names)
    names, values = names[order], values[order]
    stored, fleet.to_come[:, first : first + metrics] = values[:, : axes.points], values[:, axes.points :].T
    named = [f"{first // PART:04d}.{name}" for name in names.tolist()]
    if fleet.past is not None:
        write_past(
            fleet.past / f"{first // PART:04d}.parquet", named, made.timestamps[: axes.points], stored, axes.step
        )
    keys = [f"{NAMESPACE}{name}".encode() for name in named]
    fleet.keys += keys
    fleet.client.sadd(f"{NAMESPACE}{UNIQUE_SET}", *keys)
    data = _encoded(np.tile(made.timestamps[: axes.points], metrics), stored)
    size = axes.points * POINT
    for row in range(0, metrics, ROUND // 10):
        pipeline: Any = fleet.client.pipeline(transaction=False)
        for at, key in enumerate(keys[row : row + ROUND // 10], row):
            _store(pipeline, key, data[at * size : (at + 1) * size], steps)
        pipeline.execute()


def _store(pipeline: Any, key: bytes, value: memoryview, steps: int) -> None:
    """Write a value so that it takes little more memory than it needs, after all that is to be appended.

    Redis doubles the memory of a value that outgrows it: so let it do that once half of it is there.
    """
    half = (len(value) // POINT + steps) // 2 * POINT + POINT
    pipeline.set(key, value[:half])
    pipeline.append(key, value[half : half + POINT])
    pipeline.append(key, value[half + POINT :])


def _encoded(timestamps: NDArray[np.int64], values: NDArray[np.float64]) -> memoryview:
    """The bytes of points, row after row."""
    return encode_points(timestamps, values.ravel(), float_timestamps=False).view(np.uint8).data


def _spike(random: np.random.Generator, values: NDArray[np.float64], share: float) -> None:
    """Let a share of all points stand out of their series."""
    places = np.flatnonzero(random.random(values.size) < share)
    rows = places // values.shape[1]
    size = random.uniform(*SIZES, len(places)) * random.choice((-1.0, 1.0), len(places))
    values.reshape(-1)[places] += size * values.std(axis=1)[rows]


def _count(random: np.random.Generator, values: NDArray[np.float64], share: float) -> None:
    """Make counters of a share of the series."""
    rows = np.flatnonzero(random.random(len(values)) < share)
    counted = random.poisson(RATE, (len(rows), values.shape[1])).cumsum(axis=1).astype(np.float64)
    for row in np.flatnonzero(random.random(len(rows)) < RESETS):
        at = int(random.integers(1, values.shape[1]))
        counted[row, at:] -= counted[row, at - 1]
    values[rows] = counted
