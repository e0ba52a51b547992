"""The recorded scenario of Skyline's metrics_manager once more, cycle by cycle, with `run` and `manage` in its place."""

import contextlib
import hashlib
import json
import pprint
import re
import struct
import tempfile
import zlib
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path

import msgpack
from rigs.carbon import carbon
from rigs.golden import flat, left
from rigs.golden.compare import Deviation, unlike
from rigs.golden.frozen import FrozenClock
from rigs.golden.series import NAMESPACE
from rigs.golden.siblings import UNIQUE, write_series
from rigs.golden.told import points
from rigs.redis import redis_server
from rigs.smtp import smtp_server

from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.skyline.importing import import_settings
from ridgeline.engine.manage.once import Request, manage_once
from ridgeline.engine.prepare.plan import OFF
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request as Run

VARIANTS = ("shards", "sparsity_off", "load_shedding", "empty_config")
TRACES = ("manager", *VARIANTS)
DAY = 86400
QUEUE = "skyline.graphite_metrics_single_submit"
NEVER = "dead"  # a series that was written once, and that the recorded manager deleted
# What the steps of metrics_manager that `manage` does read and write; the others' keys are not compared.
COMPARED = (
    "analyzer.metrics_manager", "analyzer.metrics_manager.run_time",
    "*analyzer.unique_base_names*", "*.last_all_alerts", "*smtp_alerter_metrics*", "*mirage.unique_metrics", "mirage.hash_key.*",
    "*skyline_feedback_metrics*", "metrics_manager.batch_processing_namespaces*", "*analyzer.metrics_manager.analyzer_skip",
    "metrics_manager.api_skip_analysis", "analyzer.metrics_manager.custom_stale_periods", "analyzer.metrics.last_*_timestamp",
    "metrics_manager.do_not_alert_on_stale_metrics", "metrics_manager.last_known_value_metrics", "metrics_manager.zero_fill_metrics",
    "metrics_manager.non_derivative_metrics", "metrics_manager.filesafe_base_names", "metrics_manager.namespace.analysed_events",
    "analyzer.metrics_manager.resolutions", "analyzer.metrics_manager.hash_key.*", "*analyzer.metrics_manager.metrics_*",
    "analyzer.metrics_manager.sent.*", "metrics_manager.mute_alerts_on", "*metrics_manager.inactive_*",
    "metrics_manager.always_derivative_metrics", "aet.metrics_manager.derivative_metrics*", "ridgeline.inactive", "ridgeline.density",
)  # fmt: skip
NUMBERS = ("*.metrics_manager_run_time", "*.metrics_sparsity.*")
LISTS = {
    "ALERTS": (
        ("mirage.", "smtp", 600, 168), ("alert.both", "syslog", 600), ("alert.both", "smtp", 300), ("alert.smtp", "smtp", 300),
        ("alert.h24", "smtp", 300, 24), ("alert.h25", "smtp", 300, 25), ("alert.http", "http_alerter-golden", 300),
        ("alert.sys168", "syslog", 600, 168), ("alert.two.a", "smtp", 100, 168), ("alert.two", "smtp", 200, 48),
        ("prod.errors", "smtp", 300), (r"regex\.host-[0-9]+$", "smtp", 900, 720),
    ),
    "ANALYZER_SKIP": ["skip.me"],
    "SKIP_LIST": ["skip.list.", "skyline.analyzer."],
    "DO_NOT_SKIP_LIST": ["skip.list.keep"],
    "DO_NOT_ALERT_ON_STALE_METRICS": ["stale.quiet"],
    "CUSTOM_STALE_PERIOD": {"stale.custom": 7200, "stale.custom.deep": 86400, "custom.elem": 3600, "stale.same": 500},
    "ZERO_FILL_NAMESPACES": ["fill.zero", "fill.both"],
    "LAST_KNOWN_VALUE_NAMESPACES": ["fill.lkv", "fill.both"],
    "NON_DERIVATIVE_MONOTONIC_METRICS": ["mono.never"],
    "MONOTONIC_METRIC_NAMESPACES": ["mono.always"],
    "BATCH_PROCESSING": True,
    "BATCH_PROCESSING_NAMESPACES": ["batch."],
    "BATCH_METRICS_CUSTOM_FULL_DURATIONS": {"batch.hourly": 2592000, "batch.dead.hourly": 2592000},
    "SKYLINE_FEEDBACK_NAMESPACES": ["golden", "graphite.golden.test"],
    "SKIP_CHECK_DATA_SPARSITY_NAMESPACES": ["sparse.p01"],
}  # fmt: skip
EMPTY = {name: type(value)() for name, value in LISTS.items()} | {"LAST_KNOWN_VALUE_NAMESPACES": []}
CHANGED = {
    "shards": {"HORIZON_SHARDS": {"golden-host": 0, "golden-two": 1, "golden-three": 2}},
    "sparsity_off": {"CHECK_DATA_SPARSITY": False},
    "empty_config": EMPTY,
}


