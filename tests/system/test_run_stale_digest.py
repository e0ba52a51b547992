"""`[stale_digest]`: one message about all metrics that fell silent, once for as long as each stays so."""

import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import END, load, run_json, write_config

POINTS = 300
DIGEST = '[stale_digest]\nstrategy = "http"\nexclude = ["app.known"]\n'


def series(age, step=60):
    """Times and values of a metric whose newest point is `age` seconds old."""
    return [END - age - step * n for n in reversed(range(POINTS))], [5 + math.sin(n) for n in range(POINTS)]


def table(**ages):
    found = {f"app.{name}": series(*age) if isinstance(age, tuple) else series(age) for name, age in ages.items()}
    return pa.table(
        {
            "metric": list(found),
            "timestamp": [times for times, _ in found.values()],
            "value": [values for _, values in found.values()],
        }
    )


FLEET = {"fresh": 0, "late": 400, "also": 301, "on_time": 300, "slow": (450, 200), "known": 400, "stale": 900}


@pytest.fixture
def fleet(tmp_path):
    """(write, path): write a fleet, and the file it is in."""
    path = tmp_path / "fleet.parquet"
    return lambda **ages: pq.write_table(table(**ages), path), path


def digests(server):
    return [alert for request in server.requests for alert in request.json["alerts"]]


def test_metrics_are_told_of_once_while_they_stay_silent(tmp_path, fleet, capsys):
    write, path = fleet
    with http_server() as server:
        config = write_config(tmp_path, path, alerts=(), http=server, extra=DIGEST)
        write(**FLEET)
        code, told, _ = run_json(capsys, config)
        assert (code, told["alerts"]["sent"], told["alerts"]["messages"]) == (0, 1, 1)
        (digest,) = digests(server)
        assert digest["metric"] == "ridgeline.stale"
        assert digest["message"] == (
            "2 metrics are newly stale, without a new point for more than 5 min: app.also, app.late"
        )
        run_json(capsys, config)
        assert len(digests(server)) == 1
        write(**{**FLEET, "fresh": 310, "late": 320})  # one more, and one that had come back meanwhile
        run_json(capsys, config)
        assert digests(server)[1]["message"].endswith("5 min: app.fresh, app.late")


@pytest.mark.parametrize("arguments", [["--match", "app"], ["--dry-run"]])
def test_runs_over_some_metrics_and_dry_ones_send_none_and_remember_none(tmp_path, fleet, capsys, arguments):
    write, path = fleet
    write(**FLEET)
    with http_server() as server:
        config = write_config(tmp_path, path, alerts=(), http=server, extra=DIGEST)
        run_json(capsys, config, *arguments)
        assert not digests(server)
        run_json(capsys, config)
        assert len(digests(server)) == 1


def test_without_the_table_there_is_none(tmp_path, fleet, capsys):
    write, path = fleet
    write(**FLEET)
    with http_server() as server:
        run_json(capsys, write_config(tmp_path, path, http=server))
        assert "ridgeline.stale" not in [alert["metric"] for alert in digests(server)]


def test_a_digest_that_cannot_be_sent_waits_and_joins_no_other(tmp_path, fleet, capsys):
    write, path = fleet
    with http_server(Answer(503)) as down:
        config = write_config(tmp_path, path, alerts=(), http=down, extra=DIGEST)
        write(**FLEET)
        code, told, _ = run_json(capsys, config)
        assert (code, told["alerts"]["queued"]) == (70, 1)
        write(**{**FLEET, "fresh": 310})
        code, told, _ = run_json(capsys, config, as_of=END + 1)
        assert (code, told["alerts"]["queued"]) == (70, 2)


def test_redis_remembers_it_under_skylines_key(tmp_path, capsys):
    with redis_server() as server, http_server() as http:
        load(server.client, table(**FLEET))
        config = write_config(tmp_path, server.url, alerts=(), http=http, extra=DIGEST)
        server.client.set("last_alert.stale.app.also", str(END - 100), ex=500)  # Skyline told of it
        run_json(capsys, config)
        assert digests(http)[0]["message"].endswith(
            "1 metric is newly stale, without a new point for more than 5 min: app.late"
        )
        assert int(server.client.get("last_alert.stale.app.late")) == END - 400
        assert 490 <= server.client.ttl("last_alert.stale.app.late") <= 500
