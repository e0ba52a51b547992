"""Alerts as syslog messages (RFC 5424) over a unix socket, UDP, TCP or TLS, one for each metric.

Text, facility and severity are Skyline's (alert_syslog). TCP and TLS frame by counting octets (RFC 6587, 3.4.1;
RFC 5425), all messages of one send over one connection.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._http import check_authorities, failure
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.io.net.transport import Limits, TransportError, broken, open_stream, send_datagram, trust
from ridgeline.io.text import escape, truncate

# level: (facility, severity), RFC 5424 tables 1 and 2
LEVELS: Final = {"warn": (20, 4), "notice": (21, 5), "info": (22, 6)}
PORTS: Final = {"udp": 514, "tcp": 601, "tls": 6514}
LONGEST: Final = 2048  # octets every receiver should accept, RFC 5424 6.1
TIMEOUT: Final = 5.0
LINGER: Final = 0.5  # seconds for a receiver to take the last message in

Send = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class SyslogSettings:
    """`address`: `unix:///dev/log`, `udp://HOST[:514]`, `tcp://HOST[:601]` or `tls://HOST[:6514]`.

    `level`: warn, notice or info; `ca_file` with further trusted certificates, for tls.
    """

    address: str = "unix:///dev/log"
    ident: str = "ridgeline"
    level: str = "warn"
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {self.level!r}")
        if not (self.ident.isascii() and self.ident.isprintable() and 0 < len(self.ident) <= 48) or " " in self.ident:
            raise ValueError("ident must be 1 to 48 printable ASCII characters without spaces")
        if self.ca_file is not None:
            check_authorities(self.ca_file)
        Place.parse(self.address)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a receiver listens: scheme, host or path, and port. Shown without anything that may be secret."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, address: str) -> Place:
        """Read an address; ValueError, which never repeats it, if it is none."""
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise ValueError("address is malformed: give unix:///PATH, or udp, tcp or tls://HOST[:PORT]") from None
        if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
            return cls("unix", parts.path, 0)
        bare = not parts.path.strip("/") and not parts.query and not parts.fragment and "@" not in parts.netloc
        if parts.scheme in PORTS and parts.hostname and bare and port != 0:
            return cls(parts.scheme, parts.hostname, port or PORTS[parts.scheme])
        raise ValueError("address must be unix:///PATH, udp://HOST[:PORT], tcp://HOST[:PORT] or tls://HOST[:PORT]")

    def __str__(self) -> str:
        if self.scheme == "unix":
            return f"unix://{escape(self.host)}"
        return f"{self.scheme}://{escape(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Syslog:
    """Sends one syslog message per alert to one receiver. `wall` is the clock of the time stamps."""

    settings: SyslogSettings
    place: Place
    host: str
    wall: Callable[[], float] = time.time
    concurrency: int = 1
    timeout: float = TIMEOUT

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send each alert. UDP and unix sockets confirm nothing: sent means handed over."""
        end = min(deadline, time.monotonic() + TIMEOUT)
        arrived = 0
        try:
            with self._open(end) as send:
                for alert in message.alerts:
                    send(frame(alert, self.settings, self.host, self.wall(), resolved=message.resolved))
                    arrived += 1
        except TransportError as error:
            return replace(failure(error), arrived=arrived)
        except OSError as error:
            return replace(failure(broken(f"syslog at {self.place}", error)), arrived=arrived)
        return Outcome("sent", arrived=arrived)

    @contextlib.contextmanager
    def _open(self, end: float) -> Iterator[Send]:
        """What sends one message, over one connection where there is any."""
        place = self.place
        if place.scheme == "unix":
            with _unix(place.host, end) as send:
                yield send
        elif place.scheme == "udp":
            yield lambda data: send_datagram(place.host, place.port, data, end)
        else:
            limits = Limits(connect=TIMEOUT, read=TIMEOUT)
            with open_stream(place.host, place.port, end, limits) as stream:
                if place.scheme == "tls":
                    stream.encrypt(trust(self.settings.ca_file), place.host, TIMEOUT)
                yield lambda data: stream.sendall(b"%d %s" % (len(data), data))
                stream.finish(LINGER)


def text(alert: Alert, *, resolved: bool = False) -> str:
    """Skyline's sentence, on one printable line."""
    test = "TEST - " if alert.test else ""
    if alert.message:
        return escape(f"{test}{alert.context} - {alert.metric}: {alert.message}")
    what = "Normal again" if resolved else "Anomalous metric"
    return escape(f"{test}{alert.context} - {what}: {alert.metric} (value: {alert.value})")


def frame(alert: Alert, settings: SyslogSettings, host: str, now: float, *, resolved: bool = False) -> bytes:
    """The message of RFC 5424, section 6, of at most 2048 octets; `now` in epoch seconds."""
    facility, severity = LEVELS[settings.level]
    stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"<{facility * 8 + severity}>1 {stamp} {host} {settings.ident} {os.getpid()} anomaly - "
    return (head + truncate(text(alert, resolved=resolved), LONGEST - len(head))).encode()


@contextlib.contextmanager
def _unix(path: str, end: float) -> Iterator[Send]:
    """Datagrams; a stream of lines where the receiver listens on a stream socket."""
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        ending = b""
        try:
            sock.connect(path)
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:
                raise
            sock, ending = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)), b"\n"
            sock.settimeout(max(end - time.monotonic(), 0.001))
            sock.connect(path)

        def send(data: bytes) -> None:
            sock.settimeout(max(end - time.monotonic(), 0.001))
            sock.sendall(data + ending)

        yield send


def _hostname() -> str:
    """Name of this host as RFC 5424 wants it, or the nil value."""
    name = socket.gethostname()[:255]
    return name if name.isascii() and name.isprintable() and name and " " not in name else "-"


def build(settings: SyslogSettings) -> Syslog:
    """The syslog alerter of these settings."""
    return Syslog(settings, Place.parse(settings.address), _hostname())


CHANNEL = Channel(
    "syslog",
    "RFC 5424 messages over a unix socket, UDP, TCP or TLS",
    SyslogSettings,
    build,
    resolves=True,
    groups="never",
)
