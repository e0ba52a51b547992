"""What goes wrong between us and Redis: bounded waits, one clear sentence, no secret in it, no half value accepted."""

from __future__ import annotations

import datetime as dt
import os
import signal
import ssl
import threading
import time

import msgpack
import pyarrow as pa
import pytest
import trustme
from rigs.redis import HOST, answers, fake_redis, free_port, listed, page, proxy, redis_server

from ridgeline.io.errors import AuthenticationFailed, InputError, RidgelineError, SourceUnavailable
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis import block
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.explain import explained
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.redis.write import write_matrix
from ridgeline.io.secret import Secret

T0 = 1_700_000_000
SECRET = "hunter2-sentinel"
VALUE = b"".join(msgpack.packb([T0 + 60 * i, float(i)]) for i in range(300))


def fill(server, metrics: int = 60, value: bytes = VALUE) -> None:
    for i in range(metrics):
        server.client.set(f"metrics.m{i:03}", value)
        server.client.sadd("metrics.unique_metrics", f"metrics.m{i:03}")


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        fill(running)
        yield running


# For what never answers. All else is given the time that a busy machine needs.
SOON = {"timeout": 0.4, "connect_budget": 1.0}


def settings(url: str, **changes) -> RedisSettings:
    password = changes.pop("password", None)
    changes["password"] = None if password is None else Secret(password)
    return RedisSettings(url, **{"timeout": 20.0, "connect_budget": 20.0, **changes})


def read(source: RedisSource) -> tuple[int, RidgelineError | None]:
    """Rows delivered, each of them whole, and the error that ended it."""
    delivered, end = 0, None
    try:
        for matrix in source.chunks():
            assert len(matrix.values) == 300 * len(matrix)
            assert not matrix.reasons.any()
            delivered += len(matrix)
    except RidgelineError as error:
        end = error
    finally:
        source.close()
    assert "\n" not in str(end)
    assert SECRET not in str(end)
    return delivered, end


@pytest.mark.parametrize("url", ["unix:///nowhere/redis.sock", "redis://127.0.0.1:{port}", "redis://host.invalid:6379"])
def test_down_at_the_start_is_said_soon(url):
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="cannot reach Redis at"):
        connect(url.format(port=free_port()))
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("user", [None, "reader", "nobody"])
def test_a_wrong_password_is_offered_once(user):
    with redis_server(password="right", acl={"reader": "on >right2 +@all ~*"}) as server:
        before = server.client.info("stats")["total_connections_received"]
        with pytest.raises(AuthenticationFailed) as failure:
            connect(settings(server.url, username=user, password=SECRET))
        assert server.client.info("stats")["total_connections_received"] == before + 1
        assert SECRET not in str(failure.value)
        assert failure.value.exit_code == 77
        with pytest.raises(AuthenticationFailed):
            connect(server.url)
        assert connect(settings(server.url, username="reader", password="right2")).ping()


def test_an_acl_of_five_commands_is_enough():
    rules = "on >pw +ping +sscan +mget +type ~metrics.*"
    with redis_server(
        acl={"reader": rules, "untyped": rules.replace("+type ", ""), "other": "on >pw +ping ~none"}
    ) as server:
        fill(server)
        server.client.sadd("metrics.unique_metrics", "metrics.gone")
        for user in ("reader", "untyped"):
            source = RedisSource(settings(server.url, username=user, password="pw"))
            assert [sum(len(m) for m in source.chunks()), len(source.list())] == [61, 61]
        with pytest.raises(AuthenticationFailed, match="does not let this user do that"):
            RedisSource(settings(server.url, username="other", password="pw")).list()


