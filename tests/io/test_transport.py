"""The one POST: where it may go, how long it may take, what it believes."""

import datetime as dt
import socket
import ssl
import time
import traceback
from email.utils import format_datetime

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st
from rigs.http import Answer, http_server

from ridgeline.io.net.address import AddressRefusedError, Endpoint, check, resolve
from ridgeline.io.net.transport import Connection, Limits, TransportError, download, request, trust

BODY = b'{"a": 1}'


def send(url, *, seconds=5.0, headers=None, limits=None, **kwargs):
    return request(
        "POST",
        Endpoint.parse(url),
        body=BODY,
        headers=headers or {},
        deadline=time.monotonic() + seconds,
        limits=limits or Limits(),
        **kwargs,
    )


def refused(url, **kwargs):
    with pytest.raises(TransportError) as caught:
        send(url, **kwargs)
    return caught.value


def resolving_to(*addresses):
    def lookup(_host, port, type):  # noqa: A002 - getaddrinfo's own keyword
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, type, 0, "", (address, port))
            for address in addresses
        ]

    return lookup


# Where it may go ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown", "target"),
    [
        ("http://127.0.0.1:9000/alert", "http://127.0.0.1:9000", "/alert"),
        ("https://hooks.example.org", "https://hooks.example.org", "/"),
        ("https://hooks.example.org:443/a?b=%20c#fragment", "https://hooks.example.org", "/a?b=%20c"),
        ("HTTP://Example.ORG:8080/", "http://example.org:8080", "/"),
        ("http://[::1]:80/x", "http://[::1]", "/x"),
        ("http://0x7f.1/x", "http://0x7f.1", "/x"),
    ],
)
def test_urls_that_can_be_used(url, shown, target):
    endpoint = Endpoint.parse(url)
    assert (str(endpoint), endpoint.target) == (shown, target)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/SECRET",
        "ftp://host/SECRET",
        "//host/SECRET",
        "SECRET",
        "",
        "http://",
        "http:///SECRET",
        "http://host:0/SECRET",
        "http://host:65536/SECRET",
        "http://host:x/SECRET",
        "http://user:SECRET@host/",
        "http://SECRET@host/",
        "http://[::1/SECRET",
        "http://host/SECRET\r\nX: y",
        "http://host/SECRET path",
        "http://h\u00f6st/SECRET",
        "http://host/SECRET\x00",
    ],
)
def test_urls_that_cannot_be_used_are_refused_without_being_repeated(url):
    with pytest.raises(ValueError, match="url") as caught:
        Endpoint.parse(url)
    assert "SECRET" not in "".join(traceback.format_exception_only(caught.value))


FORBIDDEN = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%1",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "0.0.0.0",
    "0.1.2.3",
    "::ffff:0.0.0.1",
    "::169.254.169.254",
    "::ffff:168.63.129.16",
    "64:ff9b::168.63.129.16",
    "64:ff9b:1::169.254.169.254",
    "2002:a83f:8110::1",
    "2001:0:53aa:64c:0:0:5601:5601",
    "2001::1",
    "fec0::1",
    "feff::1",
    "2001:db8:1::5efe:169.254.169.254",
    "fd00::200:5efe:169.254.169.254",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_forbidden_addresses(address):
    with pytest.raises(AddressRefusedError):
        check(address)
    error = refused("http://hooks.example.org/", lookup=resolving_to(address))
    assert not error.retry


# IPv4 within IPv6 that reaches an ordinary host.
CARRIED = ["::ffff:10.0.0.1", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:4860:4860::8888", "::ffff:127.0.0.1"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.16.9.9", "fd12::1", "8.8.8.8", *CARRIED]
)
def test_loopback_and_private_addresses_are_normal_for_webhooks(address):
    check(address)


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:a9fe:a9fe]", "[fe80::1]"])
def test_metadata_is_refused_however_it_is_written(host):
    error = refused(f"http://{host}/latest/meta-data")
    assert "refused" in str(error)
    assert not error.retry


def test_one_forbidden_address_among_good_ones_refuses_the_name():
    with http_server() as server:
        lookup = resolving_to("127.0.0.1", "169.254.169.254")
        assert not refused(f"http://name.example:{server.port}/", lookup=lookup).retry
        assert server.connections == 0


