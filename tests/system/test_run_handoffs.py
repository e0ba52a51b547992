"""`ridgeline run` among Skyline's siblings: a real Redis, real folders, run after run."""

import ast
import os
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, FLEET, load, received, run_json, write_config

from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.write import write_matrix

PARKED = "analyzer.waterfall_alerts.sent_to_mirage"
KEYS = ("mirage_checks", "panorama_checks", "crucible_checks", "crucible_data", "web_ui")
MIRAGES = "second_order_hours = 168\n"
STEP = int(FLEET.timestamps[1] - FLEET.timestamps[0])


@pytest.fixture
def redis():
    with redis_server() as server:
        yield server


@pytest.fixture
def folders(tmp_path):
    for name in KEYS:
        (tmp_path / name).mkdir()
    return "[handoff]\n" + "".join(f'{name} = "{tmp_path / name}"\n' for name in KEYS)


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def mirages(config):
    """Make every metric Mirage's."""
    config.write_text(config.read_text().replace("expiration = 3600\n", f"expiration = 3600\n{MIRAGES}"))
    return config


def later(client, seconds):
    """Every series goes on, quietly, so that its newest point is so much later."""
    stamps = np.arange(END + STEP, END + seconds + 1, STEP)
    table = pa.table(
        {
            "metric": np.repeat(FLEET.metrics, len(stamps)),
            "timestamp": np.tile(stamps, len(FLEET.metrics)),
            "value": np.repeat(FLEET.values[:, :-20].mean(axis=1), len(stamps)),
        }
    )
    write_matrix(client, MetricMatrix.from_table(table), mode="append")


def test_siblings_are_told_of_every_anomaly(redis, tmp_path, capsys, folders):
    load(redis.client)
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http, extra=folders)
        code, found, errors = run_json(capsys, config)
        assert (code, errors) == (0, "")
        names = sorted(row["metric"] for row in found["anomalies"])
        assert sorted(received(http)) == names
    stamps = {row["metric"]: row["timestamp"] for row in found["anomalies"]}
    assert files(tmp_path / "panorama_checks") == sorted(f"{END}.{name}.txt" for name in names)
    assert files(tmp_path / "crucible_checks") == sorted(f"{stamps[name]}.{name}.txt" for name in names)
    assert len(files(tmp_path / "crucible_data")) == 2 * len(names)
    for check in (tmp_path / "crucible_checks").iterdir():
        told = dict(line.split(" = ", 1) for line in check.read_text().splitlines())
        folder, name = ast.literal_eval(told["anomaly_dir"]), ast.literal_eval(told["metric"])
        points = ast.literal_eval((tmp_path / folder / f"{name}.json").read_text())
        row = FLEET.metrics.index(name)
        assert points == tuple(zip(map(float, FLEET.timestamps.tolist()), FLEET.values[row].tolist(), strict=True))
        assert f"'{points[-1][1]}'" == told["value"]
        assert f"'{int(points[1][0])}'" == told["from_timestamp"]
    rows = ast.literal_eval((tmp_path / "web_ui" / "anomalies.json").read_text()[len("handle_data(") : -1])
    assert [row[1] for row in rows] == names
    assert files(tmp_path / "mirage_checks") == []
    assert found["handoffs"] == {"panorama": len(names), "crucible": len(names), "web_ui": 1}


def test_a_dump_is_emptied_when_nothing_is_anomalous(redis, tmp_path, capsys, folders):
    load(redis.client)
    config = write_config(tmp_path, redis.url, alerts=(), extra=folders)
    run_json(capsys, config)
    assert "handle_data([[" in (tmp_path / "web_ui" / "anomalies.json").read_text()
    before = (tmp_path / "web_ui" / "anomalies.json").read_text()
    run_json(capsys, config, "--match", FLEET.metrics[0])
    run_json(capsys, config, "--dry-run")
    assert (tmp_path / "web_ui" / "anomalies.json").read_text() == before
    later(redis.client, 3600)
    code, found, _ = run_json(capsys, config, as_of=END + 3600)
    assert (code, found["anomalies"]) == (0, [])
    assert (tmp_path / "web_ui" / "anomalies.json").read_text() == "handle_data([])"


