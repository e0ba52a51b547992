"""The recorded scenario of Skyline's analyzer_batch once more, with `ridgeline batch` in its place: cycle by cycle."""

import ast
import contextlib
import hashlib
import json
import pprint
import re
import tempfile
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

import msgpack
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rigs.golden import flat, left
from rigs.golden.compare import Deviation, unlike
from rigs.golden.frozen import FrozenClock
from rigs.golden.left import HOST
from rigs.golden.plain import alike
from rigs.golden.series import NAMESPACE
from rigs.redis import redis_server

from ridgeline.engine.batch import block
from ridgeline.engine.batch.once import batch_once
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.skyline.importing import import_settings
from ridgeline.engine.score.verdicts import OUTCOMES

VARIANTS = ("plain", "fullonly", "ionosphere", "nopanorama", "backfill", "single", "shards", "scalarfirst")
TRACES = ("batch", *VARIANTS)
SETTINGS = {
    "BATCH_PROCESSING": True,
    "BATCH_PROCESSING_NAMESPACES": ["batch."],
    "ROOMBA_DO_NOT_PROCESS_BATCH_METRICS": True,
    "ROOMBA_BATCH_METRICS_CUSTOM_DURATIONS": [
        ["batch.hourly", 5184000],
        ["batch.daily", 63072000],
        ["batch.month", 3456000],
    ],
    "BATCH_METRICS_CUSTOM_FULL_DURATIONS": {"batch.hourly": 2592000, "batch.daily": 31536000, "batch.month": 604800},
    "NON_DERIVATIVE_MONOTONIC_METRICS": ["batch.counter.excluded"],
    "KNOWN_NEGATIVE_METRICS": ["batch.neg.known"],
    "PANORAMA_ENABLED": True,
    "ENABLE_MIRAGE": True,
    "IONOSPHERE_ENABLED": False,
    "MEMCACHE_ENABLED": False,
    # What the recorded sets of metrics_manager come from.
    "MONOTONIC_METRIC_NAMESPACES": ["batch.counter.always"],
    "ZERO_FILL_NAMESPACES": ["batch.fill.zero", "batch.fill.counter"],
    "LAST_KNOWN_VALUE_NAMESPACES": ["batch.fill.lkv"],
    "ALERTS": (
        ("batch.mirage.known", "syslog", 600, 168),  # as `mirage.unique_metrics` had them
        ("batch.iono.both", "syslog", 600, 168),
        ("batch.", "syslog", 600),
    ),
    "SYSLOG_ENABLED": True,
}
CHANGED = {
    "plain": {
        "ROOMBA_DO_NOT_PROCESS_BATCH_METRICS": False,
        "ROOMBA_BATCH_METRICS_CUSTOM_DURATIONS": [],
        "BATCH_METRICS_CUSTOM_FULL_DURATIONS": {},
    },
    "fullonly": {"ROOMBA_DO_NOT_PROCESS_BATCH_METRICS": False, "ROOMBA_BATCH_METRICS_CUSTOM_DURATIONS": []},
    "ionosphere": {"IONOSPHERE_ENABLED": True},
    "nopanorama": {"PANORAMA_ENABLED": False},
    "backfill": {"BATCH_PROCESSING_STALE_PERIOD": 3456000},
    "single": {"BATCH_PROCESSING_BATCH_MODE": False},
    "shards": {"HORIZON_SHARDS": {HOST: 0, "golden-two": 1, "golden-three": 2}},
}
NUMBERS = re.compile(r"(?<=\[)[1-9](, [1-9])*(?=\])")
ALGORITHMS = (
    "histogram_bins", "first_hour_average", "stddev_from_average", "grubbs", "ks_test", "mean_subtraction_cumulation",
    "median_absolute_deviation", "stddev_from_moving_average", "least_squares",
)  # fmt: skip
JUDGED = ("anomalous", "normal")
UNSTEADY = "~key:last_alert.smtp.batch.iono.alerted#ttl"  # ran by the real clock while it was recorded
UNIQUE = f"{NAMESPACE}unique_metrics"
SCALAR = "batch.key.scalar"  # would have ended Skyline's child: only in the recording that is about it
CHECK = "<PANORAMA_CHECK_PATH>/"


@dataclass(frozen=True)
class BatchTrace:
    """One recording: `batch`, or a variant with other settings and fewer metrics."""

    golden: Path
    name: str = "batch"

    @cached_property
    def folder(self):
        return self.golden if self.name == "batch" else self.golden / "variants" / self.name

    @cached_property
    def keys(self):
        return json.loads((self.folder / "scenario_keys.json").read_text())

    @cached_property
    def cycles(self):
        return tuple(sorted(int(path.name) for path in (self.folder / "runs").iterdir()))

    def clock(self, cycle):
        return self.keys["clock_by_cycle"][str(cycle)]

    def read(self, cycle, name):
        return json.loads((self.folder / "runs" / str(cycle) / f"{name}.json").read_text())


