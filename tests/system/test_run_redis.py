"""`ridgeline run` against a Redis that lies, crawls or refuses: one sentence each, the right exit code, nothing lost."""

import itertools
import time

import pytest
from redis.exceptions import BusyLoadingError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rigs.http import http_server
from rigs.redis import HOST, answers, commands, fake_redis, listed, page, proxy, redis_server
from rigs.runs import END, FLEET, load, received, run, run_json, write_config

from ridgeline.io.redis import listing
from ridgeline.io.redis.connection import TimeIsUpError
from ridgeline.io.redis.retry import BoundedRetry


@pytest.fixture(scope="module")
def values():
    """Key -> stored bytes of a fleet that holds incidents."""
    with redis_server() as server:
        load(server.client)
        keys = sorted(server.client.smembers("metrics.unique_metrics"))
        yield dict(zip(keys, server.client.mget(keys), strict=True))


def mget(values):
    return lambda words: listed(*(values.get(key) for key in words[1:]))


def test_a_listing_that_crawls_is_judged_and_alerted_as_far_as_it_came(values, tmp_path, capsys):
    names = itertools.cycle(values)

    def crawl(_):
        time.sleep(0.05)
        return page(b"7", *itertools.islice(names, 5))

    with http_server() as http, fake_redis(answers(SSCAN=crawl, MGET=mget(values))) as port:
        began = time.monotonic()
        code, found, errors = run_json(capsys, write_config(tmp_path, f"redis://{HOST}:{port}", http=http, deadline=5))
        assert time.monotonic() - began < 5 + 10
    assert code == found["exit"] == 70
    assert found["outcomes"]["analysed"] > 0
    assert "the run is partial, the source was lost after" in errors
    assert "not all of metrics.unique_metrics" in errors
    assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert len(received(http)) > 0


def test_a_server_that_goes_in_circles(values, tmp_path, capsys, monkeypatch):
    def circle(words):  # through the metrics; the sets that a run keeps are empty
        return page(b"7", *values) if words[1] == b"metrics.unique_metrics" else page(b"0")

    monkeypatch.setattr(listing, "STUCK", 30)
    with fake_redis(answers(SSCAN=circle, MGET=mget(values))) as port:
        code, found, errors = run_json(capsys, write_config(tmp_path, f"redis://{HOST}:{port}", alerts=()))
    assert code == 70
    assert found["metrics"] == len(FLEET.metrics)
    assert found["outcomes"]["analysed"] > 100
    assert "goes in circles, it gave 30 pages without a new name" in errors


@pytest.mark.parametrize("late", [TimeIsUpError("late"), RedisTimeoutError("late")])
def test_a_server_that_was_still_loading_when_the_time_was_over_is_said_to_be(late):
    answers = [BusyLoadingError("LOADING"), late]

    def ask():
        raise answers.pop(0)

    with pytest.raises(BusyLoadingError):
        BoundedRetry(3, 60.0, lambda: 0.15 if answers else 0.0).call_with_retry(ask, lambda _: None)
    assert not answers


@pytest.mark.parametrize(
    ("command", "reply", "code", "said"),
    [
        ("PING", b"-MASTERDOWN Link with MASTER is down\r\n", 69, "is a replica that has lost its master"),
        ("MGET", b"-MASTERDOWN Link with MASTER is down\r\n", 69, "is a replica that has lost its master"),
        ("SSCAN", b"*2\r\n:0\r\n*1\r\n*0\r\n", 69, "does not speak Redis' protocol"),
        ("SSCAN", b"*2000000000\r\n", 69, "does not speak Redis' protocol"),
        ("SSCAN", b"-NOPERM no\r\n", 77, "grant it in the user's ACL"),
        ("MGET", b"-WRONGPASS no\r\n", 77, "refused the user or the password"),
        ("SSCAN", b"-MOVED 1 h:1\r\n", 2, "Redis Cluster is not supported"),
        ("PING", b"-LOADING still\r\n", 69, "is still loading its data"),
    ],
)
def test_each_refusal_has_its_code_and_one_sentence(tmp_path, capsys, command, reply, code, said):
    with fake_redis(answers(**{command: reply})) as port:
        config = write_config(tmp_path, f"redis://{HOST}:{port}", alerts=())
        config.write_text(config.read_text().replace("[source]", '[source]\nconnect_budget = "1s"'))
        assert run(config) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert said in line
    assert "bug" not in line


def test_a_password_changed_in_mid_run(tmp_path, capsys):
    with redis_server() as server, proxy(server.port) as between, http_server() as http:
        load(server.client)
        config = write_config(tmp_path, between.url, http=http)

        def lock(passed: int) -> None:
            if between.cut_after is not None and passed >= between.cut_after:
                between.cut_after = between.on_reply = None
            elif between.cut_after is None and passed > 200_000:
                server.client.config_set("requirepass", "changed-sentinel")
                between.cut_after = passed + 10_000

        between.on_reply = lock
        code, found, errors = run_json(capsys, config)
        assert code == found["exit"] == 77
        assert found["outcomes"]["analysed"] > 0
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert "refused the user or the password" in errors
    assert "sentinel" not in errors


@pytest.mark.parametrize("as_of", [None, END])
def test_the_clock_is_asked_for_unless_the_run_has_one_of_its_own(values, tmp_path, capsys, as_of):
    asked = []
    reply = answers(
        SSCAN=page(b"0", *values), MGET=mget(values), TIME=lambda _: listed(b"%d" % (time.time() - 7200), b"0")
    )

    def record(request):
        asked.extend(words[0] for words in commands(request))
        return reply(request)

    with fake_redis(record) as port:
        _, _, errors = run_json(capsys, write_config(tmp_path, f"redis://{HOST}:{port}", alerts=()), as_of=as_of)
    assert (b"TIME" in asked) == (as_of is None)
    assert ("ahead of that of Redis" in errors) == (as_of is None)