@pytest.mark.parametrize("first", ["old-sentinel-password", None])
def test_a_password_changed_in_mid_run_ends_it_after_one_attempt(first, monkeypatch):
    """Connections that are open stay so; the next one is refused, once, and what was read before is judged."""
    monkeypatch.setattr(block, "ROWS", 10)
    with redis_server() as server, proxy(server.port) as between:
        fill(server, 300)
        if first:
            server.client.config_set("requirepass", first)
        source = RedisSource(settings(between.url, password=first, chunk_keys=10))
        chunks = source.chunks()
        delivered = len(next(chunks))
        server.client.config_set("requirepass", SECRET)

        def heal(passed: int) -> None:
            if between.cut_after is not None and passed >= between.cut_after:
                between.cut_after = None

        # In the midst of a chunk; what was read ahead may still come.
        between.cut_after, between.on_reply = between.passed + 60_000, heal
        connections = server.client.info("stats")["total_connections_received"]
        with pytest.raises(AuthenticationFailed, match="refused the user or the password") as failure:
            delivered += sum(len(matrix) for matrix in chunks)
        assert server.client.info("stats")["total_connections_received"] == connections + 1
    assert 10 <= delivered < 300
    assert failure.value.exit_code == 77
    assert SECRET not in str(failure.value)
    assert "old-sentinel" not in str(failure.value)


def test_killed_in_mid_run_delivers_what_was_read(monkeypatch):
    monkeypatch.setattr(block, "ROWS", 10)
    with redis_server() as server:
        fill(server, 200)
        source = RedisSource(settings(server.url, chunk_keys=10))
        chunks = source.chunks()
        seen = sum(len(next(chunks)) for _ in range(3))
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(SourceUnavailable):
            seen += sum(len(matrix) for matrix in chunks)
    assert 30 <= seen <= source.delivered < 200


@pytest.mark.parametrize("delay", [0.0, 0.02])
def test_slow_is_not_lost(server, delay):
    with proxy(server.port) as between:
        between.delay = delay
        assert read(RedisSource(settings(between.url, chunk_keys=20))) == (60, None)


def test_a_black_hole_takes_no_longer_than_its_time_outs(server):
    with proxy(server.port) as between:
        source = RedisSource(settings(between.url, chunk_keys=20, **SOON))
        source.list()
        between.blackhole = True
        began = time.monotonic()
        delivered, error = read(source)
        assert isinstance(error, SourceUnavailable)
        assert "did not answer within 0.4 s" in str(error)
        assert delivered == 0
        assert time.monotonic() - began < 15
    with proxy(server.port) as between:
        between.blackhole = True
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="did not answer"):
            connect(settings(between.url, **SOON))
        assert time.monotonic() - began < 15


def test_the_deadline_holds_in_a_black_hole(server):
    with proxy(server.port) as between:
        end = [time.monotonic() + 60]
        source = RedisSource(
            settings(between.url, timeout=30.0, chunk_keys=20), deadline=lambda: end[0] - time.monotonic()
        )
        source.list()
        between.blackhole = True
        end[0] = (began := time.monotonic()) + 0.5
        delivered, error = read(source)
        assert (delivered, error) == (0, None)
        assert time.monotonic() - began < 15


def test_a_trickling_server_does_not_outlast_the_deadline(server):
    with proxy(server.port) as between:
        end = [time.monotonic() + 60]
        source = RedisSource(settings(between.url, timeout=30.0), deadline=lambda: end[0] - time.monotonic())
        source.list()
        between.delay = 0.3
        end[0] = (began := time.monotonic()) + 0.5
        read(source)
        assert time.monotonic() - began < 15


def test_a_reply_cut_anywhere_is_read_again_or_an_error(server):
    """Once cut, the connection is closed at every further byte too, until the limit is lifted."""
    small = b"".join(msgpack.packb([T0 + 60 * i, float(i)]) for i in range(300))[:60]
    server.client.sadd("cut.unique_metrics", "cut.a", "cut.b", "cut.none")
    server.client.mset({"cut.a": small, "cut.b": small})
    expected = None
    for cut in range(1, 150):
        with proxy(server.port) as between:
            source = RedisSource(settings(between.url, namespace="cut."))
            source.list()

            def heal(passed: int, between=between) -> None:
                if between.cut_after is not None and passed >= between.cut_after:
                    between.cut_after = None

            between.passed, between.cut_after, between.on_reply = 0, cut, heal
            found = [
                (m.metrics.to_pylist(), m.reasons.tolist(), m.timestamps.tolist(), m.values.tolist())
                for m in source.chunks()
            ]
            expected = expected or found
            assert found == expected
            assert found[0][0] == ["a", "b", "none"]