@dataclass(frozen=True)
class Recording:
    """One recording of metrics_manager: `manager`, or a variant of it."""

    golden: Path
    name: str = "manager"

    @cached_property
    def place(self) -> Path:
        return self.golden / "manager" / ("" if self.name == "manager" else f"variants/{self.name}")

    @cached_property
    def scenario(self) -> dict:
        return json.loads((self.place / "scenario_keys.json").read_text())

    @cached_property
    def runs(self) -> tuple[int, ...]:
        return tuple(sorted(map(int, self.scenario["clock_by_cycle"])))

    def clock(self, run: int) -> int:
        """The clock of a cycle, epoch seconds."""
        return self.scenario["clock_by_cycle"][str(run)]

    def file(self, run: int, name: str) -> Path:
        """A file of a cycle; where a variant leaves it out, it is the main recording's."""
        own = self.place / "runs" / str(run) / name
        return own if own.exists() else self.golden / "manager" / "runs" / str(run) / name

    @cached_property
    def states(self) -> dict[int, dict]:
        """By cycle every key after it, put together from what each file says has changed."""
        found, held = {}, {}
        for run in self.runs:
            told = json.loads(self.file(run, "redis.json").read_text())
            held = dict(told["keys"]) if "keys" in told else _changed(held, told)
            found[run] = {key: entry | {"value": _whole(held, key)} for key, entry in held.items()}
        return found

    @cached_property
    def points(self) -> dict[int, dict[str, float]]:
        """By the clock of the cycle that submitted them: Graphite's names and values."""
        found = {}
        for run in self.runs:
            for line in self.file(run, "graphite.txt").read_text().splitlines():
                name, value, timestamp = line.split("\t")[1].split(" ")
                found.setdefault(int(timestamp), {})[name] = float(value)
            for field, text in self.states[run].get(QUEUE, {"value": {}})["value"].items():
                timestamp, _, name = field.partition(".")
                found.setdefault(int(timestamp), {})[name] = float(re.search("'value': ([^,]+),", text)[1])
        return found


def _changed(held, told):
    """The keys of a later cycle."""
    gone = set(told["keys_gone_since_previous_file"])
    now = {key: entry for key, entry in held.items() if key not in gone}
    for key, ttl in told["keys_unchanged_with_ttl"].items():
        now[key] = now[key] | {"ttl": ttl}
    for key, entry in told["keys_changed_or_new_since_previous_file"].items():
        value = entry["value"]
        if isinstance(value, dict) and value.get("change_since_previous_file"):
            before = _whole(held, key)
            if entry["type"] == "set":
                if "added" not in value:
                    continue  # a set that the recording cuts
                value = sorted((set(before) | set(value["added"])) - set(value["removed"]))
            else:
                kept = {name: text for name, text in before.items() if name not in value["removed"]}
                value = kept | value["set"]
        now[key] = entry | {"value": value}
    return now


