"""`[airgaps]` and `run --check-airgaps-only`, run after run on a real Redis."""

import hashlib

import msgpack
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, load, run_json, told, write_config

GAPS, FILLED, UNORDERED = (
    "analyzer.airgapped_metrics",
    "analyzer.airgapped_metrics.filled",
    "analyzer.unordered_timeseries",
)
ON = "[airgaps]\nidentify = true\n"
ONLY = "--check-airgaps-only"


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


def put(client, **series):
    """Store the timestamps of each metric, in this order; `_` in a name stands for a dot."""
    for name, stamps in series.items():
        key = f"metrics.{name.replace('_', '.')}"
        client.set(key, b"".join(msgpack.packb((t, float(t % 7))) for t in stamps))
        client.sadd("metrics.unique_metrics", key)


def minutes(*parts):
    return [END - 60 * age for first, last in parts for age in range(first, last - 1, -1)]


def members(server, key):
    return sorted(member.decode() for member in server.client.smembers(key))


def series_of(client):
    return {key: hashlib.sha256(client.get(key)).hexdigest() for key in client.keys("metrics.app.*")}


HOLE = f"['app.hole', 60, {END - 6000 + 1}, {END - 4800 - 1}, 0]"


def test_a_gap_comes_is_filled_and_leaves(server, tmp_path, capsys):
    put(server.client, app_hole=minutes((300, 100), (80, 0)), app_whole=minutes((300, 0)), app_open=minutes((300, 20)))
    before = series_of(server.client)
    config = write_config(tmp_path, server.url, alerts=(), extra=ON)
    code, found, _ = run_json(capsys, config)
    assert (code, found["airgaps"]) == (0, {"open": 1, "closed": 1, "unordered": 0})
    assert members(server, GAPS) == [HOLE]
    run_json(capsys, config)
    assert members(server, GAPS) == [HOLE]
    assert series_of(server.client) == before
    put(server.client, app_hole=[*minutes((300, 100), (80, 0)), *minutes((99, 81))])
    assert run_json(capsys, config)[1]["airgaps"] == {"open": 1, "closed": 0, "unordered": 1}
    assert members(server, GAPS) == []
    assert members(server, UNORDERED) == ["metrics.app.hole"]
    put(server.client, app_hole=minutes((300, 0)))  # a sibling sorted it
    assert run_json(capsys, config)[1]["airgaps"] == {"open": 1, "closed": 0, "unordered": 0}
    assert members(server, UNORDERED) == []


def test_what_is_filled_is_honoured_and_what_is_old_is_forgotten(server, tmp_path, capsys):
    put(server.client, app_hole=minutes((300, 100), (80, 0)))
    config = write_config(tmp_path, server.url, alerts=(), extra=f'{ON}max_period = "2h"\n')
    foreign = "['app.gone', 60, 1699990000, 1699990600, 0]"
    server.client.sadd(GAPS, foreign)
    server.client.sadd(FILLED, HOLE, foreign)
    run_json(capsys, config)
    assert (members(server, GAPS), members(server, FILLED)) == ([], [HOLE])
    server.client.srem(FILLED, HOLE)
    run_json(capsys, config)
    assert members(server, GAPS) == [HOLE]
    run_json(capsys, config, as_of=END + 3600)
    assert members(server, GAPS) == []


def test_a_series_that_is_gone_keeps_its_gaps_until_they_are_old(server, tmp_path, capsys):
    put(server.client, app_hole=minutes((300, 100), (80, 0)), app_whole=minutes((300, 0)))
    config = write_config(tmp_path, server.url, alerts=(), extra=ON)
    run_json(capsys, config)
    server.client.delete("metrics.app.hole")
    run_json(capsys, config)
    assert members(server, GAPS) == [HOLE]
    run_json(capsys, config, "--match", "whole", as_of=END + 3600 * 5)
    assert members(server, GAPS) == []


@pytest.mark.parametrize("extra", ["", "[airgaps]\nidentify = false\n"])
def test_off_unless_asked_for(server, tmp_path, capsys, extra):
    put(server.client, app_hole=[*minutes((300, 100), (80, 0)), END - 60])
    server.client.sadd(GAPS, "theirs")
    found = run_json(capsys, write_config(tmp_path, server.url, alerts=(), extra=extra))[1]
    assert found["airgaps"] is None
    assert members(server, GAPS) == ["theirs"]
    assert members(server, UNORDERED) == []


