"""A fleet under a hostile hand: what Redis holds at each of a run of minutes, and what a reader of tails owes for it.

    fleet = Fleet(seed=1, step=60)
    for _ in range(200):
        minute = fleet.minute()     # .now, .values {key: bytes | None | ("list", [...]) | ("hash", {...})}, .changes {key: class}
        ... a run as of minute.now, compared with a full one; where fleet.excused(key), a difference may stand

Everything follows from the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from rigs.hostile.changes import DEEP, SHALLOW
from rigs.hostile.kinds import KINDS
from rigs.hostile.promise import DEEPER, NEAR, RUNS, promised
from rigs.hostile.stored import LAYOUTS, Stored

START = 1_700_000_000 - 1_700_000_000 % 3600
GRACE = 600  # seconds that a trimmer leaves beyond the window
REPLACED = (("list", [b"a", b"b"]), ("hash", {b"a": b"b"}))


@dataclass(frozen=True)
class Minute:
    """What a run finds. `changes`: the class of what happened to each key since the minute before, where something did."""

    now: int
    values: dict[str, bytes | tuple | None]
    changes: dict[str, str]


@dataclass
class Metric:
    """A key and the sender behind it."""

    kind: str
    value: Callable[[int], float]
    stored: Stored
    next: int  # the second of the sender's next point
    jitter: int = 0
    silent: bool = False
    held_until: int = 0  # what is measured before that comes then, at once
    waiting: list[tuple[int, float]] = field(default_factory=list)
    replaced: tuple | None = None  # a value of another type
    gone: bool = False
    seen: Stored | None = None  # as the last run found it
    deeper: int = -RUNS  # the minute of the last change that need not be seen at once


class Fleet:
    """Metrics at one resolution.

    step       seconds between points; period: between runs; window: that are judged
    held       seconds that the trimmer leaves (default: the window and `GRACE`), who comes every `trims` minutes (0: never)
    hostility  changes per metric and minute; deep: how many of these are of `DEEP`
    kinds      of `KINDS`; layouts: of `LAYOUTS`; copies: metrics of each kind in each layout
    filled     how much of what the trimmer leaves is there at the start
    """

    def __init__(
        self, *, seed=0, step=60, period=60, window=86400, held=None, trims=3, hostility=0.05,
        deep=0.05, kinds=tuple(KINDS), layouts=LAYOUTS, copies=1, filled=1.0,
    ):  # fmt: skip
        self.rng = np.random.default_rng([seed, step])
        self.step, self.period, self.window = step, period, window
        self.held = window + GRACE if held is None else held
        self.trims, self.hostility, self.deep = trims, hostility, deep
        self.now, self.run = START, -1
        self.metrics = {
            f"{kind}.{layout}.{copy}": self._metric(kind, layout, filled)
            for kind in kinds
            for layout in layouts
            for copy in range(copies)
        }

    def minute(self) -> Minute:
        """Let a period pass, and show what it left."""
        self.run += 1
        self.now += self.period
        for metric in self.metrics.values():
            self._pass(metric)
        if self.trims and self.run % self.trims == self.trims - 1:
            for metric in self.metrics.values():
                self._trim(metric)
        changes = {name: self._class(metric) for name, metric in self.metrics.items()}
        values = {name: _shown(metric) for name, metric in self.metrics.items()}
        return Minute(self.now, values, {name: change for name, change in changes.items() if change is not None})

    def excused(self, name: str) -> bool:
        """Whether a difference may stand: what changed deep inside within the last 60 runs may not have shown yet."""
        return self.run - self.metrics[name].deeper < RUNS

    def _metric(self, kind, layout, filled) -> Metric:
        """A metric with its history. One in eight is younger than the window; one in twelve fell silent long ago."""
        rng = np.random.default_rng([*self.rng.integers(0, 2**32, 2), zlib.crc32(kind.encode())])
        value, stored = KINDS[kind](rng), Stored(layout)
        age, silent, choice = self.held * filled, False, self.rng.random()
        if choice < 1 / 8:
            age = self.step * int(self.rng.integers(0, 130))
        elif choice < 1 / 8 + 1 / 12:
            silent = True
        end = START - self.held + self.step * int(self.rng.integers(95, 130)) if silent else START
        first = int(START - age + self.rng.integers(0, self.step))
        for t in range(first, max(min(end, START), first) + 1, self.step):
            stored.append(t, value(t))
        jitter = int(self.rng.integers(1, max(self.step // 5, 2))) if self.rng.random() < 0.2 else 0
        return Metric(kind, value, stored, first + self.step * len(stored.items), jitter, silent)

    def _pass(self, metric: Metric) -> None:
        """One period of one metric: what hostile hands do to what is there, then what its sender sends."""
        if metric.replaced is not None or metric.gone:
            if self.rng.random() < 0.2:
                self._return(metric)
        elif metric.stored.items and self.rng.random() < self.hostility:
            change = self._choice([*(DEEP if self.rng.random() < self.deep else SHALLOW).values()])
            change(metric.stored, self.now, self.step, self.rng)
        elif self.rng.random() < self.hostility / 20:
            metric.gone = True
        elif self.rng.random() < self.hostility / 20:
            metric.replaced = self._choice(REPLACED)
        elif self.rng.random() < self.hostility / 5:
            metric.held_until = self.now + int(self.rng.integers(1, 16)) * self.period
        self._send(metric)

    def _return(self, metric: Metric) -> None:
        """A key that was gone or of another type is there again: with all it had, its newest points, or none of them."""
        metric.gone, metric.replaced = False, None
        left = self._choice((len(metric.stored.items), 40, 0))
        metric.stored.items = metric.stored.items[len(metric.stored.items) - left :]
        metric.stored.broken = metric.stored.broken and bool(left)

    def _choice(self, options):
        return options[self.rng.integers(len(options))]

    def _send(self, metric: Metric) -> None:
        while metric.next <= self.now:
            moment = metric.next + (int(self.rng.integers(0, metric.jitter + 1)) if metric.jitter else 0)
            if not metric.silent:
                metric.waiting.append((min(moment, self.now), metric.value(metric.next)))
            metric.next += self.step
        if self.now >= metric.held_until and not metric.gone and metric.replaced is None:
            for t, x in metric.waiting:
                metric.stored.append(t, x)
            metric.waiting.clear()

    def _trim(self, metric: Metric) -> None:
        if metric.replaced is None and not metric.gone and not metric.stored.trim(self.now - self.held):
            metric.stored.items, metric.stored.broken = [], False

    def _class(self, metric: Metric) -> str | None:
        """What happened since the last run; noted as seen."""
        if metric.replaced is not None or metric.gone or not metric.stored.items:
            return NEAR
        before, metric.seen = metric.seen, replace(metric.stored, items=[*metric.stored.items])
        if before is None:
            return NEAR
        if before.data == metric.seen.data:
            return None
        change = promised(before, metric.seen, now=self.now, window=self.window)
        if change == DEEPER:
            metric.deeper = self.run
        return change


def _shown(metric: Metric) -> bytes | tuple | None:
    if metric.replaced is not None or metric.gone or not metric.stored.items:
        return None if metric.replaced is None else metric.replaced
    return metric.stored.data
