"""Data that cannot be judged is no data, however it came to be so: exit 66, one alert, the counts in the sentence."""

import math
import time

import msgpack
import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, received, run_json, write_config

from ridgeline.engine.config.load import load_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request

METRICS = 20
POINTS = 300


def minutes(value, end=END, step=60):
    """A series in Skyline's own format: one msgpack pair after the other, each with the value of its position."""
    return b"".join(msgpack.packb([end - step * (POINTS - 1 - n), value(n)]) for n in range(POINTS))


def healthy(n):
    return 5.0 + math.sin(n)


UNUSABLE = {
    "NaN": (minutes(lambda _: math.nan), "rejected", "no_usable_points"),
    "null": (minutes(lambda _: None), "rejected", "no_usable_points"),
    "strings": (minutes(str), "rejected", "no_usable_points"),
    "garbage": (b"\xc1 not msgpack", "rejected", "malformed"),
    "a list around it all": (
        msgpack.packb([[END - 60 * (POINTS - 1 - n), healthy(n)] for n in range(POINTS)]), "rejected", None,
    ),
    "blank": (b"", None, None),
    "future": (minutes(healthy, end=END + 10 * 86400), "empty", None),
    "hourly": (minutes(healthy, step=3600), "too_short", None),
    "yesterday": (minutes(healthy, end=END - 86400), "stale", None),
    "milliseconds of the year 1": (minutes(healthy, end=100_000), "rejected", "no_usable_points"),
}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


def fill(client, unusable, count, metrics=METRICS):
    """A fleet of which so many series are unusable."""
    client.flushall()
    names = [f"metrics.m{n:02d}" for n in range(metrics)]
    client.sadd("metrics.unique_metrics", *names)
    for n, name in enumerate(names):
        client.set(name, unusable if n < count else minutes(healthy))


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_fleet_that_cannot_be_judged(server, tmp_path, capsys, kind):
    series, outcome, reason = UNUSABLE[kind]
    fill(server.client, series, METRICS)
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http)
        code, found, errors = run_json(capsys, config)
        assert code == found["exit"] == 66
        assert received(http) == ["ridgeline.no_data"]
        message = http.requests[0].json["alerts"][0]["message"]
    assert message.startswith(f"only 0 of {METRICS} metrics could be judged (20 ")
    assert message in errors
    if outcome is not None:
        assert found["outcomes"] == {outcome: METRICS}
        assert f"({METRICS} {outcome})" in message
    if reason is not None:
        assert found["reasons"] == {reason: METRICS}


def test_a_value_too_long_to_be_read(server, tmp_path, capsys):
    fill(server.client, bytes(17 * 2**20), 2, metrics=3)  # the newest 1,000 points never take so much
    config = write_config(tmp_path, server.url, alerts=())
    config.write_text(config.read_text().replace("chunk_keys", "max_points = 1000\nchunk_keys"))
    code, found, errors = run_json(capsys, config)
    assert code == 66
    assert found["reasons"] == {"too_long": 2}
    assert "only 1 of 3 metrics could be judged (2 rejected)" in errors


@pytest.mark.parametrize(("unusable", "code"), [(10, 0), (11, 66)])
def test_half_of_them_is_enough(server, tmp_path, capsys, unusable, code):
    fill(server.client, UNUSABLE["NaN"][0], unusable)
    assert run_json(capsys, write_config(tmp_path, server.url, alerts=()))[0] == code


def test_a_flat_fleet_is_boring_and_well(server, tmp_path, capsys):
    fill(server.client, minutes(lambda _: 1.0), METRICS)
    code, found, errors = run_json(capsys, write_config(tmp_path, server.url, alerts=()))
    assert (code, found["outcomes"], errors) == (0, {"boring": METRICS}, "")


