"""Syslog under the contract, over every transport; and its frames."""

import contextlib
import dataclasses
import re
import socket
import threading

import pytest
from hypothesis import example, given
from rigs.names import names

from ridgeline import alerters
from ridgeline.alerters import Message
from ridgeline.alerters.syslog5424 import LONGEST, SyslogSettings, frame
from ridgeline.alerters.testing import ALERT, Authority, Contract, group, soon


def syslog(address, **settings):
    return alerters.load()["syslog"].build(SyslogSettings(address, **settings))


class SyslogContract(Contract):
    one_each = True
    says_why = False  # the text is Skyline's

    def unreachable(self):
        return syslog("tcp://127.0.0.1:1")


class TestUdp(SyslogContract):
    keeps_time = False  # a datagram takes no time

    @contextlib.contextmanager
    def receiver(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
            sock.bind(("127.0.0.1", 0))
            found = []
            ended = threading.Event()
            sock.settimeout(0.1)

            def listen():
                while not ended.is_set():
                    with contextlib.suppress(TimeoutError):
                        found.append(sock.recv(65536).decode())

            def received():
                quiet = threading.Event()
                before = -1
                while before != len(found):
                    before = len(found)
                    quiet.wait(0.2)
                return list(found)

            thread = threading.Thread(target=listen)
            thread.start()
            try:
                yield syslog(f"udp://127.0.0.1:{sock.getsockname()[1]}"), received
            finally:
                ended.set()
                thread.join()


@contextlib.contextmanager
def stream_receiver(context=None):
    """(port, received, connections): a TCP receiver that reads frames counted by octets."""
    found, connections, threads = [], [], []

    def read(connection):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if context is not None:
                connection = stack.enter_context(context.wrap_socket(connection, server_side=True))
            reader = stack.enter_context(connection.makefile("rb"))
            while digits := b"".join(iter(lambda: reader.read(1), b" ") if reader.peek(1) else ()):
                found.append(reader.read(int(digits)).decode())

    def listen():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(threading.Thread(target=read, args=[connection]))
                threads[-1].start()

    def received():
        for thread in threads:
            thread.join(5)
        return list(found)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=listen)
        accepting.start()
        try:
            yield listener.getsockname()[1], lambda: (threading.Event().wait(0.05), received())[1], connections
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


class TestTcp(SyslogContract):
    @contextlib.contextmanager
    def receiver(self):
        with stream_receiver() as (port, received, _):
            yield syslog(f"tcp://127.0.0.1:{port}"), received


class TestTls(SyslogContract):
    @pytest.fixture(autouse=True)
    def _authority(self, tmp_path):
        self.authority = Authority(tmp_path)

    @contextlib.contextmanager
    def receiver(self):
        with stream_receiver(self.authority.good()) as (port, received, _):
            yield syslog(f"tls://127.0.0.1:{port}", ca_file=self.authority.ca_file), received

    @pytest.mark.parametrize("case", ["unknown authority", "wrong host", "expired"])
    def test_a_certificate_we_cannot_trust_is_refused(self, case):
        with stream_receiver(self.authority.bad()[case]) as (port, received, _):
            outcome = syslog(f"tls://127.0.0.1:{port}", ca_file=self.authority.ca_file).send(Message.of(ALERT), soon())
            assert outcome.kind == "rejected"
            assert "certificate" in outcome.reason
            assert received() == []


def test_all_members_go_over_one_connection():
    with stream_receiver() as (port, received, connections):
        outcome = syslog(f"tcp://127.0.0.1:{port}").send(group(50), soon())
        assert (outcome.kind, outcome.arrived) == ("sent", 50)
        assert len(received()) == 50
        assert len(connections) == 1


def test_an_address_never_shows_what_may_be_secret():
    for address in ("tcp://user:SECRET@host", "tcp://host/SECRET", "udp://host?SECRET", "tls://SECRET:x", "SECRET"):
        with pytest.raises(ValueError, match="address") as caught:
            SyslogSettings(address)
        assert "SECRET" not in str(caught.value)


def test_a_resolved_alert_says_so():
    made = frame(ALERT, SyslogSettings(), "h", 0.0, resolved=True)
    assert b"Analyzer - Normal again: stats.web01.requests" in made


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
        alerter = syslog(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        assert alerter.send(Message.of(dataclasses.replace(ALERT, metric="m\u00e5l")), soon()).kind == "sent"
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as reader:
            received = reader.read()
    count, _, message = received.partition(b" ")
    assert int(count) == len(message)
    assert RFC5424.fullmatch(message)


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_unix_sockets_of_both_kinds(kind, tmp_path):
    path = tmp_path / "log"
    alerter = syslog(f"unix://{path}")
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(str(path))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        assert alerter.send(Message.of(ALERT), soon()).kind == "sent"
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
        ({"address": "tcp://h:99999"}, "address is malformed"),
    ],
)
def test_settings_of_syslog_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        SyslogSettings(**settings)


def test_syslog_refuses_a_metadata_address():
    alerter = syslog("udp://169.254.169.254")
    assert alerter.send(Message.of(ALERT), soon()).kind == "rejected"
