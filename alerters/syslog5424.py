"""Alerts as syslog messages (RFC 5424) over a unix socket, UDP or TCP.

Text, facility and severity are Skyline's (alert_syslog). TCP frames by counting octets (RFC 6587, 3.4.1).
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ridgeline.alerters._alerter import SENT, Alert, Channel, Outcome
from ridgeline.io.net.transport import Limits, TransportError, open_stream, send_datagram
from ridgeline.io.text import escape, truncate

# level: (facility, severity), RFC 5424 tables 1 and 2
LEVELS = {"warn": (20, 4), "notice": (21, 5), "info": (22, 6)}
PORTS = {"udp": 514, "tcp": 601}
LONGEST = 2048  # octets every receiver should accept, RFC 5424 6.1
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class SyslogSettings:
    """`address`: `unix:///dev/log`, `udp://HOST[:514]` or `tcp://HOST[:601]`; `level`: warn, notice or info."""

    address: str = "unix:///dev/log"
    ident: str = "ridgeline"
    level: str = "warn"

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {self.level!r}")
        if not (self.ident.isascii() and self.ident.isprintable() and 0 < len(self.ident) <= 48) or " " in self.ident:
            raise ValueError("ident must be 1 to 48 printable ASCII characters without spaces")
        _place(self.address)


@dataclass(frozen=True, slots=True)
class Syslog:
    """Sends one message per alert to one receiver. `wall` is the clock of the time stamps."""

    settings: SyslogSettings
    host: str
    wall: Callable[[], float] = time.time
    concurrency: int = 1

    def send(self, alert: Alert, deadline: float) -> Outcome:
        """Send the alert's message. UDP and unix sockets confirm nothing: sent means handed over."""
        message = frame(alert, self.settings, self.host, self.wall())
        scheme, host, port = _place(self.settings.address)
        end = min(deadline, time.monotonic() + TIMEOUT)
        try:
            if scheme == "unix":
                _send_unix(host, message, end)
            elif scheme == "udp":
                send_datagram(host, port, message, end)
            else:
                with open_stream(host, port, end, Limits(connect=TIMEOUT, read=TIMEOUT)) as stream:
                    stream.send_all(b"%d %s" % (len(message), message))
        except TransportError as error:
            return Outcome("retry" if error.retry else "rejected", str(error))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Outcome("retry", f"cannot send to syslog at {self.settings.address}: {reason}")
        return SENT


def text(alert: Alert) -> str:
    """Skyline's sentence, on one printable line."""
    if alert.message:
        return escape(f"{alert.context} - {alert.metric}: {alert.message}")
    return escape(f"{alert.context} - Anomalous metric: {alert.metric} (value: {alert.value})")


def frame(alert: Alert, settings: SyslogSettings, host: str, now: float) -> bytes:
    """The message of RFC 5424, section 6, of at most 2048 octets; `now` in epoch seconds."""
    facility, severity = LEVELS[settings.level]
    stamp = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"<{facility * 8 + severity}>1 {stamp} {host} {settings.ident} {os.getpid()} anomaly - "
    return (head + truncate(text(alert), LONGEST - len(head))).encode()


def _place(address: str) -> tuple[str, str, int]:
    """Scheme, host or path, and port of an address; ValueError if it is none."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"address {address!r} is malformed") from error
    if parts.scheme == "unix" and parts.path.startswith("/") and not parts.netloc:
        return "unix", parts.path, 0
    if parts.scheme in PORTS and parts.hostname and not parts.path.strip("/"):
        return parts.scheme, parts.hostname, port or PORTS[parts.scheme]
    raise ValueError(f"address must be unix:///PATH, udp://HOST[:PORT] or tcp://HOST[:PORT], not {address!r}")


def _send_unix(path: str, message: bytes, end: float) -> None:
    """One datagram; a stream and a line where the receiver listens on a stream socket."""
    for kind, data in ((socket.SOCK_DGRAM, message), (socket.SOCK_STREAM, message + b"\n")):
        with socket.socket(socket.AF_UNIX, kind) as sock:
            sock.settimeout(max(end - time.monotonic(), 0.001))
            try:
                sock.connect(path)
            except OSError as error:
                if kind == socket.SOCK_DGRAM and error.errno == errno.EPROTOTYPE:
                    continue
                raise
            sock.sendall(data)
            return


def _hostname() -> str:
    """Name of this host as RFC 5424 wants it, or the nil value."""
    name = socket.gethostname()[:255]
    return name if name.isascii() and name.isprintable() and name and " " not in name else "-"


def build(settings: SyslogSettings) -> Syslog:
    """The syslog alerter of these settings."""
    return Syslog(settings, _hostname())


CHANNEL = Channel("syslog", "RFC 5424 messages over a unix socket, UDP or TCP", SyslogSettings, build)
