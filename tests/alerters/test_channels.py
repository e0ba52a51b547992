"""The contract every channel keeps, and what is particular to each. A new channel joins by adding a receiver below."""

import contextlib
import dataclasses
import io
import json
import logging
import math
import pickle
import re
import socket
import sys
import threading
import time
import traceback

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rigs.http import Answer, http_server

from ridgeline import alerters
from ridgeline.alerters import Alert, Secret
from ridgeline.alerters.console import Console, line
from ridgeline.alerters.syslog5424 import LONGEST, SyslogSettings, frame
from ridgeline.alerters.webhook import HttpSettings, Webhook, outcome_of
from ridgeline.io.text import encodable, escape, file_name, truncate

NINE = ("grubbs", "ks_test", "least_squares")
ALERT = Alert("stats.web01.requests", 1523.0, 1700000000, NINE[:2], NINE, expiration=60, strategy="x")
HOSTILE = [
    "a\nERROR forged",
    "a\r\nSubject: x",
    "a\x00b",
    "a\x1b[2Jb",
    "a\u202eb",
    "a\u2028b",
    "a\x85b",
    "\ud800",
    "a\udc80b",
    "../../etc/cron.d/x",
    "-rf",
    "",
    " ",
    '"><script>',
    "%s%n{}{0}",
    "e\u0301\u200d\U0001f600",
    "x" * 10_000,
    "\u00e5" * 3000,
    "\U000e0001tag",
]
names = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), max_size=60))


def soon(seconds=5.0):
    return time.monotonic() + seconds


# Receivers: what a channel talks to. Each yields (alerter, received), where received() lists the messages as text. ----


@contextlib.contextmanager
def console_receiver():
    stream = io.StringIO()
    yield Console(lambda: stream), lambda: stream.getvalue().splitlines()


@contextlib.contextmanager
def syslog_receiver():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.2)
        settings = SyslogSettings(f"udp://127.0.0.1:{sock.getsockname()[1]}")

        def received():
            found = []
            with contextlib.suppress(TimeoutError):
                while True:
                    found.append(sock.recv(65536).decode())
            return found

        yield alerters.load()["syslog"].build(settings), received


@contextlib.contextmanager
def http_receiver():
    with http_server() as server:
        yield webhook(server.url), lambda: [request.body.decode() for request in server.requests]


RECEIVERS = {"console": console_receiver, "http": http_receiver, "syslog": syslog_receiver}
# Alerters of each kind whose receiver is not there.
UNREACHABLE = {
    "http": lambda: webhook("http://127.0.0.1:1/"),
    "syslog": lambda: alerters.load()["syslog"].build(SyslogSettings("tcp://127.0.0.1:1")),
    "console": lambda: Console(closed_stream),
}


def webhook(url, **settings):
    return alerters.load()["http"].build(HttpSettings(url, **settings))


HTTP = {"http": webhook}


def closed_stream():
    stream = io.StringIO()
    stream.close()
    return stream


def test_every_channel_is_under_contract():
    channels = alerters.load()
    assert list(channels) == sorted(channels)
    assert set(channels) == set(RECEIVERS) == set(UNREACHABLE)
    for kind, channel in channels.items():
        assert channel.kind == kind
        assert channel.summary
        assert dataclasses.is_dataclass(channel.settings)


@pytest.mark.parametrize("kind", sorted(RECEIVERS))
def test_one_send_is_one_message_with_the_metric_and_its_value(kind):
    with RECEIVERS[kind]() as (alerter, received):
        assert alerter.send(ALERT, soon()) == alerters.SENT
        assert alerter.concurrency >= 1
        messages = received()
    assert len(messages) == 1
    assert ALERT.metric in messages[0]
    assert "1523" in messages[0]


@pytest.mark.parametrize("kind", sorted(RECEIVERS))
def test_hostile_names_arrive_as_one_message_each(kind):
    with RECEIVERS[kind]() as (alerter, received):
        for name in HOSTILE:
            assert alerter.send(dataclasses.replace(ALERT, metric=name), soon()) == alerters.SENT, repr(name)
        messages = received()
    assert len(messages) == len(HOSTILE)
    for message in messages:
        assert message.isprintable(), repr(message)


@pytest.mark.parametrize("kind", sorted(RECEIVERS))
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e308, -0.0, 5e-324])
def test_any_value_arrives(kind, value):
    with RECEIVERS[kind]() as (alerter, received):
        assert alerter.send(dataclasses.replace(ALERT, value=value, timestamp=2**53), soon()) == alerters.SENT
        assert len(received()) == 1


@pytest.mark.parametrize("kind", sorted(RECEIVERS))
def test_a_message_about_ourselves_is_shown(kind):
    with RECEIVERS[kind]() as (alerter, received):
        alerter.send(Alert("ridgeline.no_data", 0.0, 1700000000, message="no metrics\nin Redis"), soon())
        (message,) = received()
    assert re.search(r"no metrics\\n ?in Redis", message)


