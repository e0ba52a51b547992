"""The recorded syncs of Skyline's three hosts, played again: the same requests, files and keys, but for docs/remote.md's table."""

import json
from collections import Counter

import pytest
from rigs.golden.compare import Deviation
from rigs.golden.differences import read_table, unexplained
from rigs.http import Answer, http_server
from rigs.redis import redis_server

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.remote.sync import sync_remotes

NAMES = {"HTTP": "golden-host", "PEER1": "golden-two", "PEER2": "golden-three"}
START = 1_700_000_120
CYCLE = 300
THERE = "/opt/skyline/ionosphere"
KEYS = ("analyzer.metrics_manager.training_data_fetched.*", "analyzer.metrics_manager.local_features_profile_dirs")
ROOTS = {"<IONOSPHERE_DATA_FOLDER>": "data", "<IONOSPHERE_PROFILES_FOLDER>": "features_profiles"}


def recorded(shared, cycle, name):
    return json.loads((shared / "golden/manager/variants/shards/runs" / str(cycle) / name).read_text())


def mapped(value, to):
    for root, name in ROOTS.items():
        value = value.replace(root, f"{to}/{name}")
    return value


def unmapped(text, base):
    """The same with the recording's words for the two folders below `base`."""
    for root, name in ROOTS.items():
        text = text.replace(f"{base}/{name}", root)
    return text


class Host:
    """Answers as that host did, and a 404 to what it was never asked."""

    def __init__(self, answers):
        self.answers, self.asked = answers, Counter()

    def __call__(self, request):
        target = request.line.split(" ")[1]
        self.asked[target] += 1
        status, body = self.answers.get(target, (404, "{}"))
        return Answer(status, body=body.encode())


@pytest.fixture
def hosts(shared):
    answers = {name: {} for name in NAMES}
    for cycle in (1, 2, 3):
        for one in recorded(shared, cycle, "http.json"):
            place = mapped(one["path"], THERE)
            answers[one["to"]][place] = (one["answered"], mapped(one["answer_head"], THERE))
    return {name: Host(known) for name, known in answers.items()}


def requests_of(shared, cycle):
    """What Skyline's syncs asked, and how often."""
    sent = [one for one in recorded(shared, cycle, "http.json") if not one["path"].startswith("/render")]
    return Counter(f"{one['to']}{one['path']}" for one in sent)


def keys_of(shared):
    found = recorded(shared, 1, "redis.json")["keys"]
    return {name: found[name] for name in found if name.startswith(tuple(key.rstrip("*") for key in KEYS))}


def compared(run, kind, theirs, ours):
    """Names of all that differs between two mappings."""
    for name in sorted(theirs.keys() | ours.keys()):
        if name not in ours:
            yield Deviation("shards", run, f"-{kind}:{name}", theirs[name], None)
        elif name not in theirs:
            yield Deviation("shards", run, f"+{kind}:{name}", None, ours[name])
        elif theirs[name] != ours[name]:
            yield Deviation("shards", run, f"~{kind}:{name}", theirs[name], ours[name])


def keys_now(client, folder):
    """The keys, in the form of the recording; those of a hash field by field."""
    found = {}
    for key in (key.decode() for pattern in KEYS for key in client.scan_iter(pattern)):
        if client.type(key) == b"hash":
            found |= {f"{key}#{field.decode()}": text.decode() for field, text in client.hgetall(key).items()}
        else:
            assert client.ttl(key) > 259_000
            found[key] = client.get(key).decode()
    return {unmapped(key, THERE): unmapped(text, folder) for key, text in found.items()}


def test_the_recorded_syncs_differ_only_as_the_table_says(shared, root, hosts, tmp_path):
    table = read_table(root / "docs" / "remote.md")
    deviations = []
    folder = tmp_path / "ionosphere"
    with (
        redis_server() as redis,
        http_server(hosts["HTTP"]) as own,
        http_server(hosts["PEER1"]) as one,
        http_server(hosts["PEER2"]) as two,
    ):
        redis.client.sadd("ionosphere.training_data", "['local.have', 1699998000, 86400]")
        lines = ["[source]", f'url = "{redis.url}"', "[remote_files]", f'directory = "{folder}"']
        lines += ["[shards]", f"hosts = {json.dumps(list(NAMES.values()))}", 'host = "golden-host"']
        for name, server in zip(NAMES.values(), (own, one, two), strict=True):
            lines += ["[[remote]]", f'name = "{name}"', f'url = "{server.url}"']
        config = parse_config(
            "\n".join([*lines, "[output]", f'directory = "{tmp_path}"']).encode(), tmp_path / "r.toml"
        )
        for cycle in (1, 2, 3):
            first = START + (cycle - 1) * CYCLE
            for now in range(first, first + CYCLE + 1, 60):  # six syncs, as recorded: the last falls on the next first
                sync_remotes(config, wall=lambda now=now: float(now))
            ours = Counter()
            for name, host in hosts.items():
                ours |= {f"{name}{unmapped(target, THERE)}": times for target, times in host.asked.items()}
                host.asked.clear()
            deviations += compared(cycle, "request", requests_of(shared, cycle), ours)
        theirs = {}
        for key, row in keys_of(shared).items():
            if row["type"] == "hash":
                theirs |= {f"{key}#{field}": text for field, text in row["value"].items()}
            else:
                theirs[key] = row["value"]
        deviations += compared(1, "key", theirs, keys_now(redis.client, folder))
    files = {one["path"]: one["content"] for one in recorded(shared, 1, "files.json")}
    there = {unmapped(str(path), folder): path.read_text() for path in folder.rglob("*") if path.is_file()}
    deviations += compared(1, "file", files, there)
    found = unexplained(deviations, table)
    assert not found, "\n".join(found)
    assert [row.text for row in table if not any(row.covers(one) for one in deviations)] == []