def test_a_run_over_some_metrics_only_alerts_nobody_that_they_have_no_data(server, tmp_path, capsys):
    fill(server.client, UNUSABLE["NaN"][0], METRICS)
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http)
        code, _, errors = run_json(capsys, config, "--match", "m1")
        assert (code, http.requests) == (66, [])
        assert "only 0 of 10 metrics could be judged (10 rejected)" in errors
        assert run_json(capsys, config, "--match", "no.such")[0] == 66
        assert http.requests == []


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (7230, "the newest data of 20 of 20 metrics lies in the future, by 2 h: this machine's clock is behind"),
        (
            -7260,
            "the newest point of all is 2 h 1 min old: nothing writes to the source, or this machine's clock is ahead",
        ),
    ],
)
def test_a_clock_that_is_hours_off(server, tmp_path, capsys, shift, words):
    end = int(time.time()) + shift
    fill(server.client, minutes(healthy, end=end), METRICS)
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, server.url, http=http), as_of=None)
        assert code == found["exit"] == 66
        (request,) = http.requests
        (alert,) = request.json["alerts"]
    assert alert["metric"] == "ridgeline.no_data"
    assert words.split(":")[0] in alert["message"]
    assert words in errors
    if shift > 0:
        assert found["outcomes"] == {"analysed": METRICS}
        # A point a minute lies after now for two hours, in each series.
        assert found["repairs"]["after_as_of"] == pytest.approx(METRICS * 120.5, abs=METRICS)


def test_some_metrics_of_the_future_are_told_and_left_out(server, tmp_path, capsys):
    now = int(time.time())
    fill(server.client, minutes(healthy, end=now + 3600), 5)
    for n in range(5, METRICS):
        server.client.set(f"metrics.m{n:02d}", minutes(healthy, end=now))
    code, found, errors = run_json(capsys, write_config(tmp_path, server.url, alerts=()), as_of=None)
    assert (code, found["outcomes"]) == (0, {"analysed": METRICS})
    assert "the newest data of 5 of 20 metrics lies in the future, by" in errors
    assert "points after now are left out" in errors
    assert found["repairs"]["after_as_of"] == pytest.approx(5 * 60, abs=10)


def test_under_skyline_s_profile_points_of_the_future_are_judged_and_that_is_said(server, tmp_path, capsys):
    now = int(time.time())
    fill(server.client, minutes(healthy, end=now + 3600), 5)
    for n in range(5, METRICS):
        server.client.set(f"metrics.m{n:02d}", minutes(healthy, end=now))
    config = write_config(tmp_path, server.url, alerts=(), extra='[analysis]\nprofile = "earthgecko"')
    code, found, errors = run_json(capsys, config, as_of=None)
    assert (code, found["outcomes"]) == (0, {"analysed": METRICS})
    assert "points after now are judged all the same, as Skyline does" in errors
    assert "after_as_of" not in found["repairs"]


def test_with_as_of_data_beyond_it_is_said_and_no_failure(server, tmp_path, capsys):
    fill(server.client, minutes(healthy, end=END + 3600), METRICS)
    code, found, errors = run_json(capsys, write_config(tmp_path, server.url, alerts=()))
    assert code == 0
    assert "lies in the future, by 1 h, seen from `--as-of`" in errors
    assert found["repairs"] == {"after_as_of": METRICS * 60}


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (100, "this machine's clock is 1 min 40 s ahead of that of Redis"),
        (-100, "this machine's clock is 1 min 40 s behind that of Redis"),
        (10, None),
    ],
)
def test_redis_has_a_clock_too(server, tmp_path, shift, words):
    ours = time.time() + shift
    fill(server.client, minutes(healthy, end=int(ours)), METRICS)
    config = load_config(write_config(tmp_path, server.url, alerts=()))
    report = run_once(Request(config), now=lambda: time.time() + shift)
    assert (report.exit, report.outcomes) == (0, {"analysed": METRICS})
    assert [problem[: len(words or "")] for problem in report.problems] == ([] if words is None else [words])
    assert run_once(Request(config, as_of=int(ours)), now=lambda: time.time() + shift).problems == []