@pytest.mark.parametrize("kind", sorted(RECEIVERS))
def test_a_missing_receiver_is_an_outcome_not_an_error(kind):
    outcome = UNREACHABLE[kind]().send(ALERT, soon())
    assert outcome.kind in {"retry", "rejected"}
    assert outcome.reason


@pytest.mark.parametrize("kind", sorted(set(RECEIVERS) - {"console"}))
def test_nothing_is_sent_after_the_deadline(kind):
    with RECEIVERS[kind]() as (alerter, received):
        if kind == "http":
            assert alerter.send(ALERT, soon(-1)).kind == "retry"
            assert received() == []
        else:  # a datagram takes no time
            alerter.send(ALERT, soon(-1))


# Every HTTP channel ---------------------------------------------------------------------------------------------------


def expected(status):
    if 200 <= status <= 299:
        return "sent"
    return "retry" if status in {408, 425, 429} or status >= 500 or status < 200 else "rejected"


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
def test_every_status(make):
    statuses = iter(range(100, 600))
    with http_server(lambda _request: Answer(next(statuses), body=b"SECRET error: ok false")) as server:
        alerter = make(server.url)
        for status in range(100, 600):
            outcome = alerter.send(ALERT, soon())
            assert outcome.kind == expected(status), status
            assert "SECRET" not in outcome.reason
            if outcome.kind != "sent" and status >= 200:
                assert str(status) in outcome.reason
        assert len(server.requests) == 500


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
@pytest.mark.parametrize(
    "answer",
    [Answer(silent=True), Answer(drip=0.05, headers={"X": "x" * 1000}), Answer(delay=2)],
    ids=["silent", "drip", "slow"],
)
def test_a_slow_receiver_is_a_retry_within_the_deadline(make, answer):
    with http_server(answer) as server:
        started = time.monotonic()
        assert make(server.url).send(ALERT, soon(0.3)).kind == "retry"
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
def test_a_slow_body_after_success_is_success_at_once(make):
    with http_server(Answer(200, {"Content-Length": 10**9}, b"x")) as server:
        started = time.monotonic()
        assert make(server.url).send(ALERT, soon(5)) == alerters.SENT
        assert time.monotonic() - started < 1


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("1000000000", 1e9), ("soon", None)])
def test_retry_after_is_passed_on(make, value, seconds):
    for status in (429, 503):
        with http_server(Answer(status, {"Retry-After": value})) as server:
            assert make(server.url).send(ALERT, soon()).retry_after == seconds


FAILURES = {
    "refused": lambda: contextlib.nullcontext("http://127.0.0.1:1/"),
    "no such host": lambda: contextlib.nullcontext("http://no-such-host.invalid/"),
    "metadata": lambda: contextlib.nullcontext("http://169.254.169.254/"),
    "plain where TLS": lambda: serving(Answer(), scheme="https"),
    "500": lambda: serving(Answer(500)),
    "404": lambda: serving(Answer(404)),
    "302": lambda: serving(Answer(302, {"Location": "http://127.0.0.1/SENTINEL"})),
    "silent": lambda: serving(Answer(silent=True)),
    "garbage": lambda: serving(Answer(raw=b"SENTINEL")),
    "echo": lambda: serving(lambda request: Answer(401, {"X": request.headers["authorization"]}, request.body)),
}


@contextlib.contextmanager
def serving(answer, scheme="http"):
    with http_server(answer) as server:
        yield server.url.replace("http:", f"{scheme}:")