def test_a_reply_always_cut_is_an_error_and_no_value(server):
    for cut in (1, 5, 40, 1000, 5000):
        with proxy(server.port) as between:
            source = RedisSource(settings(between.url, retries=0, chunk_keys=10))
            source.list()
            between.passed, between.cut_after = 0, cut
            delivered, error = read(source)
            assert isinstance(error, SourceUnavailable)
            assert delivered == 0


def test_what_came_before_a_stall_is_handed_on(server):
    """Ten metrics that were answered need not wait for those that are not."""
    with proxy(server.port) as between:
        source = RedisSource(settings(between.url, timeout=30.0, chunk_keys=10))
        source.list()

        def stall(passed: int) -> None:
            between.blackhole = passed >= 12 * len(VALUE)  # in the midst of the second reply

        between.passed, between.on_reply = 0, stall
        chunks, began = source.chunks(), time.monotonic()
        assert len(next(chunks)) >= 10
        assert time.monotonic() - began < 15
        chunks.close()


def test_a_reset_connection_is_tried_again(server):
    with proxy(server.port) as between:
        between.reset_next = 2
        assert read(RedisSource(settings(between.url))) == (60, None)
        assert between.connections > 2


SILENT = (SourceUnavailable, "does not speak Redis' protocol")
CLUSTER = (InputError, "Redis Cluster is not supported")
REFUSED = (AuthenticationFailed, "refused the user or the password")


@pytest.mark.parametrize("command", ["PING", "SSCAN", "MGET"])
@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (b"-MOVED 3999 127.0.0.1:6381\r\n", *CLUSTER),
        (b"-MOVED nowhere\r\n", *CLUSTER),
        (b"-ASK 3999 127.0.0.1:6381\r\n", *CLUSTER),
        (b"-CLUSTERDOWN Hash slot not served\r\n", *CLUSTER),
        (b"-CROSSSLOT Keys in request don't hash to the same slot\r\n", *CLUSTER),
        (b"-TRYAGAIN Multiple keys request during rehashing of slot\r\n", *CLUSTER),
        (b"-MASTERDOWN Link with MASTER is down\r\n", SourceUnavailable, "is a replica that has lost its master"),
        (b"-READONLY You can't write against a read only replica.\r\n", SourceUnavailable, "address of its master"),
        (b"-OOM command not allowed\r\n", SourceUnavailable, "is full and takes no writes"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", SourceUnavailable, "still loading"),
        (b"-NOPERM this user has no permissions\r\n", AuthenticationFailed, "ACL"),
        (b"-NOAUTH Authentication required.\r\n", *REFUSED),
        (b"-WRONGPASS invalid username-password pair\r\n", *REFUSED),
        (b"-ERR Protocol error: unauthenticated multibulk length\r\n", *REFUSED),
        (b"-DENIED Redis is running in protected mode\r\n", AuthenticationFailed, "until it has a password"),
        (b"-ERR some\x1b[31mthing\r\n", SourceUnavailable, r"some\x1b[31mthing"),
        (b"-ERR " + b"x" * 5000 + b"\r\n", SourceUnavailable, "xxx..."),
        (b"-", SourceUnavailable, "did not answer"),
        (b"-" + b"x" * 20_000, *SILENT),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", *SILENT),
        (b"*2\r\n$3\r\nabcdefg\r\n$1\r\na\r\n", *SILENT),
        (b"*2000000000\r\n", *SILENT),
        (b"*2\r\n*2000000000\r\n", *SILENT),
        (b"*2\r\n$-5\r\n", *SILENT),
        (b"*-7\r\n", *SILENT),
        (b"*1\r\n" * 20_000, *SILENT),
        (b"*2\r\n:1\r\n:2\r\n", *SILENT),
        (b"*2\r\n$1x\r\na\r\n", *SILENT),
        (b"*two\r\n", *SILENT),
        (b"$" + b"1" * 40, *SILENT),
        (b"*2\r\n$" + b"9" * 60 + b"\r\n", *SILENT),
        (b":" + b"9" * 5000 + b"\r\n", *SILENT),
        (b":1e5\r\n", *SILENT),
        (b"%2\r\n", *SILENT),
        (b"\0\0\0\0", *SILENT),
        (b"", SourceUnavailable, "closed the connection"),
    ],
)
def test_what_a_server_may_answer(command, reply, kind, said):
    with fake_redis(answers(**{command: reply})) as port:
        source = RedisSource(settings(f"redis://{HOST}:{port}", timeout=0.2, connect_budget=0.4, retries=1))
        delivered, error = read(source)
    assert delivered == 0
    assert type(error) is kind
    assert said in str(error)
    assert len(str(error)) < 400


