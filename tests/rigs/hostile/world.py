"""A fleet of every resolution under a hostile hand, judged minute by minute by the whole command: over one server by runs
that remember, over another that holds the same by runs without any memory.

    with world(tmp_path, seed=1) as fleet:
        for _ in range(200):
            minute = fleet.minute()     # what both runs told, and how they differ where they may not
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from unittest import mock

import numpy as np
from rigs.hostile.fleet import Fleet
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.remembering import NAMESPACE, OWN, SPENT, Recorder, differences, write

from ridgeline.engine.cli.main import main
from ridgeline.engine.run import once

# Seconds that are judged, by seconds between points.
WINDOWS = {10: 4 * 3600, 60: 86400, 300: 86400, 3600: 5 * 86400}
PLAIN = "plain"  # metrics that nobody touches but their senders and the trimmer: their window changes with the configuration
# What some names end with: whatever a key can hold.
ODD = (
    b"\n", b"\nmetrics.x", b"\r\n$-1\r\n", b"\t", b" ", b"'\"\\", "naïve\u2028".encode(), b"\xff\xfe", b"\x00", b"..", b"%s{}", b"x" * 300,
    b"\x1b[2J", "\U0001f600".encode(), b"metrics.",
)  # fmt: skip
VARIANTS = (
    "",
    '[[override]]\nmatch = "gauge"\nconsensus = 4\nstale_period = 300\n',
    '[[override]]\nmatch = "integer"\nthresholds = { stddev_from_average = 2.0, mean_subtraction_cumulation = 2.5 }\nconsensus = 5\n',
    '[[override]]\nmatch = "^plain"\nfull_duration = "2h"\n',
    '[[override]]\nmatch = "latency"\nalgorithms = ["grubbs", "ks_test", "histogram_bins"]\nconsensus = 2\n',
    '[[override]]\nmatch = "s300"\nresolution_aware = true\nconsensus = 5\n',
    '[[override]]\nmatch = "season"\ndirection = "up"\nmin_change_relative = 0.2\n',
)
SKIP = '[analysis]\nskip = ["batch.float"]\n'
# What siblings are told of a series' pace, which may be as old as its last full read.
TOLD = {
    b"analyzer.metrics_manager.resolutions",
    b"analyzer.metrics_manager.hash_key.metrics_data_sparsity",
    b"analyzer.metrics_manager.metrics_fully_populated",
}
PAST = b"aet."  # what the sets of the run before held, for some seconds of the real clock
AHEAD = "lies in the future"  # of points that wait nobody counts which metrics have one
COMPILING = "compiling the kernels"  # where nobody has run anything on this machine yet
SELF = "ridgeline.no_data"  # an alert about all metrics
ALIKE = ("outcomes", "reasons", "metrics", "exit", "algorithm_errors", "preparation")


@dataclass
class Judge:
    """A server, the configuration of the runs over it, and where their alerts go."""

    server: object
    http: object
    folder: object
    memory: bool

    @property
    def config(self):
        return self.folder / "ridgeline.toml"

    @property
    def kept(self):
        """The file of the memory."""
        return self.folder / "m"

    @property
    def socket(self):
        """The path of the server's socket."""
        return self.server.url.removeprefix("unix://")

    def configure(self, variant, counters):
        """Let runs go by one of `VARIANTS`."""
        windows = "".join(
            f'[[override]]\nmatch = "^s{step}[.]"\nfull_duration = {window}\n' for step, window in WINDOWS.items()
        )
        memory = f'"{self.kept}"' if self.memory else "false"
        skip = SKIP if variant % 2 else "[analysis]\n"
        self.config.write_text(
            f'[source]\nkind = "redis"\nurl = "{self.server.url}"\nchunk_keys = 50\n'
            f"[run]\ndeadline = 120\nthreads = 2\n{skip}memory = {memory}\n"
            f'[preparation]\ncounters = {counters}\n[output]\ndirectory = "{self.folder / "out"}"\n'
            f'{windows}{VARIANTS[variant]}[[alert]]\nmatch = "quantised"\nstrategy = "http"\nexpiration = 120\nm_of_n = [2, 4]\n'
            f'[[alert]]\nmatch = ""\nstrategy = "http"\nexpiration = 600\n[alerters.http]\nurl = "{self.http.url}alert"\n'
        )

    def put(self, values, known):
        """Let these be the values, by key; what is `known` to be there, by key, is only added to."""
        pipe = self.server.client.pipeline(transaction=False)
        for key, value in values.items():
            if known.get(key):
                pipe.append(key, value[len(known[key]) :])
                continue
            write(pipe, key, value)
        pipe.execute()

    def list(self, names):
        """Let these keys be the ones that are listed."""
        key = f"{NAMESPACE}unique_metrics"
        there = self.server.client.smembers(key)
        if new := names - there:
            self.server.client.sadd(key, *new)
        if over := there - names:
            self.server.client.srem(key, *over)

    def run(self, now, *arguments):
        """(exit code, the object of `--json`, what was told of every metric, alerts that came) of `ridgeline run`."""
        recorder, out, before = Recorder(), io.StringIO(), len(self.http.requests)
        stages = (("scan", lambda turn: turn.sinks.append(recorder)), *once.STAGES)
        with (
            mock.patch.object(once, "STAGES", stages),
            mock.patch.object(once, "run_once", partial(once.run_once, now=lambda: now)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error := io.StringIO()),
        ):
            code = main(["run", "--config", str(self.config), "--json", *arguments])
        assert out.getvalue(), error.getvalue()
        alerts = [alert for request in self.http.requests[before:] for alert in request.json["alerts"]]
        alerts.sort(key=lambda alert: alert["metric"])
        problems = [line for line in error.getvalue().splitlines() if AHEAD not in line and COMPILING not in line]
        return Told(code, json.loads(out.getvalue()), problems, recorder, alerts)

    def books(self):
        """What every key but series and our own holds."""
        client, found = self.server.client, {}
        for key in client.scan_iter(count=1000):
            if key.startswith((*OWN, PAST, NAMESPACE.encode())) or key in SPENT:
                continue
            kind = client.type(key)
            found[key] = {b"string": client.get, b"set": client.smembers, b"hash": client.hgetall}[kind](key)
        return found


