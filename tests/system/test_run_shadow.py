"""`run --shadow`: beside a live Skyline, over what the real one left, and nothing of it changes."""

import ast
import json
import threading
import time

import pytest
from conftest import SHARED
from rigs.golden.series import stored_series
from rigs.golden.siblings import list_metrics, write_series
from rigs.golden.trace import Trace
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, load, run, run_json
from rigs.runs import write_config as write

RUN = 2
# docs/differences.md, Consensus and ANALYZER_SKIP
DIFFERENT = {3: ["app.none.last"], 5: ["skip.me.one"]}
REAL = "analyzer.real_anomalous_metrics"
SETTINGS = """\
[[override]]
match = "custom.stale"
stale_period = "2h"
[batch]
match = ["batch."]
"""


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def trace():
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (parity and reference data), which is not here")
    return Trace(SHARED / "golden")


@pytest.fixture(scope="module")
def series(trace):
    return stored_series(trace)


@pytest.fixture
def skyline(server, trace, series):
    """A Redis as the real Skyline left it after its second run."""
    leave(server, trace, series, RUN)
    return server


def leave(server, trace, series, run):
    server.client.flushall()
    write_series(server.client, series[run])
    list_metrics(server.client, trace, run)
    for key, told in trace.keys(run).items():
        value = told["value"]
        match told["type"]:
            case "string":
                server.client.set(key, value)
            case "set":
                server.client.sadd(key, *value)
            case "hash":
                server.client.hset(key, mapping=value)
    if server.client.exists("metrics_manager.api_skip_analysis"):  # what expires does so by the wall clock
        server.client.hset("metrics_manager.api_skip_analysis", "api.skipped.one", int(time.time()) + 3600)


def write_config(folder, source, alerts=(), **options):
    return write(folder, source, alerts=alerts, **options)


def configured(tmp_path, url, **options):
    alerts = options.pop("alerts", ())
    extra = f'[analysis]\nprofile = "{options.pop("profile", "earthgecko")}"\nskip = ["skip.me"]\n[preparation]\ncounters = "auto"\n'
    fills = 'zero_fill = ["app.fill.zero"]\nlast_known_value = ["app.fill.lkv"]\nnon_derivative = ["app.counter.excluded"]\n'
    return write_config(tmp_path, url, alerts=alerts, extra=extra + fills + SETTINGS, **options)


def everything(client):
    return {key: (client.dump(key), client.ttl(key) < 0) for key in client.scan_iter("*")}


def commands(client, work):
    """The names of the commands that the server was sent meanwhile."""
    seen, over = [], threading.Event()
    with client.monitor() as monitor:

        def listen():
            for said in monitor.listen():
                if "the end" in said["command"]:
                    break
                seen.append(said["command"].split(" ")[0].upper())
            over.set()

        threading.Thread(target=listen, daemon=True).start()
        time.sleep(0.1)
        work()
        client.echo("the end")
        assert over.wait(60)
    return set(seen)


def test_the_real_skyline_s_run_is_found_again(skyline, trace, tmp_path, capsys):
    before = everything(skyline.client)
    now = trace.clock(RUN) + 50
    with http_server() as http:
        config = configured(tmp_path, skyline.url, http=http, alerts=(("", "http", 3600),))
        found = []
        sent = commands(skyline.client, lambda: found.append(run_json(capsys, config, "--shadow", as_of=now)))
        assert not http.requests
    ((code, shown, err),) = found
    assert (code, err) == (0, "")
    shadow = shown["shadow"]
    assert shadow["compared_with"] == shown["as_of"] == trace.clock(RUN)
    theirs = len(trace.keys(RUN)[f"{REAL}.{trace.clock(RUN)}"]["value"])
    # One True vote and five algorithms that failed are an anomaly to Skyline alone (docs/differences.md, Consensus).
    assert (shadow["both"], shadow["only_ours"], shadow["only_theirs"]) == (theirs - 1, [], ["app.none.last"])
    stale = shadow["outcomes"]["stale"]
    assert (stale["both"], stale["only_ours"], stale["only_theirs"]) == (1, [], [])
    assert stale["updated_at"] == 1_700_000_120
    assert everything(skyline.client) == before
    assert sent <= {"SSCAN", "MGET", "HSCAN", "TIME", "TYPE", "PING", "SELECT", "CLIENT", "HELLO", "AUTH"}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("run", range(3, 9))
def test_every_run_is_found_again(server, trace, series, tmp_path, capsys, run):
    """Counters that Skyline knows are judged as counters, from the first shadow run on."""
    leave(server, trace, series, run)
    shadow = run_json(capsys, configured(tmp_path, server.url), "--shadow", as_of=trace.clock(run))[1]["shadow"]
    assert shadow["compared_with"] == trace.clock(run)
    theirs = {ast.literal_eval(member)[1] for member in trace.keys(run)[f"{REAL}.{trace.clock(run)}"]["value"]}
    assert shadow["both"] + len(shadow["only_theirs"]) == len(theirs)
    assert (shadow["only_ours"], shadow["only_theirs"]) == ([], DIFFERENT.get(run, []))