def test_the_name_is_resolved_once_and_sent_as_host():
    asked = []

    def lookup(host, port, type):  # noqa: A002
        asked.append(host)
        return resolving_to("127.0.0.1")(host, port, type)

    with http_server() as server:
        assert send(f"http://name.example:{server.port}/a?b", lookup=lookup).status == 200
        assert asked == ["name.example"]
        assert server.requests[0].headers["host"] == f"name.example:{server.port}"
        assert server.requests[0].line == "POST /a?b HTTP/1.1"


def test_a_dead_address_gives_way_to_the_next():
    with http_server() as server:
        lookup = resolving_to("::1", "127.0.0.1")
        assert send(f"http://name.example:{server.port}/", lookup=lookup).status == 200


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    with http_server(Answer(599)) as proxy, http_server() as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert send(server.url).status == 200
        assert proxy.connections == 0


def test_a_name_that_is_none():
    error = refused(f"http://{'a' * 70}.example/")
    assert error.retry
    assert refused("http://no-such-name.invalid/").retry


# What is sent -------------------------------------------------------------------------------------------------------


def test_the_request_as_it_arrives():
    with http_server() as server:
        send(server.url, headers={"Authorization": "Bearer x", "Content-Type": "application/json"})
    arrived = server.requests[0]
    assert arrived.body == BODY
    assert arrived.headers == {
        "authorization": "Bearer x",
        "content-type": "application/json",
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "ridgeline",
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": str(len(BODY)),
    }


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00", "\u00e9"])
def test_a_header_cannot_leave_its_line(value):
    with http_server() as server, pytest.raises(ValueError, match="one line"):
        send(server.url, headers={"X": value})
    assert server.connections == 0


# How long it may take -----------------------------------------------------------------------------------------------

SLOW = {
    "never answers": Answer(silent=True),
    "drips its head": Answer(drip=0.05, headers={"X-Padding": "x" * 1000}),
    "drips interim answers": Answer(raw=b"HTTP/1.1 102 Processing\r\n\r\n" * 100, drip=0.05),
    "waits before it answers": Answer(delay=30.0),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("bound", ["deadline", "total"])
def test_the_total_deadline_holds(answer, bound):
    with http_server(answer) as server:
        started = time.monotonic()
        error = refused(
            server.url,
            seconds=0.4 if bound == "deadline" else 60,
            limits=Limits(total=0.4 if bound == "total" else 60),
        )
        assert 0.3 < time.monotonic() - started < 20
    assert error.retry
    assert "in time" in str(error)


def test_a_read_timeout_ends_it_earlier():
    with http_server(Answer(silent=True)) as server:
        started = time.monotonic()
        assert refused(server.url, seconds=60, limits=Limits(read=0.2)).retry
        assert time.monotonic() - started < 10


def test_a_body_that_drips_does_not_take_back_the_status():
    with http_server(Answer(200, body=b"x" * 1000, drip=0.01)) as server:
        started = time.monotonic()
        reply = send(server.url, seconds=1.0)
        assert time.monotonic() - started < 8
    assert reply.status == 200
    assert 0 < len(reply.body) < 1000


def test_a_resolver_that_hangs_is_left_behind():
    started = time.monotonic()
    error = refused("http://name.example/", seconds=0.3, lookup=lambda *_, **__: time.sleep(30) or [])
    assert error.retry
    assert time.monotonic() - started < 10
    with pytest.raises(TimeoutError):
        resolve("name.example", 80, socket.SOCK_STREAM, -1.0, lambda *_, **__: time.sleep(0.2) or [])


def test_nothing_is_tried_after_the_deadline():
    with http_server() as server:
        assert refused(server.url, seconds=-1).retry
        assert server.requests == []


def test_a_receiver_that_does_not_read_is_left_behind():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(TransportError) as caught:
            request("POST", Endpoint.parse(url), body=b"x" * 20_000_000, deadline=started + 0.5)
        assert caught.value.retry
        assert time.monotonic() - started < 20


# What it believes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status):
    with http_server() as other, http_server(Answer(status, {"Location": other.url})) as server:
        assert send(server.url).status == status
        assert other.connections == 0


def test_the_body_is_capped():
    with http_server(Answer(body=b"x" * 1_000_000)) as server:
        assert len(send(server.url).body) == 65536
        assert len(send(server.url, limits=Limits(body=10)).body) == 10
        assert send(server.url, limits=Limits(body=0)).body == b""


def test_a_chunked_body():
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with http_server(Answer(raw=raw)) as server:
        assert send(server.url).body == b"abcde"


def test_interim_answers_are_read_past():
    raw = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    with http_server(Answer(raw=raw)) as server:
        assert send(server.url).status == 204


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 99999 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 20",
    ],
)
def test_an_answer_that_is_not_http_is_a_retry(raw):
    with http_server(Answer(raw=raw)) as server:
        assert refused(server.url).retry