def _whole(held, key):
    value = held[key]["value"]
    same = re.fullmatch("same value as (.*)", value) if isinstance(value, str) else None
    return _whole(held, same[1]) if same else value


def stored(one: dict, clock: int, cycle: int) -> bytes | None:
    """The bytes of a series by its rule, checked against the recorded hash; None where it had no key."""
    if not one["has_key"]:
        return None
    raw = _bytes(one["rule"], clock, cycle, zlib.crc32(one["name"].encode()) % 97)
    told = one["sha256_16"][cycle - 1]
    if told is None:
        return None
    assert hashlib.sha256(raw).hexdigest()[:16] == told, (one["name"], one["rule"], cycle)
    return raw


def _bytes(rule, clock, cycle, salt):
    if rule == "garbage":
        return b"\xc1\xc1not msgpack at all"
    if rule == "emptystr":
        return b""
    times = _times(rule, clock - 20, cycle)
    pairs = [(time, _value(rule, time, salt)) for time in times]
    if rule == "shuffled":
        last = pairs[-40:]
        pairs[-40:] = [last[7 * at % 40] for at in range(40)]
    if rule == "dupes":
        pairs += pairs[-30:]
    packed = b"".join(
        b"\x92\xcb" + struct.pack(">d", time) + (b"\xc0" if value is None else b"\xcb" + struct.pack(">d", value))
        for time, value in pairs
    )
    return packed + (msgpack.packb(12345) if rule == "scalar" else b"")


def _times(rule, new, cycle):
    word, number = re.fullmatch(r"([a-z]+?)(\d*)", rule).groups()
    if rule == "dead":
        return range(1699827320 - 199 * 60, 1699827320 + 1, 60)
    step = int(number) if word == "g" else 60
    last = new - (new - 1700000100) % step if step <= 60 and 60 % step == 0 else new // step * step
    count = 1440 if step < 60 else 3 if step == DAY else DAY // step
    if rule == "b300":
        last = new // 300 * 300
    times = [last - step * back for back in range(count - 1, -1, -1)]
    if word == "n":
        return times[-int(number) :]
    kept = {
        "half": lambda t: t // 60 % 2 == 0,
        "tie": lambda t: t // 60 % 3,
        "sparse": lambda t: t // 60 * 7919 % 10 < int(number),
        "growing": lambda t: t // 60 * 7919 % 20 < cycle,
        "fading": lambda t: t <= 1700000400,
    }
    moved = {
        "jitter": lambda t: t + t // 60 * 7 % 7 - 3,
        "future": lambda t: t + 600,
        "old": lambda t: t - 72000,
    }
    return [moved.get(word, int)(t) for t in times if kept.get(word, bool)(t)]