@pytest.mark.parametrize("lacking", KEYS)
def test_a_folder_that_is_missing_costs_a_sentence_and_never_an_alert(redis, tmp_path, capsys, folders, lacking):
    load(redis.client)
    (tmp_path / lacking).rmdir()
    where = folders.replace('web_ui"', 'web_ui/anomalies.json"')
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http, extra=where)
        if lacking == "mirage_checks":
            mirages(config)
        code, found, errors = run_json(capsys, config)
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert (code, found["exit"]) == (74, 74)
    assert sum(lacking in line for line in errors.splitlines()) == 1
    assert not (tmp_path / lacking).exists()


def test_mirage_is_asked_answers_or_is_alerted_for(redis, tmp_path, capsys, folders):
    load(redis.client)
    with http_server() as http:
        config = mirages(write_config(tmp_path, redis.url, http=http, extra=folders))
        code, found, errors = run_json(capsys, config)
        names = sorted(row["metric"] for row in found["anomalies"])
        assert (code, errors, received(http)) == (0, "", [])
        assert {row["handed_to"] for row in found["anomalies"]} == {"mirage"}
        assert found["handoffs"]["mirage"] == len(names) == len(files(tmp_path / "mirage_checks"))
        assert files(tmp_path / "panorama_checks") == []
        parked = sorted(member.decode() for member in redis.client.smembers(PARKED))
        assert [ast.literal_eval(member)[0] for member in parked] == names
        assert redis.client.exists("analyzer.sent_to_mirage") == 0
        key = f"analyzer.mirage_check_sent.{found['anomalies'][0]['timestamp']}.{found['anomalies'][0]['metric']}"
        assert 290 < redis.client.ttl(key) <= 300

        run_json(capsys, config, as_of=END + 60)  # the same points: nothing is asked twice
        assert len(files(tmp_path / "mirage_checks")) == len(names)
        assert redis.client.scard(PARKED) == len(names)

        for member in parked[1:]:  # Mirage takes its checks away, and answers all but the first
            redis.client.srem(PARKED, member)
        later(redis.client, 300)
        code, found, errors = run_json(capsys, config, as_of=END + 300)
        assert (code, errors, found["anomalies"]) == (0, "", [])
        assert received(http) == names[:1]
        (alert,) = http.requests[-1].json["alerts"]
        assert "Mirage was asked at 2023-11-14 22:13:20 UTC and has not answered" in alert["why"]
        assert "waterfall alert" in http.requests[-1].json["headline"]
        assert found["handoffs"] == {"panorama": 1, "unanswered": 1, "web_ui": 1}
        assert redis.client.exists(PARKED) == 0
        assert len(files(tmp_path / "mirage_checks")) == len(names) - 1
        assert files(tmp_path / "panorama_checks") == [f"{END + 300}.{names[0]}.txt"]
        assert redis.client.smembers("mirage.sent_to_panorama") == {names[0].encode()}

        code, found, errors = run_json(capsys, config, as_of=END + 360)
        assert (code, received(http)) == (0, names[:1])


def test_a_user_without_rights_alerts_at_once(redis, tmp_path, capsys, folders):
    load(redis.client)
    client = redis.client
    client.execute_command(
        "ACL", "SETUSER", "reader", "on", ">pw", "+@all", "-sadd", "-set", "-srem", "-hset", "-unlink", "~*"
    )
    with http_server() as http:
        config = mirages(
            write_config(tmp_path, redis.url, http=http, extra=folders + f'\n[output]\nstate = "{tmp_path}/s.db"')
        )
        text = config.read_text().replace(
            "[source]", '[source]\nusername = "reader"\npassword_env = "RIDGELINE_TEST_PW"'
        )
        text = re.sub(r'\[output\]\ndirectory = "[^"]*"\n', "", text)
        config.write_text(text)
        os.environ["RIDGELINE_TEST_PW"] = "pw"
        try:
            code, found, errors = run_json(capsys, config)
        finally:
            del os.environ["RIDGELINE_TEST_PW"]
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert code == 70
    assert "of Mirage's metrics alerted on at once" in errors
    assert files(tmp_path / "mirage_checks") == []