@given(raw=st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_transport_error(raw):
    with http_server(Answer(raw=b"HTTP/1.1 " + raw)) as server:
        try:
            reply = send(server.url, seconds=2)
        except TransportError:
            return
        assert isinstance(reply.status, int)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("1000000000", 1e9, 1e9),
        ("9" * 400, 1e17, 1e18),
        ("in an hour", 3000, 3601),
        ("an hour ago", 0, 0),
        ("soon", None, None),
        ("-5", None, None),
        ("1.5", None, None),
        ("", None, None),
        ("Mon, 99 Foo 99999 25:61:61 GMT", None, None),
    ],
)
def test_retry_after(value, low, high):
    hours = {"in an hour": 1, "an hour ago": -1}.get(value)  # as a date: no time belongs into a test's name
    if hours is not None:
        value = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours))
    with http_server(Answer(429, {"Retry-After": value})) as server:
        found = send(server.url).retry_after
    assert found is None if low is None else low <= found <= high


# Several requests, other methods, files ------------------------------------------------------------------------------


def test_a_get_has_no_body_and_its_answer_has_headers():
    with http_server(Answer(200, {"ETag": '"x"', "X-Up": "Case"}, b"abc")) as server:
        reply = request("GET", Endpoint.parse(f"{server.url}a"), deadline=time.monotonic() + 5)
    assert (reply.status, reply.body, reply.whole) == (200, b"abc", True)
    assert (reply.headers["etag"], reply.headers["x-up"]) == ('"x"', "Case")
    assert server.requests[0].line == "GET /a HTTP/1.1"
    assert "content-length" not in server.requests[0].headers


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        (Answer(body=b"x" * 100), True),
        (Answer(body=b"x" * 101), False),
        (Answer(200, {"Content-Length": 50}, b"x" * 20), False),
        (Answer(200, {"Content-Length": None}, b"x" * 20), True),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), True),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), False),
    ],
)
def test_a_body_is_known_to_be_whole_or_not(answer, whole):
    with http_server(answer) as server:
        assert send(server.url, limits=Limits(body=100)).whole is whole


def test_requests_share_a_connection_while_the_server_keeps_it():
    with http_server(Answer(body=b"a"), Answer(body=b"bc"), Answer(204)) as server:
        with Connection(Endpoint.parse(server.url), time.monotonic() + 5) as connection:
            replies = [connection.request("POST", BODY) for _ in range(5)]
        assert [reply.body for reply in replies] == [b"a", b"bc", b"", b"", b""]
        assert server.connections == 1


def test_a_connection_that_the_server_ended_is_opened_again():
    closing = Answer(200, {"Connection": "close"}, b"a")
    for answers in (
        [closing],
        [Answer(200, {"Content-Length": None}, b"a")],
        [Answer(body=b"x" * 9), Answer(raw=b""), Answer()],
    ):
        with http_server(*answers) as server:
            with Connection(Endpoint.parse(server.url), time.monotonic() + 5) as connection:
                assert [connection.request("POST", BODY).status for _ in range(3)] == [200, 200, 200]
            assert server.connections > 1


def test_a_failure_says_whether_the_receiver_may_have_acted():
    with http_server(Answer(silent=True)) as server:
        assert refused(server.url, seconds=0.3).unknown
    with http_server(Answer(raw=b"")) as server:
        assert refused(server.url).unknown
    assert not refused("http://127.0.0.1:1/").unknown
    assert not refused("http://169.254.169.254/").unknown


