"""Becoming ready to talk has an end: looking a name up, connecting, TLS, logging in, choosing a database."""

from __future__ import annotations

import socket
import time

import pytest
import redis
import trustme
from rigs.redis import HOST, answers, fake_redis, free_port, proxy, redis_server

from ridgeline.io.errors import AuthenticationFailed, InputError, SourceUnavailable
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.secret import Secret

BUDGET = 0.5
ENOUGH = 20.0  # seconds within which all of these end, on a busy machine too


def timed(asked: RedisSettings, **options) -> tuple[str, float]:
    """The sentence that the attempt ends with, and how long it took."""
    began = time.monotonic()
    with pytest.raises(SourceUnavailable) as failure:
        connect(asked, **options)
    return str(failure.value), time.monotonic() - began


@pytest.mark.parametrize(
    "slow", [{"PING": b"+PONG\r\n"}, {"AUTH": b"+" + b"x" * 5000}, {"SELECT": b"$" + b"1" * 9 + b"\r\n" + b"y" * 5000}]
)
def test_a_drip_of_answers_ends_with_the_budget(slow):
    with fake_redis(answers(**slow), drip=0.1) as port:
        asked = RedisSettings(f"redis://{HOST}:{port}/3", password=Secret("pw-sentinel"), connect_budget=BUDGET)
        said, took = timed(asked)
    assert said == f"Redis at redis://{HOST}:{port}/3 did not answer in the time that was left"
    assert took < ENOUGH


@pytest.mark.parametrize("hello", [b"\x16\x03\x03\x40\x00" + b"\x02" * 5000, b"\x00" * 5000])
def test_a_drip_of_tls_ends_with_the_budget(hello):
    with fake_redis(lambda _: hello, drip=0.05) as port:
        _, took = timed(RedisSettings(f"rediss://{HOST}:{port}", connect_budget=BUDGET, retries=0))
    assert took < ENOUGH


def test_silence_instead_of_tls_ends_with_the_budget():
    with socket.create_server((HOST, 0)) as listener:
        said, took = timed(RedisSettings(f"rediss://{HOST}:{listener.getsockname()[1]}", connect_budget=BUDGET))
    assert "did not answer in the time that was left" in said
    assert took < ENOUGH


def test_a_later_connection_has_the_same_budget_even_without_a_deadline():
    with redis_server(password="pw") as server, proxy(server.port) as between:
        client = connect(RedisSettings(between.url, password=Secret("pw"), connect_budget=BUDGET, retries=0))
        assert client.get("nothing") is None
        client.connection_pool.disconnect()
        between.drip = 0.2
        began = time.monotonic()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.get("nothing")
        assert time.monotonic() - began < ENOUGH
        client.close()


def test_the_deadline_of_the_caller_goes_before_the_budget():
    with fake_redis(answers(), drip=0.1) as port:
        end = time.monotonic() + 0.3
        said, took = timed(
            RedisSettings(f"redis://{HOST}:{port}", connect_budget=30.0), deadline=lambda: end - time.monotonic()
        )
    assert "in the time that was left" in said
    assert took < ENOUGH


def test_nothing_is_sent_once_the_time_is_over():
    left = [60.0]
    with redis_server() as server:
        client = connect(RedisSettings(server.url), deadline=lambda: left[0])
        assert client.get("nothing") is None
        before = server.client.info("stats")["total_commands_processed"]
        for left[0] in (0.0, -5.0):
            with pytest.raises(redis.exceptions.TimeoutError):
                client.get("nothing")
        assert server.client.info("stats")["total_commands_processed"] == before + 1  # our own question
        client.close()


def test_a_name_that_is_never_resolved_is_not_waited_for(monkeypatch):
    def hang(*_, timeout: float, **__):
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(
        "ridgeline.io.redis.connection.look_up", lambda host, port, kind, timeout: hang(timeout=min(timeout, BUDGET))
    )
    said, took = timed(RedisSettings("redis://redis.example", connect_budget=BUDGET))
    assert "did not answer" in said
    assert took < ENOUGH


def test_no_budget_is_spent_on_a_server_that_is_not_there():
    said, took = timed(RedisSettings(f"redis://{HOST}:{free_port()}", connect_budget=30.0))
    assert "connection refused" in said
    assert took < ENOUGH  # four attempts, and pauses of a second at most between them


def test_a_retry_offers_the_network_only_and_stops_at_the_deadline():
    with fake_redis(answers(PING=b"")) as port:
        end = time.monotonic() + 0.5
        said, took = timed(
            RedisSettings(f"redis://{HOST}:{port}", retries=1000), deadline=lambda: end - time.monotonic()
        )
    assert "closed the connection" in said
    assert took < ENOUGH


def test_a_server_that_answers_a_ping_with_something_else_is_no_redis():
    for answer in (b"+OK\r\n", b":1\r\n", b"*1\r\n$4\r\nPONG\r\n", b"$-1\r\n"):
        with fake_redis(answers(PING=answer)) as port:
            said, _ = timed(RedisSettings(f"redis://{HOST}:{port}"))
        assert "does not speak Redis' protocol (PING was not answered by PONG)" in said


def test_an_odd_answer_to_a_password_is_a_refusal():
    for answer in (b":1\r\n", b"*0\r\n", b"$-1\r\n", b"+maybe\r\n"):
        with fake_redis(answers(AUTH=answer)) as port, pytest.raises(AuthenticationFailed):
            connect(RedisSettings(f"redis://{HOST}:{port}", password=Secret("pw-sentinel")))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files for TLS: a good authority, an empty file, an encrypted key with its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    client = authority.issue_cert("client.example")
    client.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    client.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "empty.pem").write_text("")
    (folder / "encrypted.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkqhkiG9w0BBQ0w\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ca_file": "empty.pem"}, "the CA file for TLS, .*empty.pem, cannot be used"),
        ({"ca_file": "none.pem"}, "the CA file for TLS, .*none.pem, does not exist"),
        ({"cert_file": "empty.pem"}, "the certificate for TLS, .*empty.pem, or its key cannot be used"),
        ({"cert_file": "cert.pem", "key_file": "encrypted.pem"}, "or its key cannot be used"),
        ({"cert_file": "cert.pem", "key_file": "ca.pem"}, "or its key cannot be used"),
        ({"key_file": "key.pem"}, r"a key for TLS \(key_file\) needs its certificate \(cert_file\)"),
    ],
)
def test_files_for_tls_that_cannot_be_used_are_named(files, changes, said):
    asked = RedisSettings(f"rediss://{HOST}:1", **{key: files / name for key, name in changes.items()})
    with pytest.raises(InputError, match=said) as failure:
        connect(asked)
    assert "\n" not in str(failure.value)