@dataclass
class Told:
    """What one run told."""

    code: int
    json: dict
    problems: list
    recorder: Recorder
    alerts: list


@dataclass
class Seen:
    """What both told of a minute.

    wrong    metrics of which they told otherwise; excused: those where they may
    rest     what else they told otherwise, books included, as far as it is of no metric that has an excuse
    """

    now: int
    ours: Told
    theirs: Told
    wrong: dict
    excused: dict
    rest: dict


@dataclass
class World:
    """Fleets by what their names begin with, and both judges. Everything follows from the seed.

    append: whether senders add to what is stored, which others may change meanwhile. before: what happens before both judge,
    given the moment.
    """

    judges: tuple
    seed: int
    fleets: dict
    counters: str = '"auto"'
    variant: int = 0
    append: bool = False
    before: Callable[[int], object] = id
    hidden: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    shown: dict = field(default_factory=dict)
    differed: set = field(default_factory=set)  # metrics of which both told otherwise at any time, as they may

    def __post_init__(self):
        self.rng = np.random.default_rng([self.seed, 77])
        for judge in self.judges:
            judge.configure(self.variant, self.counters)
        for at, (first, name) in enumerate(
            (first, name) for first, fleet in self.fleets.items() for name in fleet.metrics
        ):
            odd = ODD[at // 5 % len(ODD)] if at % 5 == 0 else b""
            self.keys[first, name] = f"{NAMESPACE}{first}.{name}".encode() + odd

    def minute(self) -> Seen:
        """Let a minute pass, or some, and have both judge what there is then."""
        missed = int(self.rng.integers(2, 9)) if self.rng.random() < 0.05 else 1  # runs that cron missed
        now, values = self._pass(missed)
        fresh = {key: value for key, value in values.items() if self.shown.get(key, ()) != value}
        known = {key: self.shown.get(key) for key in fresh} if self.append else {}
        self.shown.update(fresh)
        listed = self._listed(now)
        for judge in self.judges:
            judge.put(fresh, known)
            judge.list(listed)
        self._disturb(now)
        self.before(now)
        return self._judge(now)

    def again(self) -> Seen:
        """Have both judge once more what there is, some seconds later or earlier."""
        return self._judge(self.now + int(self.rng.integers(-90, 50)))

    @property
    def now(self):
        return next(iter(self.fleets.values())).now

    def excused(self):
        """Metrics that may be told of otherwise, as verdicts name them."""
        return {
            self._name(self.keys[first, name])
            for first, fleet in self.fleets.items()
            for name in fleet.metrics
            if fleet.excused(name)
        }

    def _pass(self, periods):
        values = {}
        for first, fleet in self.fleets.items():
            period, fleet.period = fleet.period, fleet.period * periods
            minute = fleet.minute()
            fleet.period = period
            values.update((self.keys[first, name], value) for name, value in minute.values.items())
        return self.now, values

    def _listed(self, now):
        """The keys that are listed: some are not, for a while. Of a minute in which one goes, none comes."""
        back = [key for key, until in self.hidden.items() if until <= now]
        if back:
            for key in back:
                del self.hidden[key]
        elif self.rng.random() < 0.06:
            some = sorted(set(self.keys.values()) - set(self.hidden))
            for at in self.rng.choice(len(some), int(self.rng.integers(1, 4)), replace=False):
                self.hidden[some[at]] = now + 60 * int(self.rng.integers(1, 20))
        return set(self.keys.values()) - set(self.hidden)

    def _disturb(self, now):
        """Runs of other kinds before this minute's, and other rules."""
        chance = self.rng.random()
        if chance < 0.04:
            self.variant = int(self.rng.integers(len(VARIANTS)))
            for judge in self.judges:
                judge.configure(self.variant, self.counters)
        elif chance < 0.08:
            for judge in self.judges:
                judge.run(now, "--match", "s60")
        elif chance < 0.12:
            self.judges[0].run(now, "--dry-run")
        elif chance < 0.15:
            self.judges[0].run(now, "--as-of", str(now - 3600), "--dry-run")

    def _judge(self, now) -> Seen:
        ours, theirs = (judge.run(now) for judge in self.judges)
        found, excused = differences(ours.recorder, theirs.recorder), self.excused()
        self.differed.update(found)
        return Seen(
            now, ours, theirs,
            {name: told for name, told in found.items() if name not in excused},
            {name: told for name, told in found.items() if name in excused},
            self._rest(ours, theirs),
        )  # fmt: skip

    def _rest(self, ours, theirs):
        """What two runs told beside verdicts, by where, as (ours, theirs): with no metric of which they ever told otherwise.

        Counts are those of all, so that they are looked at until the first of these.
        """
        told = []
        for judge, run in zip(self.judges, (ours, theirs), strict=True):
            books = judge.books()
            counts = {key: value for key, value in books.items() if isinstance(value, bytes) or _is_count(value)}
            counts |= {name: run.json.get(name) for name in ALIKE} | {"code": run.code, "problems": run.problems}
            own = {key: _without(value, self.differed) for key, value in books.items() if key not in counts}
            for name, some in (("anomalies", run.json["anomalies"]), ("alerts", run.alerts)):
                own[name] = [one for one in some if one["metric"] not in {*self.differed, SELF}]
            told.append(own if self.differed else {**counts, **own})
        one, other = told
        return {
            where: (one.get(where), other.get(where))
            for where in one.keys() | other.keys()
            if one.get(where) != other.get(where) and where not in TOLD
        }

    @staticmethod
    def _name(key):
        return key.removeprefix(NAMESPACE.encode()).decode("utf-8", "backslashreplace")


def _is_count(members):
    """Whether a hash is of numbers of metrics."""
    return isinstance(members, dict) and (b"value" in members or not any(b"." in name for name in members))


def _without(members, metrics):
    """A set or a hash without what is of some metrics, whose names may stand there as Python writes them."""
    names = [text.encode("utf-8", "surrogateescape") for name in metrics for text in (name, repr(name)[1:-1])]
    kept = {member for member in members if not any(name in member for name in names)}
    return {name: members[name] for name in kept} if isinstance(members, dict) else kept


@contextlib.contextmanager
def world(folder, seed, *, counters='"auto"', period=60, steps=tuple(WINDOWS), hostility=0.05, deep=0.05, **options):
    """A world whose servers end with the block; options are those of `Fleet`."""
    fleets = {
        f"s{step}": Fleet(
            seed=seed, step=step, period=period, window=WINDOWS[step], hostility=hostility, deep=deep, **options
        )
        for step in steps
    }
    fleets[PLAIN] = Fleet(seed=seed + 1, step=60, period=period, hostility=0, **{**options, "layouts": ("integer",)})
    with contextlib.ExitStack() as stack:
        judges = []
        for name in ("remembers", "reads"):
            (folder / name).mkdir()
            server, http = stack.enter_context(redis_server()), stack.enter_context(http_server())
            judges.append(Judge(server, http, folder / name, name == "remembers"))
        yield World(tuple(judges), seed, fleets, counters)