@dataclass
class Seen:
    """What one cycle did: as `rigs.golden.world.Seen`, but verdicts by metric and timestamp."""

    cycle: int
    summary: object
    verdicts: dict
    keys: dict
    rewritten: list
    files: dict
    commands: list


@dataclass
class Recorder:
    """Judges as the pass does, and keeps what came of each point."""

    verdicts: dict = field(default_factory=dict)
    judge: object = block.judge

    def __call__(self, matrix, after, judging, **options):
        judged = self.judge(matrix, after, judging, **options)
        names = matrix.metrics.to_pylist()
        for at in range(len(judged)):
            outcome = OUTCOMES[judged.outcome[at]]
            if outcome == "analysed":
                outcome = "anomalous" if judged.anomalous[at] else "normal"
            points = self.verdicts.setdefault(names[judged.row[at]], {})
            stamp = int(judged.timestamp[at])
            assert stamp not in points, "a point was judged twice"
            points[stamp] = (outcome, float(judged.value[at]))
        return judged


@cache
def appended(golden):
    """By cycle and metric the bytes that Horizon appended, checked against the recorded hashes."""
    told = {metric["metric"]: metric for metric in json.loads((golden / "metrics.json").read_text())["metrics"]}
    table = pq.read_table(golden / "scenario.parquet")
    found = {}
    for cycle in sorted(set(table["cycle"].to_pylist())):
        rows = table.filter(pc.equal(table["cycle"], cycle))
        points = {name: [] for name in told}
        for name, *pair in zip(*(rows[column].to_pylist() for column in ("metric", "timestamp", "value")), strict=True):
            points[name].append(pair)
        found[cycle] = {}
        for name, metric in told.items():
            stored = _stored(metric, cycle, points[name])
            hashes = metric.get("appended_bytes_sha256_16_by_cycle", {})
            if str(cycle) in hashes:
                assert hashlib.sha256(stored).hexdigest()[:16] == hashes[str(cycle)], (cycle, name)
            if stored or (cycle == 1 and metric.get("key_set_to_empty_string_in_cycle_1")):
                found[cycle][name] = stored
    return found


def _stored(metric, cycle, pairs):
    """Msgpack arrays [timestamp, value], one after the other, of the types and with the damage that are told."""
    stamp, value = (float if metric.get(f"packed_{part}_type") == "float" else int for part in ("timestamp", "value"))
    pack = msgpack.Packer(use_single_float=False).pack
    stored = b"".join(pack((stamp(at), None if number is None else value(number))) for at, number in pairs)
    if cycle > 1:
        return stored
    if "raw_hex_in_cycle_1" in metric:
        return bytes.fromhex(metric["raw_hex_in_cycle_1"])
    cut = metric.get("bytes_cut_from_the_end_in_cycle_1", 0)
    return stored[: len(stored) - cut] + bytes.fromhex(metric.get("bytes_appended_hex_in_cycle_1", ""))


def configuration(trace, folder, socket):
    """The configuration that `config import` makes of the recorded settings."""
    source, target = folder / "settings.py", folder / "ridgeline.toml"
    found = {
        "REDIS_SOCKET_PATH": socket,
        "PANORAMA_CHECK_PATH": f"{folder}/folders/PANORAMA_CHECK_PATH",
        "MIRAGE_CHECK_PATH": f"{folder}/folders/MIRAGE_CHECK_PATH",
        **SETTINGS,
        **CHANGED.get(trace.name, {}),
    }
    source.write_text("".join(f"{key} = {pprint.pformat(value)}\n" for key, value in found.items()))
    target.write_text(import_settings(source, target).text)
    return load_config(target)


def play(trace):
    """Each cycle of the recording, as Ridgeline does it."""
    with (
        tempfile.TemporaryDirectory(prefix="golden-") as name,
        redis_server() as server,
        contextlib.closing(FrozenClock(server)) as frozen,
    ):
        folder = Path(name)
        (folder / "folders" / "PANORAMA_CHECK_PATH").mkdir(parents=True)
        with left.node():
            config = configuration(trace, folder, server.url.removeprefix("unix://"))
        before = None
        for cycle in trace.cycles:
            if before is not None:
                frozen.jump(trace.clock(cycle) - trace.clock(before))
            before = cycle
            yield _cycle(trace, cycle, server.client, config, frozen, folder / "folders")