@pytest.mark.parametrize("user", [None, "reader"])
@pytest.mark.parametrize("reply", [b"-NOAUTH no\r\n", b"-WRONGPASS no\r\n", b"-NOPERM no\r\n"])
@pytest.mark.parametrize("command", ["AUTH", "PING", "SSCAN", "MGET"])
def test_who_is_refused_asks_no_second_time(command, reply, user):
    asked = []

    def refuse(words: list[bytes]) -> bytes:
        asked.append(words)
        return reply

    with fake_redis(answers(**{command: refuse})) as port:
        delivered, error = read(RedisSource(settings(f"redis://{HOST}:{port}", username=user, password="pw-sentinel")))
    assert (delivered, type(error), len(asked)) == (0, AuthenticationFailed, 1)
    assert "pw-sentinel" not in str(error)


def test_a_server_that_repeats_the_password_does_not_make_us_show_it():
    for said in (f"-ERR unknown command AUTH with {SECRET}\r\n", f"-WRONGPASS not {SECRET}\r\n", f"+{SECRET}\r\n"):
        with fake_redis(answers(AUTH=said.encode())) as port:
            for asked in (
                settings(f"redis://{HOST}:{port}", password=SECRET),
                settings(f"redis://:{SECRET}@{HOST}:{port}"),
            ):
                with pytest.raises(RidgelineError) as failure:
                    connect(asked)
                assert SECRET not in str(failure.value) + repr(failure.value) + repr(asked)


def test_a_claimed_length_is_refused_before_it_is_read():
    with fake_redis(answers(MGET=lambda words: b"*%d\r\n$500000000\r\n" % (len(words) - 1))) as port:
        source = RedisSource(settings(f"redis://{HOST}:{port}", max_points=1000, timeout=30.0))
        began = time.monotonic()
        reasons = [reason for matrix in source.chunks() for reason in matrix.reasons.tolist()]
    assert reasons == [5, 5]  # too_long
    assert time.monotonic() - began < 15  # it did not wait for the bytes


def test_a_server_that_finishes_loading_is_waited_for():
    began = time.monotonic()
    busy = {
        command: lambda words, usual=usual: b"-LOADING\r\n" if time.monotonic() - began < 0.5 else usual
        for command, usual in (
            ("PING", b"+PONG\r\n"), ("SSCAN", page(b"0", b"metrics.a", b"metrics.b")), ("MGET", listed(None, None))
        )
    }  # fmt: skip
    for command, answer in busy.items():
        began = time.monotonic()
        with fake_redis(answers(**{command: answer})) as port:
            source = RedisSource(settings(f"redis://{HOST}:{port}", connect_budget=10.0, retries=0))
            assert [len(m) for m in source.chunks()] == [2]


def test_emptied_between_listing_and_reading_shows_as_missing():
    with redis_server() as server:
        fill(server)
        source = RedisSource(settings(server.url))
        source.list()
        server.client.flushall()
        assert [reason for matrix in source.chunks() for reason in matrix.reasons.tolist()] == [1] * 60  # no_key