def test_batch_s_metrics_go_into_its_queue_and_what_it_finds_is_alerted_on(redis, tmp_path, capsys):
    load(redis.client)
    client, name = redis.client, FLEET.metrics[0]
    client.set("analyzer_batch", "1", ex=900)
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http, extra=f'[batch]\nmatch = ["{name}"]')
        found = run_json(capsys, config)[1]
        assert "batch" not in found["reasons"]  # it was never judged before
        assert client.hgetall("analyzer.last_timestamp.base_names") == {name.encode(): str(END).encode()}
        assert client.smembers("analyzer.batch_processing_metrics") == {name.encode()}
        later(client, 60)
        code, found, errors = run_json(capsys, config, as_of=END + 60)
        assert (code, errors, found["unmatched_patterns"]) == (0, "", [])
        assert (found["outcomes"]["skipped"], found["reasons"]["batch"]) == (1, 1)
        assert client.smembers("analyzer.batch") == {f"['metrics.{name}', {END}, None]".encode()}
        assert client.hgetall("analyzer.last_timestamp.base_names") == {name.encode(): str(END).encode()}

        told = {
            "value": 4.0,
            "metric": name,
            "timestamp": END + 60,
            "triggered_algorithms": [1],
            "algorithms_run": ["grubbs"],
        }
        client.hset("analyzer_batch.alerts", f"{END + 60}.{name}", str(told))
        before = len(http.requests)
        found = run_json(capsys, config, as_of=END + 120)[1]
        assert [alert["metric"] for request in http.requests[before:] for alert in request.json["alerts"]] == [name]
        assert found["handoffs"]["batch_alerts"] == 1
        assert client.exists("analyzer_batch.alerts") == 0

        # Two within the expiration of what was told last, by their own times, one just beyond it, and one beyond that.
        for stamp in (END, END + 120, END + 3660, END + 9000):
            client.hset("analyzer_batch.alerts", f"{stamp}.{name}", str(told | {"timestamp": stamp}))
        before = len(http.requests)
        run_json(capsys, config, as_of=END + 180)
        assert [field.decode() for field in client.hkeys("analyzer_batch.alerts")] == [f"{END + 9000}.{name}"]
        run_json(capsys, config, as_of=END + 240)
        assert [alert["timestamp"] for request in http.requests[before:] for alert in request.json["alerts"]] == [
            END + 3660,
            END + 9000,
        ]
        assert client.exists("analyzer_batch.alerts") == 0


def test_the_second_stage_keeps_back_what_happens_every_day(tmp_path, capsys):
    stamps = np.arange(END - 8 * 86400, END + 1, 300)
    noise = np.random.default_rng(1).normal(0, 1, len(stamps))
    daily = np.where((END - stamps) % 86400 < 8 * 3600, 160.0, 100.0) + noise
    daily[(stamps > END - 86400) & (stamps < END)] = 100 + noise[(stamps > END - 86400) & (stamps < END)]
    new = 100 + noise
    new[-1] = 160
    both = {"daily": daily, "new": new}
    day = stamps > END - 86400

    def write(path, which):
        table = {
            "metric": np.repeat(list(both), which.sum()),
            "timestamp": np.tile(stamps[which], 2),
            "value": np.concatenate([values[which] for values in both.values()]),
        }
        pq.write_table(pa.table(table), path)

    write(tmp_path / "fleet.parquet", day)
    (tmp_path / "archive").mkdir()
    write(tmp_path / "archive" / "a.parquet", ~day)
    with http_server() as http:
        stage = f'[second_stage]\npath = "{tmp_path / "archive"}"\ndays = 7\n'
        config = write_config(tmp_path, tmp_path / "fleet.parquet", http=http, extra=stage)
        code, found, errors = run_json(capsys, config)
        assert (code, errors) == (0, "")
        assert {row["metric"]: row["second_stage"] for row in found["anomalies"]} == {
            "daily": "not_confirmed", "new": "confirmed",
        }  # fmt: skip
        assert found["handoffs"] == {"second_stage_confirmed": 1, "second_stage_not_confirmed": 1}
        assert received(http) == ["new"]
        assert pq.read_table(tmp_path / "out" / "anomalies.parquet").column("second_stage").to_pylist() == [
            row["second_stage"] for row in found["anomalies"]
        ]
        (tmp_path / "archive" / "a.parquet").write_bytes(b"PAR1")
        (tmp_path / "out" / "state.db").unlink()
        code, found, errors = run_json(capsys, config)
        assert (code, {row["second_stage"] for row in found["anomalies"]}) == (70, {"unknown"})
        assert "a.parquet" in errors
        assert sorted(received(http)[1:]) == ["daily", "new"]
