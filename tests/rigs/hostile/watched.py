"""A hostile fleet and what kernels remember of it, run after run, compared with full reads."""

from collections import Counter

import numpy as np
from rigs import memory
from rigs.hostile.fleet import Fleet

from ridgeline.engine.score.plan import ScorePlan
from ridgeline.kernels.memory import layout

REFRESHED = 60  # runs in which each row is read in full once
# Of each resolution: seconds between points, between runs, of the window.
SHAPES = {
    "10 s": (10, 60, 4 * 3600),
    "60 s": (60, 60, 86400),
    "60 s, two hours": (60, 60, 7200),
    "300 s": (300, 300, 86400),
    "hourly": (3600, 600, 5 * 86400),
}


class Watched:
    """What a run each period settled and what it read in full.

    asks: of every series, as `prepare` takes it; the other options are those of `Fleet`.
    codes   how often each code was given, reasons by name
    wrong   (run, metric, class of its change) of rows that were settled otherwise than a full read would, and had no excuse
    """

    def __init__(self, shape, *, asks=0, **options):
        step, period, window = SHAPES[shape]
        self.fleet = Fleet(step=step, period=period, window=window, **options)
        self.names = list(self.fleet.metrics)
        self.codes, self.wrong = Counter(), []
        minute = self.fleet.minute()
        size = layout.tail_size(max(2, 2 * period // step))
        self.ours = memory.Fleet(self._values(minute), ScorePlan(full_duration=window), asks=asks, size=size)
        self.ours.anchor(range(len(self.names)), minute.now)

    def run(self, runs):
        """Let so many periods pass."""
        for _ in range(runs):
            self._minute()
        return self

    def share(self, *codes):
        """How many of all rows were given one of these codes."""
        return sum(self.codes[code] for code in codes) / sum(self.codes.values())

    def _minute(self):
        minute = self.fleet.minute()
        self.ours.stored = self._values(minute)
        codes = self.ours.ask(minute.now)
        for name in (self.names[row] for row in self.ours.wrong(minute.now)):
            if not self.fleet.excused(name):
                self.wrong.append((self.fleet.run, name, minute.changes.get(name)))
        turn = np.arange(len(codes)) % REFRESHED == self.fleet.run % REFRESHED
        codes[turn & (codes < layout.READ)] = layout.READ_REFRESH
        self.ours.anchor(np.flatnonzero(codes >= layout.ABSENT), minute.now)
        self.codes.update(layout.READS[code - layout.READ] if code >= layout.READ else int(code) for code in codes)

    def _values(self, minute):
        return [minute.values[name] for name in self.names]
