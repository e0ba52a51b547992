"""The recorded scenario of Skyline's analyzer_batch once more, with `ridgeline batch` in its place: cycle by cycle."""

import ast
import contextlib
import hashlib
import json
import os
import pprint
import re
import tempfile
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from unittest import mock

import msgpack
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rigs.golden import flat
from rigs.golden.compare import Deviation, _unlike
from rigs.golden.frozen import FrozenClock
from rigs.golden.plain import alike
from rigs.golden.world import NAMESPACE, _changed, _files, _hashes, _keys, _node
from rigs.redis import redis_server

from ridgeline.engine.batch import block
from ridgeline.engine.batch.once import batch_once
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.skyline.importing import import_settings
from ridgeline.engine.score.verdicts import OUTCOMES

VARIANTS = ("plain", "fullonly", "ionosphere", "nopanorama", "backfill", "single", "scalarfirst")
TRACES = ("batch", *VARIANTS)
LONGEST = 2_592_000
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
    "ZERO_FILL_NAMESPACES": ["batch.fill.zero"],
    "LAST_KNOWN_VALUE_NAMESPACES": ["batch.fill.lkv", "batch.fill.counter"],
    "ALERTS": (("batch.", "syslog", 600),),
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
}
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

    def __call__(self, matrix, after, judging):
        judged = self.judge(matrix, after, judging)
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
        points = {}
        for name, stamp, value in zip(*(rows[column].to_pylist() for column in ("metric", "timestamp", "value")), strict=True):
            points.setdefault(name, []).append((stamp, value))
        found[cycle] = {name: _stored(told[name], cycle, pairs) for name, pairs in points.items()}
    return found


def _stored(metric, cycle, pairs):
    kinds = [float if metric[f"packed_{part}_type"] == "float" else int for part in ("timestamp", "value")]
    pack = msgpack.Packer(use_single_float=False).pack
    stored = b"".join(pack((kinds[0](stamp), None if value is None else kinds[1](value))) for stamp, value in pairs)
    return stored


def configuration(trace, folder, socket):
    """The configuration that `config import` makes of the recorded settings."""
    source, target = folder / "settings.py", folder / "ridgeline.toml"
    found = {
        "REDIS_SOCKET_PATH": socket,
        "PANORAMA_CHECK_PATH": f"{folder}/folders/PANORAMA_CHECK_PATH",
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
        config = configuration(trace, folder, server.url.removeprefix("unix://"))
        before = None
        for cycle in trace.cycles:
            if before is not None:
                frozen.jump(trace.clock(cycle) - trace.clock(before))
            before = cycle
            yield _cycle(trace, cycle, server.client, config, frozen, folder / "folders")


def _cycle(trace, cycle, client, config, frozen, folder):
    _prepare(trace, cycle, client, frozen)
    recorder, files, before = Recorder(), _files(folder), _hashes(client)
    with (
        frozen.standing(),
        mock.patch.object(block, "judge", recorder),
        mock.patch.object(os, "uname", _node),
    ):
        summary = batch_once(Request(config), now=lambda: float(trace.clock(cycle)))
    after = _hashes(client)
    rewritten = sorted(
        key.removeprefix(NAMESPACE) for key in before.keys() | after.keys() if before.get(key) != after.get(key)
    )
    return Seen(
        cycle, summary, recorder.verdicts, _keys(client, frozen), rewritten, _changed(files, _files(folder)), frozen.commands
    )


def _prepare(trace, cycle, client, frozen):
    """Horizon and the analyzer, before a cycle."""
    golden = trace.golden
    wanted = None if trace.name == "batch" else {ast.literal_eval(one)[0].removeprefix(NAMESPACE) for one in trace.keys["members_added"]["1"]}
    for name, stored in appended(golden)[cycle].items():
        if wanted is None or name in wanted:
            client.append(NAMESPACE + name, stored)
            client.sadd(f"{NAMESPACE}unique_metrics", NAMESPACE + name)
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
        **flat.keys(redis["keys"]),
        **{f"series:{key.removeprefix(NAMESPACE)}": "rewritten" for key in redis["series_keys_changed_by_skyline"]},
        **_checks({one["path"]: one.get("content") for one in trace.read(cycle, "files")["on_disk"]}),
    }
    ours = {
        **_seen_verdicts(seen.verdicts),
        **flat.keys(seen.keys),
        **{f"series:{metric}": "rewritten" for metric in seen.rewritten},
        **_checks({path: content.decode() for path, content in seen.files.items()}),
    }
    return [Deviation(trace.name, cycle, name, *pair) for name, pair in sorted(_unlike(recorded, ours).items())]


def _seen_verdicts(found):
    return {
        name: value
        for metric, points in found.items()
        for stamp, (outcome, datapoint) in points.items()
        for name, value in _verdict(metric, stamp, outcome, datapoint)
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
            stamp, datapoint = row[0], next(one for one in row[2:] if isinstance(one, int | float) or one is None)
            flattened |= _verdict(metric, stamp, "anomalous" if row[-1].startswith("A") else "normal", datapoint)
    return flattened


def _verdict(metric, stamp, outcome, datapoint):
    pairs = [(f"verdict:{metric}/{stamp}", outcome)]
    if outcome in {"anomalous", "normal"}:
        pairs.append((f"verdict:{metric}/{stamp}#datapoint", alike(str(datapoint))))
    return pairs


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
