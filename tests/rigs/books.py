"""A small fleet in Redis whose metrics come, go and change their ways from run to run, and the books after each run."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
from rigs.runs import load

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request

START = 1_700_000_000
MINUTE = 60
LIVES = (120, 300, 900, 86400)  # seconds that keys of the books live
SLOW = 10
PASSWORD = "s3ntinel-w0rd"
POINTS = 200


def steady(seed=1, points=POINTS):
    """A metric that nothing is wrong with."""
    return 100.0 + np.random.default_rng(seed).normal(0.0, 1.0, points)


def flat(points=POINTS):
    """A boring one."""
    return np.full(points, 5.0)


def spike(seed=1, points=POINTS):
    """One whose newest point is an anomaly."""
    values = steady(seed, points)
    values[-1] = 400.0
    return values


@dataclass
class Desk:
    """`metrics`: by name, (values, age of the newest point in seconds). `now`: the clock, which `run` does not move.

    `source` is more of `[source]`, `extra` more tables.
    """

    client: object
    url: str
    folder: object
    source: str = ""
    extra: str = ""
    now: int = START
    metrics: dict = field(default_factory=dict)

    def config(self):
        """What the runs go by."""
        tables = ("[run]", "deadline = 30", "[output]", f'directory = "{self.folder}"', self.extra)
        text = "\n".join(("[source]", 'kind = "redis"', f'url = "{self.url}"', self.source, *tables))
        return parse_config(text.encode(), self.folder / "ridgeline.toml", {"PASSWORD": PASSWORD})

    def store(self):
        """Put the series where Horizon would."""
        for key in self.client.keys("metrics.*"):
            self.client.delete(key)
        columns = {"metric": [], "timestamp": [], "value": []}
        for name, (values, age) in self.metrics.items():
            last = self.now - age
            columns["metric"] += [name] * len(values)
            columns["timestamp"] += list(range(last - MINUTE * (len(values) - 1), last + 1, MINUTE))
            columns["value"] += list(map(float, values))
        load(self.client, pa.table(columns))

    def run(self, *, store=True, **request):
        """One run at `now`; its report."""
        if store:
            self.store()
        return run_once(replace(Request(self.config()), **request), now=lambda: float(self.now))

    def later(self, seconds):
        """Let the clock move, and what expires meanwhile be gone."""
        self.now += seconds
        for key in self.client.keys("*"):
            left = self.client.ttl(key)
            if 0 <= left <= seconds:
                self.client.delete(key)
            elif left > 0:
                self.client.expire(key, left - seconds)

    def set(self, key):
        """The members of a set; None where there is none."""
        return {name.decode() for name in self.client.smembers(key)} if self.client.exists(key) else None

    def exceptions(self, key):
        """The metrics of such a set, and its marks."""
        members = self.set(key) or set()
        marks = {name for name in members if name.startswith("_updated_at_")}
        return members - marks, marks

    def hash(self, key):
        """The fields of a hash."""
        return {name.decode(): text.decode() for name, text in self.client.hgetall(key).items()}

    def text(self, key):
        """The text of a string; None where there is none."""
        found = self.client.get(key)
        return None if found is None else found.decode()

    def notes(self):
        """What the last run noted for the next."""
        return json.loads(self.text("ridgeline.books"))

    def lives(self, key):
        """The seconds that a key still lives, None for ever; those that a slow machine took are given back."""
        left = self.client.ttl(key)
        return next((usual for usual in LIVES if usual - SLOW <= left <= usual), left) if left >= 0 else None

    def shape(self):
        """Every key but the series and our own state, with its type and the seconds that it lives."""
        names = [key.decode() for key in self.client.keys("*")]
        kept = [key for key in names if not key.startswith(("metrics.", "ridgeline.", "last_alert."))]
        return {key: (self.client.type(key).decode(), self.lives(key)) for key in kept}