def _cycle(trace, cycle, client, config, frozen, folder):
    _prepare(trace, cycle, client, frozen)
    recorder, files, before = Recorder(), left.files(folder), left.series(client)
    with (
        frozen.standing(),
        mock.patch.object(block, "judge", recorder),
        left.node(),
    ):
        summary = batch_once(Request(config), now=lambda: float(trace.clock(cycle)))
    return Seen(
        cycle,
        summary,
        recorder.verdicts,
        left.keys(client, frozen),
        left.rewritten(before, left.series(client)),
        left.changed(files, left.files(folder)),
        frozen.commands,
    )


def _prepare(trace, cycle, client, frozen):
    """Horizon and the analyzer, before a cycle."""
    wanted = {ast.literal_eval(one)[0].removeprefix(NAMESPACE) for one in trace.keys["members_added"]["1"]}
    for name, stored in appended(trace.golden)[cycle].items():
        if name in wanted or (trace.name == "batch" and name != SCALAR):
            client.append(NAMESPACE + name, stored)
            client.sadd(UNIQUE, NAMESPACE + name)
    if cycle == 1:
        client.sadd(UNIQUE, *(NAMESPACE + name for name in wanted))
    for words in trace.keys["other_keys_written"].get(str(cycle), ()):
        client.execute_command(*words)
        if words[0] == "SETEX":
            frozen.expire(words[1], int(words[2]))
    if members := trace.keys["members_added"].get(str(cycle)):
        client.sadd("analyzer.batch", *members)


def deviations(trace, seen):
    """All of a cycle's; a part of what is missing as a whole is not told of."""
    cycle = seen.cycle
    redis = trace.read(cycle, "redis")
    recorded = {
        **_recorded_verdicts(trace.read(cycle, "verdicts")["verdicts"], seen.verdicts),
        **{name: _by_name(told) for name, told in flat.keys(redis["keys"]).items()},
        **{f"series:{key.removeprefix(NAMESPACE)}": "rewritten" for key in redis["series_keys_changed_by_skyline"]},
        **{
            name: _by_name(told)
            for name, told in _checks(
                {one["path"]: one.get("content") for one in trace.read(cycle, "files")["on_disk"]}
            ).items()
        },
    }
    ours = {
        **_seen_verdicts(seen.verdicts),
        **flat.keys(seen.keys),
        **{f"series:{metric}": "rewritten" for metric in seen.rewritten},
        **_checks({path: content.decode() for path, content in seen.files.items()}),
    }
    found = sorted(unlike(recorded, ours).items())
    return [Deviation(trace.name, cycle, name, *pair) for name, pair in found if not name.startswith(UNSTEADY)]


def _by_name(told):
    """What Skyline tells of algorithms that triggered, by their numbers in its database, by their names as we do."""
    if not isinstance(told, str):
        return told
    return NUMBERS.sub(lambda found: str([ALGORITHMS[int(number) - 1] for number in found[0].split(", ")])[1:-1], told)


def _seen_verdicts(found):
    return {
        name: value
        for metric, points in found.items()
        for stamp, (outcome, datapoint) in points.items()
        for name, value in _verdict(metric, stamp, outcome, datapoint).items()
    }


def _recorded_verdicts(found, ours):
    """What each point came to; of those that were told of together, the timestamps are those that we judged."""
    flattened = {}
    for key, told in found.items():
        metric = key.removeprefix(NAMESPACE)
        for row in told["rows"]:
            if isinstance(row, dict):
                outcome = flat.OUTCOMES[row["raised"]]
                stamps = {row["T"], row["last_T"]} | {t for t in ours.get(metric, ()) if row["T"] <= t <= row["last_T"]}
                for stamp in stamps:
                    flattened[f"verdict:{metric}/{stamp}"] = outcome
                continue
            stamp, *_, ensemble = (one for one in row if not isinstance(one, dict))
            stamp, datapoint = int(stamp), row[row.index(ensemble) - 1]
            flattened |= _verdict(metric, stamp, "anomalous" if ensemble.startswith("A") else "normal", datapoint)
    return flattened


def _verdict(metric, stamp, outcome, datapoint):
    found = {f"verdict:{metric}/{stamp}": outcome}
    return found | {f"verdict:{metric}/{stamp}#datapoint": alike(str(datapoint))} if outcome in JUDGED else found


def _checks(files):
    """Panorama's checks by metric and timestamp, field by field; other files by their name."""
    found = {}
    for path, text in files.items():
        if path.startswith(CHECK) and text is not None:
            fields = dict(line.split(" = ", 1) for line in text.splitlines())
            name = f"check:{ast.literal_eval(fields['metric'])}/{ast.literal_eval(fields['metric_timestamp'])}"
            found |= {name: "a check"} | {f"{name}#{key}": alike(told) for key, told in fields.items()}
        else:
            found[f"file:{path}"] = "written"
    return found
