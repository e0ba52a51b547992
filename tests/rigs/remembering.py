"""One fleet over two servers of Redis: runs that remember over the one, runs that read everything over the other."""

import contextlib
from dataclasses import dataclass, field
from unittest import mock

from rigs.redis import redis_server
from rigs.runs import write_config

from ridgeline.engine.config.load import load_config
from ridgeline.engine.run import once
from ridgeline.engine.run.turn import Request
from ridgeline.engine.score.verdicts import OUTCOMES, REASONS

NAMESPACE = "metrics."
SAME = ("outcome", "reason", "anomalous", "datapoint", "timestamp", "negatives")
OWN = (b"ridgeline.", b"last_alert.")  # keys that only we read
SPENT = (b"analyzer.run_time", b"analyzer.log.errors.per_minute")  # what a run took, and what it complained of


@dataclass
class Recorder:
    """A sink that keeps the verdict of every metric, however it was come by."""

    verdicts: dict = field(default_factory=dict)
    settled: int = 0
    wants_series: bool = False
    wants_all: bool = False

    def take(self, matrix, verdicts):
        for row in verdicts.to_pylist():
            votes = {name: vote for name, vote in row.items() if name not in SAME} if row["anomalous"] else None
            self._keep(row["metric"], tuple(row[name] for name in SAME), votes)

    def settle(self, settled):
        self.settled += len(settled)
        columns = (settled.outcomes, settled.reasons, settled.datapoints, settled.timestamps, settled.negatives)
        names = settled.names(settled.outcomes < len(OUTCOMES))
        for name, outcome, reason, value, stamp, negative in zip(names, *(c.tolist() for c in columns), strict=True):
            judged = False if OUTCOMES[outcome] == "analysed" else None
            self._keep(name, (OUTCOMES[outcome], REASONS[reason] or None, judged, value, stamp, negative), None)

    def finish(self, turn):
        pass

    def _keep(self, name, told, votes):
        assert name not in self.verdicts, f"{name} is told of twice"
        self.verdicts[name] = (told, votes)


def write(pipe, key, value):
    """Let this be the value of a key: bytes, None for none, ("list", [...]) or ("hash", {...})."""
    if not isinstance(value, bytes):
        pipe.delete(key)
    match value:
        case bytes():
            pipe.set(key, value)
        case ("list", items):
            pipe.rpush(key, *items)
        case ("hash", fields):
            pipe.hset(key, mapping=fields)


@dataclass
class Side:
    """A server and the configuration of runs over it."""

    server: object
    config: object

    def store(self, values):
        """Let these be the series, by base name: bytes, None, ("list", [...]) or ("hash", {...})."""
        pipe = self.server.client.pipeline(transaction=False)
        for name, value in values.items():
            write(pipe, f"{NAMESPACE}{name}", value)
        pipe.execute()

    def list(self, names):
        """Let these be the names that are listed."""
        listed = {name.encode().removeprefix(NAMESPACE.encode()) for name in ()}
        key = f"{NAMESPACE}unique_metrics"
        there = {member.decode().removeprefix(NAMESPACE) for member in self.server.client.smembers(key)} | listed
        if new := set(names) - there:
            self.server.client.sadd(key, *(f"{NAMESPACE}{name}" for name in new))
        if over := there - set(names):
            self.server.client.srem(key, *(f"{NAMESPACE}{name}" for name in over))

    def run(self, now, **request):
        """(report, recorder) of a run at this moment."""
        recorder = Recorder()
        stages = [("scan", lambda turn: turn.sinks.append(recorder)), *once.STAGES]
        with mock.patch.object(once, "STAGES", tuple(stages)):
            report = once.run_once(Request(self.config, **request), now=lambda: now)
        return report, recorder

    def keys(self):
        """What every key but series and our own holds."""
        client, found = self.server.client, {}
        for key in client.scan_iter(count=1000):
            if key.startswith((*OWN, NAMESPACE.encode())) or key in SPENT:
                continue
            kind = client.type(key)
            ask = {b"string": client.get, b"set": client.smembers, b"hash": client.hgetall}[kind]
            found[key] = ask(key)
        return found


@contextlib.contextmanager
def both_sides(folder, **options):
    """The side that remembers, and the one that reads all."""
    with redis_server() as one, redis_server() as other:
        sides = []
        for name, server in (("remembers", one), ("reads", other)):
            (folder / name).mkdir()
            config = write_config(folder / name, server.url, **{"alerts": (("", "console", 60),), **options})
            sides.append(Side(server, load_config(config)))
        yield sides


def differences(one, other):
    """What two recorders do not tell alike, by metric."""
    wrong = {}
    for name in one.verdicts.keys() | other.verdicts.keys():
        first, second = one.verdicts.get(name), other.verdicts.get(name)
        if first != second:
            wrong[name] = first, second
    return wrong