def test_points_that_came_later_change_nothing(skyline, trace, series, tmp_path, capsys):
    config = configured(tmp_path, skyline.url)
    first = run_json(capsys, config, "--shadow", as_of=trace.clock(RUN))[1]["shadow"]
    write_series(skyline.client, series[RUN + 1])  # a minute on, Skyline has not judged them yet
    after = run_json(capsys, config, "--shadow", as_of=trace.clock(RUN) + 60)[1]["shadow"]
    # Series that were rewritten or first came in between do differ.
    assert abs(after["both"] - first["both"]) <= 1
    assert after["compared_with"] == first["compared_with"]


def test_what_only_one_side_finds_is_named(server, tmp_path, capsys):
    load(server.client)
    config = write_config(tmp_path, server.url, extra='[analysis]\nprofile = "earthgecko"')
    alone = run_json(capsys, config, "--dry-run")[1]
    ours = [found["metric"] for found in alone["anomalies"]]
    server.client.sadd(f"{REAL}.{END - 60}", f"[1.0, '{ours[0]}', {END - 60}]")
    server.client.sadd(f"{REAL}.{END}", f"[nan, '{ours[0]}', {END}]", f'[1.0, "it\'s gone", {END}]', "nonsense", "[[[")
    server.client.sadd("aet.analyzer.boring", "a.boring.one", "_updated_at_nonsense", "_updated_at_20231114221200")
    code, shown, err = run_json(capsys, config, "--shadow")
    assert (code, err) == (0, "")
    assert shown["shadow"]["compared_with"] == END
    assert shown["shadow"]["both"] == 1
    assert shown["shadow"]["only_ours"] == sorted(ours[1:])
    assert shown["shadow"]["only_theirs"] == ["it's gone"]
    boring = shown["shadow"]["outcomes"]["boring"]
    assert boring["updated_at"] == 1_699_999_920
    assert boring["only_theirs"] == ["_updated_at_nonsense", "a.boring.one"]
    assert run(config, "--shadow") == 0
    said = capsys.readouterr().out
    assert f"anomalous: both 1, only Ridgeline {len(ours) - 1}, only Skyline 1" in said
    assert "only Skyline: it's gone" in said
    assert "shadow run: nothing was sent or written" in said
    some = run_json(capsys, config, "--shadow", "--match", ours[1])[1]["shadow"]
    assert (some["both"], some["only_ours"], some["only_theirs"]) == (0, [ours[1]], [])


def test_without_results_it_says_so(server, tmp_path, capsys):
    load(server.client)
    config = write_config(tmp_path, server.url)
    server.client.sadd(f"{REAL}.{END - 900}", f"[1.0, 'a', {END}]")  # too old
    assert run(config, "--shadow") == 66
    assert "Skyline left no results in this Redis within 15 minutes" in capsys.readouterr().err


def test_another_profile_is_told(server, tmp_path, capsys):
    load(server.client)
    server.client.sadd(f"{REAL}.{END}", f"[1.0, 'a', {END}]")
    _, _, err = run_json(capsys, write_config(tmp_path, server.url), "--shadow")
    assert 'the profile is native: with `[analysis] profile = "earthgecko"`' in err


def test_a_key_of_another_type_or_a_lost_server_is_a_sentence(server, tmp_path, capsys):
    server.client.set(f"{REAL}.{END}", "no set")
    config = write_config(tmp_path, server.url)
    assert run(config, "--shadow") == 69
    assert "Skyline's results cannot be read" in capsys.readouterr().err
    assert run(write_config(tmp_path, "unix:///nowhere/redis.sock"), "--shadow") == 69


def test_what_makes_no_sense_together_is_refused(server, tmp_path, capsys):
    config = write_config(tmp_path, server.url)
    assert run(config, "--shadow", "--archive") == 2
    assert run(config, "--shadow", "--check-airgaps-only") == 2
    assert run(write_config(tmp_path, tmp_path / "x.parquet"), "--shadow") == 2
    assert "must be redis" in capsys.readouterr().err


def test_json_is_one_object(server, tmp_path, capsys):
    load(server.client)
    server.client.sadd(f"{REAL}.{END}", f"[1.0, 'a', {END}]")
    run(write_config(tmp_path, server.url), "--shadow", "--json")
    assert set(json.loads(capsys.readouterr().out)["shadow"]) == {
        "compared_with",
        "both",
        "only_ours",
        "only_theirs",
        "outcomes",
    }