@pytest.mark.parametrize("make", HTTP.values(), ids=HTTP)
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_no_secret_in_any_failure(make, failure, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    seen = []

    def note(error_type, error, trace):
        seen.append("".join(traceback.format_exception(error_type, error, trace)))

    import ridgeline.alerters.webhook as module

    real = module.post

    def noting(*args, **kwargs):
        try:
            return real(*args, **kwargs)
        except Exception as error:
            note(type(error), error, error.__traceback__)
            raise

    monkeypatch.setattr(module, "post", noting)
    with failure() as url:
        alerter = make(f"{url}SENTINEL/hook?key=SENTINEL", token=Secret("SENTINEL"))
        outcome = alerter.send(ALERT, soon(0.5))
    assert outcome.kind != "sent"
    shown = capsys.readouterr()
    assert "SENTINEL" not in repr(HttpSettings("http://h/SENTINEL?key=SENTINEL", token=Secret("SENTINEL")))
    for text in [repr(outcome), repr(alerter), str(alerter), caplog.text, shown.out, shown.err, *seen]:
        assert "SENTINEL" not in text


# http ------------------------------------------------------------------------------------------------------------------


def test_the_payload_is_skylines_less_what_does_not_exist():
    with http_server() as server:
        webhook(f"{server.url}alert?x=1", token=Secret("t0ken")).send(ALERT, soon())
    (request,) = server.requests
    assert request.line == "POST /alert?x=1 HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["ridgeline-dedup-key"] == ALERT.dedup_key
    assert request.json == {
        "status": {},
        "data": {
            "alert": {
                "metric": "stats.web01.requests",
                "timestamp": 1700000000,
                "value": 1523.0,
                "full_duration": 86400,
                "expiry": 60,
                "source": "analyzer",
                "anomalyScore": 2 / 3,
            }
        },
    }
    assert isinstance(request.json["data"]["alert"]["timestamp"], int)
    assert b"t0ken" not in request.body


def test_without_a_token_no_authorization_is_sent():
    with http_server() as server:
        webhook(server.url).send(ALERT, soon())
    assert "authorization" not in server.requests[0].headers


def test_a_test_alert_says_so():
    with http_server() as server:
        webhook(server.url).send(dataclasses.replace(ALERT, test=True), soon())
    assert server.requests[0].json["data"]["alert"]["test_alert"] is True


@given(name=names)
def test_the_payload_names_the_metric_exactly(name):
    from ridgeline.alerters.webhook import body

    sent = body(dataclasses.replace(ALERT, metric=name))
    assert sent.isascii()
    assert json.loads(sent)["data"]["alert"]["metric"] == encodable(name)
    json.loads(sent)["data"]["alert"]["metric"].encode()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "file:///etc/passwd"}, "url must begin with"),
        ({"url": Secret("ftp://x/")}, "url must begin with"),
        ({"url": "http://h/", "token": Secret("a\nb")}, "token must be one line"),
        ({"url": "http://h/", "token": Secret("")}, "token must be one line"),
        ({"url": "http://h/", "timeout": 0}, "timeout must be"),
        ({"url": "http://h/", "timeout": math.nan}, "timeout must be"),
        ({"url": "http://h/", "timeout": math.inf}, "timeout must be"),
        ({"url": "http://h/", "concurrency": 0}, "concurrency must be"),
    ],
)
def test_settings_of_http_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        HttpSettings(**settings)


def test_a_ca_file_that_cannot_be_used_is_a_wrong_setting(tmp_path):
    with pytest.raises(ValueError, match=r"ca_file .* no usable certificates"):
        HttpSettings("https://h/", ca_file=tmp_path / "none.pem")


def test_an_unregistered_status_has_no_phrase():
    assert outcome_of(599, webhook("http://h/").endpoint).reason == "http://h answered 599"
    assert isinstance(webhook("http://h/"), Webhook)


# syslog ------------------------------------------------------------------------------------------------------------------

RFC5424 = re.compile(rb"<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) - (.*)", re.DOTALL)


@pytest.mark.parametrize(("level", "priority"), [("warn", 164), ("notice", 173), ("info", 182)])
def test_the_frame_of_a_level(level, priority):
    made = frame(ALERT, SyslogSettings(level=level, ident="skyline"), "web01", 1700000000.25)
    found = RFC5424.fullmatch(made)
    assert int(found[1]) == priority
    assert found[2] == b"2023-11-14T22:13:20.250Z"
    assert (found[3], found[4], found[6]) == (b"web01", b"skyline", b"anomaly")
    assert found[7] == b"Analyzer - Anomalous metric: stats.web01.requests (value: 1523.0)"


@given(name=names)
@example("\u00e5" * 3000)
def test_every_name_makes_one_frame_of_bounded_length(name):
    made = frame(dataclasses.replace(ALERT, metric=name), SyslogSettings(), "h", 0.0)
    assert len(made) <= LONGEST
    assert RFC5424.fullmatch(made)
    assert made.decode().isprintable()


def test_tcp_counts_octets():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        alerter = alerters.load()["syslog"].build(SyslogSettings(f"tcp://127.0.0.1:{listener.getsockname()[1]}"))
        assert alerter.send(dataclasses.replace(ALERT, metric="m\u00e5l"), soon()) == alerters.SENT
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as reader:
            received = reader.read()
    count, _, message = received.partition(b" ")
    assert int(count) == len(message)
    assert RFC5424.fullmatch(message)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_unix_sockets_of_both_kinds(kind, tmp_path):
    path = tmp_path / "log"
    alerter = alerters.load()["syslog"].build(SyslogSettings(f"unix://{path}"))
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(str(path))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        assert alerter.send(ALERT, soon()) == alerters.SENT
        if kind == socket.SOCK_DGRAM:
            received = listener.recv(65536)
        else:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as reader:
                received = reader.read()
            assert received.endswith(b"\n")
    assert RFC5424.fullmatch(received.rstrip(b"\n"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"level": "loud"}, "level must be one of warn, notice, info"),
        ({"ident": "a b"}, "ident must be"),
        ({"ident": ""}, "ident must be"),
        ({"ident": "x" * 49}, "ident must be"),
        ({"address": "http://h/"}, "address must be"),
        ({"address": "udp://"}, "address must be"),
        ({"address": "unix://relative"}, "address must be"),
        ({"address": "tcp://h:99999"}, "address 'tcp://h:99999' is malformed"),
    ],
)
def test_settings_of_syslog_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        SyslogSettings(**settings)


