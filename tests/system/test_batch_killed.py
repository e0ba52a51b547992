"""`batch` killed at random, over bursts, gaps, late points, hourly and daily series and a month's backfill."""

import ast
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from conftest import ROOT
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import load, received, run, write_config

DAY = 86400
NOW = 1_700_000_100
ROUNDS = (NOW, NOW + 900, NOW + 4500)
STEPS = {"burst": 60, "gaps": 60, "late": 60, "hourly": 3600, "daily": DAY, "month": 600}
HISTORY = {"hourly": 40 * DAY, "daily": 400 * DAY, "month": 38 * DAY}
EXTRA = """
[handoff]
panorama_checks = "{folder}/panorama"
[batch]
match = ["jobs."]
[[override]]
match = "jobs.hourly"
full_duration = 2592000
[[override]]
match = "jobs.daily"
full_duration = 31536000
[[override]]
match = "jobs.month"
full_duration = 604800
"""


def scenario():
    """By round the points that come (metric, stamps, values), and where each metric was judged before the first."""
    random, rounds, marks = np.random.default_rng(7), [[] for _ in ROUNDS], {}
    for kind, step in STEPS.items():
        for copy in range(3):
            metric = f"jobs.{kind}.{copy}"
            begin = NOW - HISTORY.get(kind, DAY + 7200)
            stamps = np.arange(begin - begin % step, ROUNDS[-1] + 1, step)
            values = random.normal(100, 5, len(stamps))
            values[random.random(len(values)) < 0.004] = 400
            arrival = np.searchsorted(ROUNDS, stamps)
            if kind == "gaps":
                keep = (stamps // 600) % 3 > 0
                stamps, values, arrival = stamps[keep], values[keep], arrival[keep]
            if kind == "late":
                arrival = np.where((stamps > NOW - 3600) & (random.random(len(stamps)) < 0.1), 1, arrival)
            for at, points in enumerate(rounds):
                points.append((metric, stamps[arrival == at], values[arrival == at]))
            marks[metric] = NOW - (
                30 * DAY if kind == "month" else 20 * DAY if kind == "daily" else DAY if kind == "hourly" else 900
            )
    return rounds, marks


def arrive(client, points, marks):
    """Horizon appends, and `run` queues what has newer points, as far as it knows the metric to have been judged."""
    some = [(metric, stamps, values) for metric, stamps, values in points if len(stamps)]
    columns = {
        "metric": np.repeat([metric for metric, _, _ in some], [len(stamps) for _, stamps, _ in some]),
        "timestamp": np.concatenate([stamps for _, stamps, _ in some]),
        "value": np.concatenate([values for _, _, values in some]),
    }
    load(client, pa.table(columns), mode="append")
    for metric in marks:
        known = client.hget("analyzer.last_timestamp.base_names", metric) or client.get(f"last_timestamp.{metric}")
        client.sadd("analyzer.batch", str([f"metrics.{metric}", int(known or marks[metric]), None]))


def passes(folder, kills):
    """What is left in Redis and on the disk after all rounds, each with so many kills; the metrics alerted on then."""
    folder.mkdir()
    (folder / "panorama").mkdir()
    (rounds, marks), died = scenario(), 0
    with redis_server() as server, http_server() as http:
        config = write_config(folder, server.url, http=http, extra=EXTRA.format(folder=folder))
        for at, points in enumerate(rounds):
            arrive(server.client, points, marks)
            command = [sys.executable, "-m", "rigs.killed", config, ROUNDS[at], at, kills]
            done = subprocess.run(
                list(map(str, command)), cwd=ROOT / "tests", check=True, timeout=600, stdout=subprocess.PIPE
            )
            died += int(done.stdout)
            assert not server.client.exists("analyzer.batch")
        assert died == kills * len(rounds), "passes ended before they were killed"
        found = left(server.client), files(folder)
        told = {ast.literal_eval(text.decode())["metric"] for text in server.client.hvals("analyzer_batch.alerts")}
        run(config, "-q", as_of=ROUNDS[-1])
        return *found, told, set(received(http))


def left(client):
    """Every key of batch's but the sign of life."""
    found = {}
    for key in map(bytes.decode, client.scan_iter()):
        if key.startswith("metrics.") or key == "analyzer_batch":
            continue
        kind = client.type(key)
        found[key] = client.hgetall(key) if kind == b"hash" else client.get(key) if kind == b"string" else kind
    return found


def files(folder):
    """Every file that was made, but for when."""
    return {
        path.relative_to(folder): re.sub(rb"added_at = '\d+'", b"", path.read_bytes())
        for place in ("panorama", "out")
        for path in (folder / place).rglob("*")
        if path.is_file() and path.suffix not in {".lock", ".parquet"}
    }


def verdicts(folder):
    """Every verdict that was kept, in whichever file."""
    table = ds.dataset(folder / "out" / "batch", format="parquet").to_table()
    return sorted(table.to_pylist(), key=lambda row: (row["metric"], row["timestamp"]))


def check(tmp_path, kills):
    clean = passes(tmp_path / "clean", 0)
    killed = passes(tmp_path / "killed", kills)
    keys, checks, told, alerted = clean
    assert len(checks) > 40
    assert len([key for key in keys if key.startswith("analyzer_batch.anomaly")]) == len(
        [path for path in checks if path.parts[0] == "panorama"]
    )
    assert killed[0] == keys
    assert killed[1] == checks
    assert verdicts(tmp_path / "killed") == verdicts(tmp_path / "clean")
    assert killed[2] == told <= alerted
    assert killed[3] >= told


def test_what_kills_leave_is_what_a_clean_pass_leaves(tmp_path):
    check(tmp_path, 2)


@pytest.mark.long
def test_what_very_many_kills_leave_is_what_a_clean_pass_leaves(tmp_path):
    check(tmp_path, 70)