@pytest.mark.parametrize("how", ["--dry-run", "bookkeeping = false"])
def test_nothing_is_written_where_nothing_may_be(server, tmp_path, capsys, how):
    put(server.client, app_hole=[*minutes((300, 100), (80, 0)), END - 90])
    extra = f"{ON}[analysis]\n{how}\n" if "=" in how else ON
    found = run_json(
        capsys, write_config(tmp_path, server.url, alerts=(), extra=extra), *(() if "=" in how else (how,))
    )[1]
    assert found["airgaps"] == {"open": 0, "closed": 1, "unordered": 1}
    assert members(server, GAPS) == members(server, UNORDERED) == []


def test_looking_only(server, tmp_path, capsys):
    load(server.client)
    put(server.client, app_hole=minutes((300, 100), (80, 0)), app_mixed=[*minutes((300, 0)), END - 90])
    server.client.sadd("metrics.unique_metrics", "metrics.app.missing")
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http)
        code, found, _ = run_json(capsys, config, ONLY)
        assert not http.requests
    assert (code, found["exit"], found["metrics"]) == (0, 0, 123)
    assert found["outcomes"] == {"skipped": 122, "missing": 1}
    assert found["reasons"] == {"airgaps_only": 122, "no_key": 1}
    assert found["airgaps"]["closed"] >= 1
    assert found["airgaps"]["unordered"] == 1
    assert found["anomalies"] == []
    assert found["alerts"] == told()
    assert HOLE in members(server, GAPS)
    assert members(server, UNORDERED) == ["metrics.app.mixed"]
    assert not list((tmp_path / "out").glob("anomalies*")), "there are none to tell of, and those of the last run stay"
    written = {key.decode() for key in server.client.keys("*") if not key.startswith(b"metrics.")}
    assert written == {GAPS, UNORDERED}


def test_looking_only_in_words(server, tmp_path, capsys):
    from rigs.runs import run

    put(server.client, app_hole=minutes((300, 100), (80, 0)))
    config = write_config(tmp_path, server.url, alerts=())
    capsys.readouterr()
    assert run(config, ONLY) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[:2] == ["1 metric as of 2023-11-14 22:13:20 UTC: 1 skipped", "reasons: 1 airgaps_only"]
    assert lines[2] == "airgaps: 0 open, 1 closed, 0 unordered"
    assert len(lines) == 4


def test_looking_only_where_there_is_nothing_alerts_nobody(server, tmp_path, capsys):
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, server.url, http=http), ONLY)
        assert not http.requests
    assert (code, found["metrics"]) == (66, 0)
    assert "the source lists no metrics at all" in errors


def test_looking_only_in_parquet(tmp_path, capsys):
    import pyarrow as pa

    stamps = [*minutes((300, 100), (80, 0)), END - 90]
    pq.write_table(pa.table({"metric": ["a"], "timestamp": [stamps], "value": [[1.0] * len(stamps)]}), tmp_path / "f.parquet")  # fmt: skip
    code, found, _ = run_json(capsys, write_config(tmp_path, tmp_path / "f.parquet", alerts=()), ONLY)
    assert (code, found["airgaps"]) == (0, {"open": 0, "closed": 1, "unordered": 1})


@pytest.mark.parametrize("how", [(), (ONLY,)])
def test_a_metric_that_is_filled_has_no_gaps(server, tmp_path, capsys, how):
    put(server.client, app_hole=minutes((300, 100), (80, 0)), app_zero=minutes((300, 100), (80, 0)))
    server.client.sadd(GAPS, HOLE.replace("hole", "zero"))
    extra = f'{ON}[preparation]\nzero_fill = ["app.zero"]\n'
    found = run_json(capsys, write_config(tmp_path, server.url, alerts=(), extra=extra), *how)[1]
    assert found["airgaps"] == {"open": 0, "closed": 1, "unordered": 0}
    assert members(server, GAPS) == [HOLE]


def test_books_that_cannot_be_written_keep_no_alert_back(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GUEST", "pw")
    rules = "on >pw ~metrics.* ~ridgeline.* ~last_alert.* ~alert.* ~metrics_manager.* +@all"
    with redis_server(acl={"guest": rules}) as server, http_server() as http:
        load(server.client)
        config = write_config(tmp_path, server.url, http=http, extra=ON)
        named = '[source]\nusername = "guest"\npassword_env = "GUEST"'
        config.write_text(config.read_text().replace("[source]", named))
        code, found, errors = run_json(capsys, config)
        assert (code, found["alerts"]["sent"]) == (70, len(found["anomalies"]))
        assert len(http.requests) > 0
        assert found["airgaps"] is not None
    assert errors.count("books in Redis") == 1
