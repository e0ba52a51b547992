"""Several hosts over one Redis beside one host over another, with the same series: what each side says and leaves there."""

from unittest import mock

import msgpack
from rigs.books import SLOW, Desk

from ridgeline.engine.run import once

HOSTS = ("alpha", "beta.example", "gamma")
# Of each host its own, and how long runs took; what is said of a run as a whole.
APART = (
    "ridgeline.host.",
    "ridgeline.books",
    "ridgeline.series",
    "analyzer.run_time",
    "analyzer.total_",
    "metrics.",
    "bare.key",
    "app.steady1",
)


def table(host, hosts=HOSTS, take_over=()):
    """`[shards]` of one host."""
    listed = ", ".join(f'"{name}"' for name in hosts)
    lost = ", ".join(f'"{name}"' for name in take_over)
    return f'[shards]\nhosts = [{listed}]\nhost = "{host}"\n' + (f"take_over = [{lost}]\n" if lost else "")


class Recorder:
    """A sink that keeps every verdict."""

    wants_series = False
    wants_all = True

    def __init__(self):
        self.verdicts = []

    def take(self, matrix, verdicts):
        self.verdicts += [
            (one["metric"], one["outcome"], one["anomalous"], one["votes"], one["timestamp"])
            for one in verdicts.to_pylist()
        ]

    def finish(self, turn):
        pass


class Side:
    """Hosts over one Redis; one called "" is the only one. `raw`: bytes of further keys of series, by key."""

    def __init__(self, server, folder, hosts, extra):
        self.client, self.server, self.extra, self.folder = server.client, server, extra, folder
        self.metrics, self.raw = {}, {}
        self.desks = {}
        for host in hosts:
            self.configure(host, table(host) if host else "")

    def configure(self, host, shards):
        place = self.folder / (host or "one")
        place.mkdir(exist_ok=True)
        self.desks[host] = Desk(self.client, self.server.url, place, extra=f"{self.extra}\n{shards}")

    def store(self, now):
        for desk in self.desks.values():
            desk.now, desk.metrics = now, self.metrics
        next(iter(self.desks.values())).store()
        for key, points in self.raw.items():
            self.client.set(key, b"".join(msgpack.packb((now - age, value)) for age, value in points))
            self.client.sadd("metrics.unique_metrics", key)

    def run(self, host, **request):
        """(report, verdicts) of one run."""
        recorder = Recorder()
        stages = [("scan", lambda turn: turn.sinks.append(recorder)), *once.STAGES]
        with mock.patch.object(once, "STAGES", tuple(stages)):
            return self.desks[host].run(store=False, **request), recorder.verdicts

    def later(self, seconds):
        next(iter(self.desks.values())).later(seconds)

    def keys(self):
        """Every key that both sides have alike: type, life, value."""
        desk, found = next(iter(self.desks.values())), {}
        for key in sorted(key.decode("utf-8", "replace") for key in self.client.scan_iter()):
            if key.startswith(APART):
                continue
            kind = self.client.type(key).decode()
            value = {"string": desk.text, "set": desk.set, "hash": desk.hash}[kind](key)
            found[key] = (kind, self.client.ttl(key), value)
        return found


def differences(one, other):
    """Keys that two sides do not have alike; the seconds that a slow machine took are given back."""
    wrong = {}
    for key in one.keys() | other.keys():
        first, second = one.get(key), other.get(key)
        alike = first is not None and second is not None and first[::2] == second[::2]
        if not (alike and (first[1] < 0) == (second[1] < 0) and abs(first[1] - second[1]) <= SLOW):
            wrong[key] = first, second
    return wrong
