"""Runs that tell nobody of anything: they leave out what delivers, and come to the same."""

import pytest
from rigs.redis import redis_server
from rigs.runs import END, load, run_json, told, write_config

from ridgeline.engine.run.stages import alert


def kept(client):
    """All that is stored but the series and the run's own place, by key."""
    readers = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers}
    return {key: readers[client.type(key)](key) for key in client.keys("ridgeline.*")}


def two_runs(folder, capsys, end):
    """What two runs a minute apart print, and what they leave."""
    folder.mkdir()
    with redis_server() as server:
        load(server.client)
        config = write_config(folder, server.url, alerts=(), extra="[analysis]\nbookkeeping = false")
        printed = [run_json(capsys, config, as_of=end + 60 * minute) for minute in range(2)]
        return [(code, report["alerts"], report["anomalies"], err) for code, report, err in printed], kept(
            server.client
        )


def test_it_comes_to_what_delivery_comes_to(tmp_path, capsys, monkeypatch):
    brief = two_runs(tmp_path / "brief", capsys, END)
    monkeypatch.setattr(alert, "_anything_waits", lambda _: True)
    whole = two_runs(tmp_path / "whole", capsys, END)
    assert brief == whole
    (code, alerts, anomalies, _), _ = brief[0]
    assert code == 0
    assert anomalies
    assert alerts == told(unmatched=len(anomalies))
    assert any(b"anomalies" in key for key in brief[1]), "incidents are remembered"


@pytest.mark.parametrize("alerts", [(), (("no such metric", "http", 3600),)])
def test_what_waits_for_a_strategy_that_is_gone_is_told_of(tmp_path, capsys, alerts):
    with redis_server() as server:
        load(server.client)
        closed = 'url = "http://127.0.0.1:9/"'
        before = write_config(tmp_path, server.url, extra=f"[alerters.http]\n{closed}")
        code, report, _ = run_json(capsys, before)
        assert code == 70
        waiting = report["alerts"]["queued"]
        assert waiting
        extra = f"[alerters.http]\n{closed}" if alerts else ""
        after = write_config(tmp_path, server.url, alerts=alerts, extra=extra)
        code, report, err = run_json(capsys, after)
        assert (code, report["alerts"]["queued"]) == (70, waiting), err


def test_state_that_cannot_be_reached_is_a_problem_of_the_run(tmp_path, capsys):
    with redis_server() as server:
        load(server.client)
        state = tmp_path / "state.db"
        state.mkdir()
        config = write_config(tmp_path, server.url, alerts=(), extra="[analysis]\nbookkeeping = false")
        config.write_text(config.read_text().replace("[output]\n", f'[output]\nstate = "{state}"\n'))
        code, report, err = run_json(capsys, config)
    assert code == 70
    assert report["alerts"]["unmatched"] == len(report["anomalies"]) > 0
    assert "so alerts may repeat" in err
