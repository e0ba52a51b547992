"""The catalogue of keys is true: what a run sends is in it, and the rights derived from it are enough and documented."""

import json
import re
import runpy

import msgpack
import pytest
import redis
from rigs.http import http_server
from rigs.lists import configuration
from rigs.redis import redis_server
from rigs.runs import END, FLEET, load, run_json, write_config
from twins.lists import Rules

from ridgeline.engine.cli.main import main
from ridgeline.engine.manage.once import Request, manage_once
from ridgeline.io.redis.acl import BUILT, CONNECTION, TRANSACTION, commands, patterns, statement
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.keys import CATALOGUE, find
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.secret import Secret
from ridgeline.io.state.batch import Alerted
from ridgeline.io.state.in_redis import RedisState
from ridgeline.io.state.names import ANOMALIES, OUTBOX, SILENCES, WATCHED, breaker, triggers
from ridgeline.io.state.outbox import drop_outbox, pick_outbox, put_outbox, read_outbox

FEATURES = frozenset(key.feature for key in CATALOGUE)
PASSWORD = "s3ntinel-w0rd"
OF_ALL_KEYS = {"MGET", "DEL", "EXISTS", "SDIFF"}
OF_NO_KEY = {*CONNECTION, *TRANSACTION, "CLIENT", "AUTH"}


def use_state(state):
    """Everything that state is used for."""
    with state.batch() as batch:
        batch.alerted([Alerted("http", "a", 5, 60)])
        put_outbox(batch, {("http", "a"): {}, ("http", "b"): {}})
        batch.put(ANOMALIES, {"a": []})
        batch.add(WATCHED, ["a"])
        batch.put(SILENCES, {"1": {}})
        batch.set(breaker("http"), {}, 60)
        batch.set(triggers("a"), [], 60)
    assert state.last_alerts([("http", "a")]) == [5]
    assert 0 < state.alert_ttls([("http", "a")])[0] <= 60
    assert pick_outbox(state, [("http", "a")]) == [{}]
    assert "a" in state.members(WATCHED)
    assert (state.size(OUTBOX), state.fields(SILENCES), state.get(breaker("http"))) == (2, {"1": {}}, {})
    with state.batch() as batch:
        drop_outbox(batch, [("http", "a")])
        batch.drop(ANOMALIES, ["a"])
        batch.remove(WATCHED, ["a"])
        batch.delete(breaker("http"), SILENCES)
    assert list(read_outbox(state)) == [("http", "b")]
    with state.batch() as batch:
        batch.delete(OUTBOX)


# The page, the rights -------------------------------------------------------------------------------------------------


def test_the_page_of_keys_is_the_catalogue(root):
    assert (root / "docs" / "keys.md").read_text() == runpy.run_path(str(root / ".ci" / "keys.py"))["page"]() + "\n", (
        "run: python .ci/keys.py > docs/keys.md"
    )


def test_the_documented_rights_are_the_derived_ones(root):
    blocks = re.findall(r"```\n(ACL SETUSER .*?)\n```", (root / "docs" / "operations.md").read_text(), re.DOTALL)
    assert blocks == [
        statement("run", "ridgeline"),
        statement("run", "ridgeline", redis_7=False),
        statement("batch", "ridgeline-batch"),
        statement("manage", "ridgeline-manage"),
        statement("load", "ridgeline-load"),
    ]


@pytest.fixture(params=["6.2", "7"])
def guarded(request):
    """A server, and the users of the documentation in the form for that version of Redis."""
    with redis_server() as server:
        if request.param == "7" and int(server.client.info()["redis_version"].partition(".")[0]) < 7:
            pytest.skip("%R~ needs Redis 7, and this is an older one")
        for program in ("run", "batch", "load", "manage"):
            said = statement(program, program, redis_7=request.param == "7").replace("PASSWORD", PASSWORD)
            server.client.execute_command(*said.split())
        yield server


def as_user(server, program):
    return connect(RedisSettings(server.url, username=program, password=Secret(PASSWORD)))