def test_syslog_refuses_a_metadata_address():
    alerter = alerters.load()["syslog"].build(SyslogSettings("udp://169.254.169.254"))
    assert alerter.send(ALERT, soon()).kind == "rejected"


# console -----------------------------------------------------------------------------------------------------------------


def test_the_console_line():
    assert line(ALERT) == ("ANOMALY stats.web01.requests = 1523 at 2023-11-14 22:13:20 UTC (2 of 3: grubbs, ks_test)")
    assert line(dataclasses.replace(ALERT, test=True)).startswith("TEST ANOMALY ")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_console_writes_where_it_is_told(stream, capsys):
    channel = alerters.load()["console"]
    channel.build(channel.settings(stream)).send(ALERT, soon())
    captured = capsys.readouterr()
    assert getattr(captured, stream[3:]).count("\n") == 1
    assert captured.out + captured.err == getattr(captured, stream[3:])


def test_a_console_stream_that_is_none():
    with pytest.raises(ValueError, match="stream must be"):
        alerters.load()["console"].settings("printer")


def test_a_console_that_cannot_encode_a_name():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert Console(lambda: stream).send(dataclasses.replace(ALERT, metric="m\u00e5l"), soon()) == alerters.SENT


# Alert and Secret ----------------------------------------------------------------------------------------------------------


def test_the_dedup_key_belongs_to_metric_and_source():
    later = dataclasses.replace(ALERT, timestamp=1700000060, value=1.0, strategy="y")
    assert later.dedup_key == ALERT.dedup_key
    assert len(ALERT.dedup_key) <= 255
    assert dataclasses.replace(ALERT, metric="other").dedup_key != ALERT.dedup_key
    assert dataclasses.replace(ALERT, context="Mirage").dedup_key != ALERT.dedup_key


def test_a_secret_shows_itself_to_nobody():
    secret = Secret("SENTINEL")
    for shown in (repr(secret), str(secret), f"{secret}", "%s" % secret, repr([secret]), repr({"a": secret})):  # noqa: UP031
        assert "SENTINEL" not in shown
    assert secret.reveal() == "SENTINEL"
    assert secret == Secret("SENTINEL")
    assert secret != Secret("other")
    assert len({secret, Secret("SENTINEL")}) == 1
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


# Text ------------------------------------------------------------------------------------------------------------------------


@given(name=st.one_of(names, st.binary(max_size=60)))
def test_escaped_text_is_one_printable_line(name):
    shown = escape(name)
    assert shown.isprintable()
    shown.encode()
    assert escape(shown) == shown


def test_ordinary_names_are_shown_as_they_are():
    for name in ("stats.web-01.p99_ms", "m\u00e5l", "caf\u00e9.\u6e29\u5ea6", 'labels{a="b"}', "back\\slash"):
        assert escape(name) == name


@given(name=names, limit=st.integers(0, 80))
def test_truncation_counts_bytes_and_splits_no_character(name, limit):
    short = truncate(name, limit)
    assert len(short.encode()) <= limit
    if len(encodable(name).encode()) <= limit:
        assert short == encodable(name)
    else:
        assert encodable(name).startswith(short.removesuffix("..."))


@given(first=names, second=names)
def test_file_names_are_safe_and_differ(first, second):
    made = file_name(first, ".png")
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}-[0-9a-f]{16}\.png", made)
    assert len(made) <= 61
    assert (made.lower() == file_name(second, ".png").lower()) == (first == second)


def test_examples_in_the_docstrings():
    import doctest

    import ridgeline.alerters._alerter
    import ridgeline.io.text

    for module in (ridgeline.alerters._alerter, ridgeline.io.text):
        results = doctest.testmod(module)
        assert results.attempted
        assert not results.failed


def test_loading_the_channels_is_light():
    import subprocess

    code = "import sys; from ridgeline import alerters; alerters.load(); print({'http.client', 'ssl', 'email', 'redis'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_concurrent_sends_do_not_mix():
    with http_server() as server:
        alerter = webhook(server.url)
        threads = [
            threading.Thread(target=alerter.send, args=[dataclasses.replace(ALERT, metric=f"m.{n}"), soon()])
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(r.json["data"]["alert"]["metric"] for r in server.requests) == sorted(f"m.{n}" for n in range(20))