def _value(rule, time, salt):
    if rule == "c60":
        return float(1000000 + (time - 1700000120) // 60 * 30 + time // 60 * 31 % 13)
    if rule == "nils":
        return None if time // 60 % 10 == 0 else 1.0
    return float((time // 60 * 37 + salt) % 101)


def configuration(name, url, carbon, mail_port, folder):
    """The configuration of a recording: its settings, brought over by `ridgeline config import`."""
    host, port = carbon.address
    settings = {
        "REDIS_SOCKET_PATH": url.removeprefix("unix://"),
        "SMTP_OPTS": {
            "sender": "skyline@golden.test", "recipients": {}, "default_recipient": ["ops@golden.test"], "embed-images": False,
            "smtp_server": {"host": "127.0.0.1", "port": mail_port, "ssl": False, "user": None, "password": None},
        },
        "HTTP_ALERTERS_ENABLED": True,
        "HTTP_ALERTERS_OPTS": {"http_alerter-golden": {"enabled": True, "endpoint": "http://127.0.0.1:9/alert", "token": "t"}},
        "SYSLOG_ENABLED": True,
        "ENABLE_MIRAGE": True,
        "MIRAGE_CHECK_PATH": f"{folder}/mirage",
        "SERVER_METRICS_NAME": "golden",
        "SKYLINE_METRICS_CARBON_HOST": host,
        "SKYLINE_METRICS_CARBON_PORT": port,
        "PANORAMA_ENABLED": False,
        **LISTS,
        **CHANGED.get(name, {}),
    }  # fmt: skip
    source, target = folder / "settings.py", folder / "ridgeline.toml"
    source.write_text("".join(f"{key} = {pprint.pformat(value)}\n" for key, value in settings.items()))
    target.write_text(import_settings(source, target).text)
    return load_config(target)


@dataclass
class Seen:
    """One cycle: what `manage` said, every key after it, series that are others than before, Graphite's lines."""

    run: int
    report: object
    keys: dict
    rewritten: list
    lines: list


def play(recording):
    """Each cycle of the recording: the siblings, `run`, and a pass of `manage`."""
    told = json.loads((recording.golden / "manager" / "names.json").read_text())["names"]
    names = {one["name"]: one for one in told}
    with (
        tempfile.TemporaryDirectory(prefix="golden-") as name,
        redis_server() as server,
        contextlib.closing(FrozenClock(server)) as frozen,
        carbon() as listener,
        smtp_server() as mails,
        left.node(),
    ):
        folder = Path(name)
        config = configuration(recording.name, server.url, listener, mails.port, folder)
        before = None
        for run in recording.runs:
            clock = recording.clock(run)
            if before is not None:
                frozen.jump(clock - recording.clock(before))
            before = run
            listed = {key.removeprefix(NAMESPACE) for key in recording.states[run][UNIQUE]["value"]}
            _list(server.client, recording, run, {name: stored(names[name], clock, run) for name in sorted(listed)})
            with frozen.standing():
                run_once(Run(_of_runs(config)), now=lambda clock=clock: float(clock))
            for words in recording.scenario["other_keys_written"][str(run)]:
                server.client.execute_command(*words)
                if words[0] == "SETEX":
                    frozen.expire(words[1], int(words[2]))
            hashes, batches = left.series(server.client), len(listener.batches)
            with frozen.standing():
                report = manage_once(Request(config), wall=lambda clock=clock: float(clock))
            rewritten = left.rewritten(hashes, left.series(server.client))
            lines = [line for batch in listener.batches[batches:] for line in batch.splitlines()]
            yield Seen(run, report, left.keys(server.client, frozen), rewritten, lines)


def _of_runs(config):
    """The configuration of runs: counters are those that the scenario says the analyzer found, and nobody is told numbers."""
    return replace(
        config, preparation=replace(config.preparation, counters=OFF), statistics=type(config.statistics)(), alerts=()
    )


def _list(client, recording, run, series):
    """Horizon: every series as it is now, and the names that are listed."""
    write_series(client, {name: raw for name, raw in series.items() if raw is not None})
    client.delete(UNIQUE)
    client.sadd(UNIQUE, *recording.states[run][UNIQUE]["value"])


def deviations(recording, seen):
    """Every deviation of one cycle, of the keys and the numbers that are compared."""
    run = seen.run
    theirs = recording.points.get(recording.clock(run), {})
    ours = {name: float(value) for name, value, _ in (line.split(" ") for line in seen.lines)}
    recorded = {**flat.keys(_compared(recording.states[run], COMPARED)), **points(_compared(theirs, NUMBERS))}
    found = {
        **flat.keys(_compared(seen.keys, COMPARED)),
        **{f"series:{key}": "rewritten" for key in seen.rewritten},
        **points(_compared(ours, NUMBERS)),
    }
    return [Deviation(recording.name, run, name, *pair) for name, pair in sorted(unlike(recorded, found).items())]


def _compared(found, globs):
    return {name: value for name, value in found.items() if any(fnmatchcase(name, glob) for glob in globs)}