def test_the_documented_rights_are_enough(guarded, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    load(guarded.client)
    guarded.client.delete(f"metrics.{FLEET.metrics[0]}")  # its type is asked for
    guarded.client.append(f"metrics.{FLEET.metrics[1]}", msgpack.packb((END - 90, 1.0)))  # out of order
    for key in ("analyzer.airgapped_metrics", "analyzer.airgapped_metrics.filled"):
        guarded.client.sadd(key, "['gone', 60, 1, 2, 0]")
    with http_server() as http:
        config = write_config(tmp_path, guarded.url, http=http, extra="[airgaps]\nidentify = true")
        named = '[source]\nusername = "run"\npassword_env = "RIDGELINE_TEST_PASSWORD"'
        config.write_text(config.read_text().replace("[source]", named))
        code, found, errors = run_json(capsys, config)
        assert (code, errors) == (0, "")
        assert found["alerts"]["sent"] == len(found["anomalies"]) > 0
        again = run_json(capsys, config)[1]
        assert again["alerts"]["suppressed"] == found["alerts"]["sent"]
    assert not guarded.client.keys("analyzer.airgapped*")
    assert guarded.client.exists("analyzer.unordered_timeseries", "aet.analyzer.stale", "analyzer", "redis") == 4
    use_state(RedisState(as_user(guarded, "run")))


def test_batch_has_the_rights_it_needs(guarded, tmp_path, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    load(guarded.client)
    name = FLEET.metrics[0]
    guarded.client.sadd("analyzer.batch", f"['metrics.{name}', {END - 3600}, None]", "no member")
    guarded.client.set("metrics.odd", b"no points")
    guarded.client.sadd("analyzer.batch", "['metrics.odd', 1, None]", "['metrics.gone', 1, None]")
    config = write_config(tmp_path, guarded.url, alerts=())
    named = '[source]\nusername = "batch"\npassword_env = "RIDGELINE_TEST_PASSWORD"'
    config.write_text(config.read_text().replace("[source]", named))
    assert main(["batch", "-q", "-c", str(config)]) == 0
    assert not guarded.client.exists("analyzer.batch")
    assert guarded.client.hexists("analyzer.last_timestamp.base_names", name)
    assert main(["batch", "-q", "-c", str(config), "--match", name, "--reprocess", str(END - 600)]) == 0
    assert main(["batch", "list", "-c", str(config)]) == 0


def test_load_has_the_rights_it_needs(guarded, tmp_path, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"metric": ["a", "a"], "timestamp": [1_700_000_000, 1_700_000_060], "value": [1.0, 2.0]})
    pq.write_table(table, tmp_path / "in.parquet")
    url = guarded.url.replace("unix://", f"unix://load:{PASSWORD}@")
    for mode in ([], ["--append"], ["--replace"]):
        assert main(["load", str(tmp_path / "in.parquet"), "--redis", url, *mode]) == 0
    assert guarded.client.smembers("metrics.unique_metrics") == {b"metrics.a"}


def test_manage_has_the_rights_it_needs(guarded, tmp_path):
    load(guarded.client)
    guarded.client.sadd("derivative_metrics", f"metrics.{FLEET.metrics[0]}")
    rules = Rules(alerts=(("", ("smtp",), 60, 48),), skip=(FLEET.metrics[1],), stale=(("", 700),), batch=("x",))
    config = configuration(rules, guarded.url, tmp_path, user=("manage", PASSWORD))
    first = manage_once(Request(config))
    guarded.client.srem("metrics.unique_metrics", f"metrics.{FLEET.metrics[2]}")
    second = manage_once(Request(config))
    assert [(one.problems, one.exit) for one in (first, second)] == [([], 0)] * 2
    assert len(second.changes["analyzer.unique_base_names"].removed) == 1
    assert guarded.client.hlen("ridgeline.inactive") == 1


def test_all_that_manage_sends_is_in_the_catalogue(tmp_path):
    with redis_server() as server:
        load(server.client)
        config = configuration(Rules(alerts=(("", ("smtp",), 60, 48),), stale=(("", 700),)), server.url, tmp_path)
        sent = list(traced(server, lambda: [manage_once(Request(config)) for _ in range(2)]))
    assert {name for name, _ in sent} <= {*commands("manage"), "CLIENT"}
    for name, keys in sent:
        for key in keys:
            row = find(key)
            assert row is not None, key
            assert name in row.commands("manage"), f"{name} on {key}"


def test_the_documented_rights_are_no_more(guarded, request):
    user = as_user(guarded, "run")
    guarded.client.set("metrics.a", b"x")
    forbidden = ["KEYS *", "FLUSHALL", "CONFIG GET *", "GET metrics.a", "INFO", "EVAL return 0", "APPEND metrics.a x",
                 "SET other x", "MGET other", "SADD other x", "SREM other x", "RENAME metrics.a b"]  # fmt: skip
    if request.node.callspec.params["guarded"] == "7":
        forbidden += ["SET metrics.a x", "UNLINK metrics.a", "RENAME analyzer.stale metrics.a"]
        forbidden += ["SADD metrics.unique_metrics x", "SREM metrics.unique_metrics x"]
    for command in forbidden:
        with pytest.raises(redis.exceptions.NoPermissionError):
            user.execute_command(*command.split())
    assert guarded.client.get("metrics.a") == b"x"


@pytest.mark.parametrize("features", [BUILT, FEATURES], ids=["built", "planned"])
@pytest.mark.parametrize("program", ["run", "batch", "manage"])
def test_nothing_but_load_may_write_series(program, features):
    assert not patterns(program, features=features).get("metrics.*", False)
    assert not patterns(program, "other.", features=features).get("other.*", False)
    assert patterns("load", features=features)["metrics.*"]
    for glob, writes in patterns(program, features=features).items():
        assert not (writes and "metrics.unique_metrics".startswith(glob.rstrip("*")) and glob.endswith("*"))


def test_a_namespace_is_taken_literally():
    assert next(iter(patterns("run", "a*[b]?\\."))) == "a\\*\\[b\\]\\?\\\\.*"
    assert patterns("run", "", {"source", "alerts", "mutes"}) == {"*": False, "last_alert.*": True, "ridgeline.*": True}
    assert find("a*<m>.x", "a*<m>.").name == "<namespace><metric>"
    assert find("ab<m>.x", "a*<m>.") is None


# The catalogue --------------------------------------------------------------------------------------------------------


def traced(server, work):
    """(command, keys) of everything that reached the server while `work` ran."""
    with server.client.monitor() as monitor:
        work()
        server.client.execute_command("ECHO", "the-end")
        while (said := monitor.next_command()["command"].split())[:2] != ["ECHO", "the-end"]:
            name, keys = said[0].upper(), said[1:]
            yield name, [] if name in OF_NO_KEY else keys if name in OF_ALL_KEYS else keys[:1]


def test_all_that_a_run_sends_is_in_the_catalogue(tmp_path, capsys):
    with redis_server() as server, http_server() as http:
        load(server.client)
        server.client.delete(f"metrics.{FLEET.metrics[0]}")
        asks = f'[[external_alerts]]\nname = "team"\nurl = "{http.url}"'
        tells = '[stale_digest]\nstrategy = "http"\n[[override]]\nmatch = "cpu"\nstale_period = 700'
        config = write_config(tmp_path, server.url, http=http, extra=f"{asks}\n{tells}")
        config.write_text(config.read_text().replace("concurrency = 2", 'payload = "skyline"'))

        def work():
            for as_of in (END, END + 310):
                assert run_json(capsys, config, as_of=as_of)[0] == 0
            use_state(RedisState(connect(server.url)))

        def faulty_work():
            assert run_json(capsys, config)[0] == 70

        sent = list(traced(server, work))
        server.client.set("metrics_manager.api_skip_analysis", "no hash")
        sent += traced(server, faulty_work)
    known = {*commands("run"), "CLIENT", "AUTH"}
    assert {name for name, _ in sent} <= known
    used = {(name, find(key)) for name, keys in sent for key in keys}
    unknown = {key for _, keys in sent for key in keys if find(key) is None}
    assert not unknown
    for name, row in used:
        assert name in row.commands("run"), f"{name} on {row.name}"
        assert row.feature in BUILT
    ours = {row.name for row in CATALOGUE if row.feature in {"source", "alerts", "mutes", "skips", "bookkeeping"}}
    assert ours <= {row.name for _, row in used}, "each row is used"


def test_names_are_distinct_and_the_nearest_row_is_found():
    assert len({key.name for key in CATALOGUE}) == len(CATALOGUE)
    for key, name in {
        "metrics.unique_metrics": "<namespace>unique_metrics",
        "metrics.a.b": "<namespace><metric>",
        "last_alert.http.a.b\n": "last_alert.<strategy>.<metric>",
        "last_alert.stale.a": "last_alert.stale.<metric>",
        "analyzer.real_anomalous_metrics": "analyzer.real_anomalous_metrics",
        "analyzer.real_anomalous_metrics.1700000000": "analyzer.real_anomalous_metrics.<epoch>",
        "ridgeline.breaker.http": "ridgeline.breaker.<strategy>",
    }.items():
        assert find(key).name == name
    assert find("ridgeline.nothing") is None
    assert find("last_alert.") is None


def recorded(shared):
    """(key, type, ttl) of what the real Skyline left in Redis."""
    for path in sorted((shared / "golden").rglob("redis.json")):
        held = json.loads(path.read_text())
        for key, facts in held.get("keys", held).items():
            if isinstance(facts, dict) and "type" in facts:
                yield key, facts["type"], facts.get("ttl")


def test_types_and_lives_are_those_of_the_real_skyline(shared):
    kinds, lives = {}, {}
    for key, kind, ttl in recorded(shared):
        row = find(key)
        if row is not None and not row.name.startswith("<namespace>"):
            kinds.setdefault(row, set()).add(kind)
            lives.setdefault(row, set()).add(ttl)
    assert len(kinds) > 50
    assert {row.name: found for row, found in kinds.items() if found != {row.kind}} == {}
    for row, found in lives.items():
        ends = found - {None}  # where the recording only imitates the writer, it left some keys without an end
        assert bool(ends) == bool(row.ttl) or row.name.startswith("alert.paused"), row.name
        assert not row.ttl.isdigit() or max(ends) <= int(row.ttl), row.name