def test_a_real_cluster_node_is_refused():
    with redis_server(arguments=("--cluster-enabled", "yes")) as server, pytest.raises(InputError) as failure:
        list(RedisSource(settings(server.url)).chunks())
    assert "Redis Cluster is not supported" in str(failure.value)
    assert failure.value.exit_code == 2


def test_a_flaky_network_gives_the_same_rows(server):
    with proxy(server.port) as between:
        source = RedisSource(settings(between.url, chunk_keys=10))
        source.list()

        def cut(passed: int) -> None:
            if between.cut_after is None or passed >= between.cut_after:
                between.cut_after = passed + 70_000  # more than one chunk, less than two

        between.on_reply = cut
        assert read(source) == (60, None)
        assert between.connections >= 3


class Tls:
    """A certificate authority and server contexts."""

    def __init__(self, folder) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)

    def context(self, name: str = HOST, **options) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name, **options).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return Tls(tmp_path_factory.mktemp("tls"))


def test_tls_reads_a_fleet(server, tls):
    with proxy(server.port, tls=tls.context()) as between:
        trusted = settings(between.url.replace("redis:", "rediss:"), ca_file=tls.ca_file, chunk_keys=25)
        assert read(RedisSource(trusted)) == (60, None)


@pytest.mark.parametrize(
    ("certificate", "trusted", "said"),
    [
        ({}, False, "self-signed|self signed|unable to get local issuer"),
        ({"name": "other.example"}, True, "certificate is not valid for|IP address mismatch"),
        ({"not_after": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)}, True, "expired"),
    ],
)
def test_tls_is_refused_and_never_falls_back(server, tls, certificate, trusted, said):
    with proxy(server.port, tls=tls.context(**certificate)) as between:
        asked = settings(
            between.url.replace("redis:", "rediss:"),
            ca_file=tls.ca_file if trusted else None,
            password=SECRET,
            retries=1,
        )
        with pytest.raises(SourceUnavailable, match=said) as failure:
            connect(asked)
        assert SECRET not in str(failure.value)
        assert between.passed == 0


def test_tls_where_there_is_none_and_none_where_there_is(server, tls):
    with pytest.raises(SourceUnavailable):
        connect(settings(f"rediss://{HOST}:{server.port}", ca_file=tls.ca_file, **SOON))
    with proxy(server.port, tls=tls.context()) as between, pytest.raises(SourceUnavailable):
        connect(settings(between.url, **SOON))
    with pytest.raises(InputError, match="does not exist"):
        connect(settings(f"rediss://{HOST}:1", ca_file=tls.ca_file / "nope"))


def test_leaving_a_read_that_hangs_takes_no_time(server, monkeypatch):
    monkeypatch.setattr(block, "ROWS", 10)
    with proxy(server.port) as between:
        source = RedisSource(settings(between.url, timeout=30.0, chunk_keys=10))
        chunks = source.chunks()
        next(chunks)
        between.blackhole = True
        time.sleep(0.2)
        began, threads = time.monotonic(), threading.active_count()
        chunks.close()
        assert time.monotonic() - began < 15
        assert threading.active_count() < threads or threads <= 1


@pytest.mark.parametrize(
    "reply", [b":1\r\n", b"*0\r\n", b"+QUEUED\r\n", b"*-1\r\n", b"-EXECABORT no\r\n", b"-OOM full\r\n"]
)
def test_odd_answers_to_a_transaction_are_one_sentence(reply):
    matrix = MetricMatrix.from_table(pa.table({"metric": ["a"], "timestamp": [T0], "value": [1.0]}))
    with fake_redis(answers(EXISTS=b":0\r\n", EXEC=reply)) as port:
        asked = settings(f"redis://{HOST}:{port}", retries=0)
        with pytest.raises(RidgelineError) as failure, explained(asked):
            write_matrix(connect(asked), matrix)
    assert failure.value.exit_code == 69