def fetch(url, path, **limits):
    return download(Endpoint.parse(url), path, deadline=time.monotonic() + 5, limits=Limits(**limits))


def test_a_download_is_a_whole_file(tmp_path):
    with http_server(Answer(body=bytes(range(256)) * 1000)) as server:
        reply = fetch(server.url, tmp_path / "f", body=256_000)
    assert (reply.status, reply.body, reply.whole) == (200, b"", True)
    assert (tmp_path / "f").read_bytes() == bytes(range(256)) * 1000
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"x" * 101),
        Answer(200, {"Content-Length": 50}, b"x" * 20),
        Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"),
        Answer(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 50 + b"0\r\n\r\n"),
        Answer(body=b"x" * 100, drip=0.2),
    ],
    ids=["too large", "cut short", "cut chunk", "too many chunks", "drips"],
)
def test_a_download_that_fails_leaves_the_old_file(tmp_path, answer):
    (tmp_path / "f").write_bytes(b"old")
    with http_server(answer) as server, pytest.raises(TransportError):
        download(Endpoint.parse(server.url), tmp_path / "f", deadline=time.monotonic() + 0.6, limits=Limits(body=100))
    assert (tmp_path / "f").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("status", [204, 304, 404, 500])
def test_a_download_of_nothing_writes_nothing(tmp_path, status):
    with http_server(Answer(status)) as server:
        assert fetch(server.url, tmp_path / "f").status == status
    assert list(tmp_path.iterdir()) == []


def test_no_traceback_holds_a_secret():
    def echo(arrived):
        sent = f"{arrived.line}{arrived.headers['authorization']}{arrived.body}"
        return Answer(raw=f"HTTP/1.1 {sent}\r\n\r\n".encode())

    secret = "SENTINEL".lower()  # the traceback shows the lines of this test too
    with http_server(echo) as server, pytest.raises(TransportError) as caught:
        send(f"{server.url}{secret}?{secret}", headers={"Authorization": secret})
    assert secret not in "".join(traceback.format_exception(caught.value))


# TLS ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def serving(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_a_trusted_certificate(authority, ca_file):
    with http_server(context=serving(authority.issue_cert("127.0.0.1"))) as server:
        assert send(server.url, limits=Limits(ca_file=ca_file)).status == 200
        assert server.requests[0].body == BODY


def expired(authority):
    return authority.issue_cert("127.0.0.1", not_after=dt.datetime.now(dt.UTC) - dt.timedelta(days=1))


@pytest.mark.parametrize("case", ["unknown authority", "wrong host", "expired"])
def test_a_certificate_we_cannot_trust_is_rejected(authority, ca_file, case):
    certificate = {
        "unknown authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
        "wrong host": lambda: authority.issue_cert("other.example"),
        "expired": lambda: expired(authority),
    }[case]()
    with http_server(context=serving(certificate)) as server:
        error = refused(server.url, limits=Limits(ca_file=ca_file))
        assert server.requests == []
    assert not error.retry
    assert "certificate" in str(error)


def test_without_the_ca_option_a_private_authority_is_rejected(authority):
    with http_server(context=serving(authority.issue_cert("127.0.0.1"))) as server:
        assert not refused(server.url).retry


def test_plain_http_where_tls_is_expected():
    with http_server() as server:
        assert refused(server.url.replace("http:", "https:")).retry


def test_a_tls_drip_feed_keeps_to_the_deadline(authority, ca_file):
    answer = Answer(drip=0.05, headers={"X-Padding": "x" * 1000})
    with http_server(answer, context=serving(authority.issue_cert("127.0.0.1"))) as server:
        started = time.monotonic()
        assert refused(server.url, seconds=0.5, limits=Limits(ca_file=ca_file)).retry
        assert time.monotonic() - started < 10


def test_a_handshake_that_hangs_keeps_to_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        assert refused(f"https://127.0.0.1:{listener.getsockname()[1]}/", seconds=0.4).retry
        assert time.monotonic() - started < 10


def test_a_ca_file_that_is_none(tmp_path):
    path = tmp_path / "ca.pem"
    with pytest.raises(OSError):
        trust(path)
    path.write_text("nonsense")
    with pytest.raises(OSError):
        trust(path)
