"""A fleet of request rates over a real redis-server, learned for days, and runs over it that judge by walks."""

import numpy as np
from rigs.memory import packed
from rigs.runs import write_config

from ridgeline.engine.config.load import load_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.place import place_of
from ridgeline.engine.run.turn import Request
from ridgeline.engine.walks.kept import HOURS, PATTERNS, PROFILE, SECTIONS
from ridgeline.engine.walks.state import State
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.keys import Keys
from ridgeline.kernels.walks.layout import CELL, CELLS, HOT, LEADERS_ROOM, SLOTS

DAY = 86400
BEGIN = 1_700_000_000 // DAY * DAY + 3 * DAY  # a Friday
NAMESPACE = "metrics."
PAGES = '[analysis]\nrule = "pages"'


class Rates:
    """`count` request rates, a point a minute; `quiet` of them fall to nothing for `minutes` at `outage`, epoch seconds."""

    def __init__(self, count=8, days=9, outage=None, minutes=15, quiet=(2,), seed=5):
        self.names = [f"web{at}.requests" for at in range(count)]
        self.t = BEGIN + 60 * np.arange(days * 1440)
        shape = 1 - 0.6 * np.cos(2 * np.pi * (self.t % DAY) / DAY)
        self.x = np.random.default_rng(seed).poisson(200 * shape, (count, len(self.t))).astype(float)
        if outage is not None:
            self.x[list(quiet), np.searchsorted(self.t, outage) : np.searchsorted(self.t, outage + 60 * minutes)] = 0.0

    def until(self, now):
        """How many points of each there are by then."""
        return int(np.searchsorted(self.t, now, side="right"))

    def store(self, client, now, kept=DAY + 600):
        """Let Redis hold what it would at this moment."""
        first, end = self.until(now - kept), self.until(now)
        values = {
            f"{NAMESPACE}{name}": packed(self.t[first:end], row[first:end])
            for name, row in zip(self.names, self.x, strict=True)
        }
        client.mset(values)
        client.sadd(f"{NAMESPACE}unique_metrics", *values)

    def table(self, first, end):
        """The points from one moment to before another, as a dataset's table."""
        import pyarrow as pa

        some = (self.t >= first) & (self.t < end)
        n = int(some.sum())
        return pa.table(
            {
                "metric": np.repeat(self.names, n),
                "timestamp": np.tile(self.t[some], len(self.names)),
                "value": self.x[:, some].reshape(-1),
            }
        )

    def walked(self, now):
        """(state, scores by metric float32[points, SCORES]) of one walk from the first point to this moment."""
        end = self.until(now)
        count = len(self.names)
        state = State.fresh(count)
        scores, _ = state.walk(
            np.arange(count), end * np.arange(count + 1), np.tile(self.t[:end], count), self.x[:, :end].reshape(-1)
        )
        return state, scores.reshape(count, end, -1)


def configured(folder, url, extra=PAGES, **options):
    """The path of a configuration whose runs judge by walks."""
    return write_config(folder, url, extra=extra, **{"alerts": (("", "console", 3600),), **options})


def run(config, now, **request):
    """The report of a run at this moment."""
    return run_once(Request(load_config(config), **request), now=lambda: now)


def memory_of(config):
    """The place of a configuration's memory."""
    return place_of(load_config(config))


def bytes_of(config, names):
    """What a memory keeps of the walks of these metrics, in the arrays of `State`."""
    place = memory_of(config)
    with MemoryFile.open(place.path, place.owner, SECTIONS, writing=False) as memory:
        rows = memory.rows_of(Keys.of([f"{NAMESPACE}{name}".encode() for name in names]))
        assert (rows >= 0).all()
        hot = memory.rows("walks").view(np.float64)[rows, :HOT]
        hours = memory.stripes(HOURS.name)[0].view(np.float32)[rows, :SLOTS]
        patterns = memory.stripes(PATTERNS.name)[0].view(np.float32)[rows, :LEADERS_ROOM]
        cells = memory.stripes(PROFILE.name)[:, rows].reshape(CELLS * len(names), 4 * CELL)
        return [array.tobytes() for array in (hot, hours, patterns, cells)]


def of_state(state):
    return [array.tobytes() for array in (state.hot, state.slots, state.leaders, state.profile)]
