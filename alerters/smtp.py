"""Alerts as mails, by SMTP with verified TLS: text and HTML, the picture within, one transaction for all recipients."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ridgeline.alerters._channel import Channel
from ridgeline.alerters._fates import Fates
from ridgeline.alerters._http import check_limits, failure
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.alerters._smtp_server import PORTS, SECURITY, InDoubtError, Refused, Server
from ridgeline.io.net.transport import Limits, TransportError, broken
from ridgeline.io.secret import Secret

ADDRESS: Final = re.compile(r"[!-;=?A-~]+@[A-Za-z0-9.-]+|[A-Za-z0-9._+-]+")
NO_EMAIL: Final = "no_email"  # Skyline's word for: this rule mails nobody


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """`host` and `port` of the mail server; `security`: `starttls` (port 587), `tls` (465) or `none` (25).

    `username` and `password` log in, never without TLS. `recipients` by pattern of metrics, `default_recipients` where
    no pattern and no rule names any. `timeout` in seconds bounds one mail.
    """

    sender: str
    host: str = "127.0.0.1"
    port: int = 0
    security: str = "starttls"
    username: str | None = None
    password: Secret | None = None
    default_recipients: tuple[str, ...] = ()
    recipients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ca_file: Path | None = None
    timeout: float = 20.0
    concurrency: int = 2

    def __post_init__(self) -> None:
        if self.security not in SECURITY:
            raise ValueError(f"security must be one of {', '.join(SECURITY)}, not {self.security!r}")
        if not 0 <= self.port < 65536:
            raise ValueError(f"port must lie between 1 and 65535, not {self.port}")
        if not self.host or not self.host.isascii() or not self.host.isprintable() or " " in self.host:
            raise ValueError("host must be the name or address of the mail server")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.username is not None and self.security == "none":
            raise ValueError('username would be sent in the clear: it needs security = "starttls" or "tls"')
        for name, addresses in (("sender", (self.sender,)), ("default_recipients", self.default_recipients)):
            check_addresses(name, addresses)
        for addresses in self.recipients.values():
            check_addresses("recipients", addresses)
        check_limits(self.timeout, self.ca_file, self.concurrency)


def check_addresses(name: str, addresses: tuple[str, ...]) -> None:
    """Refuse what is no mail address; ValueError is one sentence that begins with `name`."""
    for address in addresses:
        if not ADDRESS.fullmatch(address):
            raise ValueError(f"{name} must be plain mail addresses in ASCII, not {address!r}")


@dataclass(frozen=True, slots=True)
class Smtp:
    """Sends mails through one server. `now`: epoch seconds, for the Date header."""

    server: Server
    sender: str
    username: str | None
    password: Secret | None
    default_recipients: tuple[str, ...]
    limits: Limits
    concurrency: int = 2
    now: Callable[[], float] = time.time

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send one mail to all its recipients, and tell each one's fate."""
        asked = message.recipients or self.default_recipients
        recipients = tuple(dict.fromkeys(name for name in asked if ADDRESS.fullmatch(name) and name != NO_EMAIL))
        if not recipients:
            return Outcome("rejected", "there is nobody to mail this to", refused=tuple(asked))
        end = min(deadline, time.monotonic() + self.limits.total)
        try:
            refused = self._deliver(message, recipients, end)
        except (Refused, InDoubtError, TransportError, OSError) as error:  # smtplib's are OSErrors
            return _failed(self.server, error)
        return _fates(self.server, recipients, refused)

    def _deliver(self, message: Message, recipients: tuple[str, ...], end: float) -> dict[str, Refused]:
        from ridgeline.alerters._mail import compose
        from ridgeline.alerters._smtp_session import Session

        mail = compose(message, self.sender, recipients, self.now()).as_bytes()
        session = Session(self.server, end, self.limits)
        try:
            if self.username is not None and self.password is not None:
                session.authenticate(self.username, self.password.reveal())
            return session.deliver(mail, self.sender, recipients)
        finally:
            session.leave()


def _failed(server: Server, error: Exception) -> Outcome:
    """The outcome of a mail that nobody got, or perhaps everybody."""
    if isinstance(error, Refused):
        return Outcome("retry" if error.again else "rejected", f"{server}: {error}")
    if isinstance(error, InDoubtError):
        return Outcome("unknown", f"{server} broke off after the mail was sent and before it said that it has it")
    if isinstance(error, TransportError):
        return failure(error)
    import smtplib

    if isinstance(error, smtplib.SMTPServerDisconnected):
        cause = error.__context__  # smtplib calls it a hang-up whatever ended the connection, silence included
        return failure(broken(server, cause)) if isinstance(cause, OSError) else Outcome("retry", f"{server} hung up")
    if isinstance(error, smtplib.SMTPException):  # an OSError too
        return Outcome("retry", f"{server} does not speak SMTP as we do: {type(error).__name__}")
    assert isinstance(error, OSError)
    return failure(broken(server, error))


def _fates(server: Server, recipients: tuple[str, ...], refused: dict[str, Refused]) -> Outcome:
    """One outcome for all."""
    fates = Fates()
    for name in recipients:
        fates.add(name, _failed(server, refused[name]) if name in refused else SENT)
    return fates.outcome()


def build(settings: SmtpSettings) -> Smtp:
    """The alerter of these settings."""
    server = Server(settings.host, settings.port or PORTS[settings.security], settings.security, settings.ca_file)
    limits = Limits(total=settings.timeout, ca_file=settings.ca_file)
    return Smtp(
        server,
        settings.sender,
        settings.username,
        settings.password,
        settings.default_recipients,
        limits,
        settings.concurrency,
    )


CHANNEL = Channel(
    "smtp", "mails with text, HTML and picture", SmtpSettings, build, takes_recipients=True, pictures=True
)
