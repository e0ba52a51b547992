"""smtplib over a socket that keeps to a deadline: greeting, TLS, login, one mail, and each recipient's fate."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from typing import Any

from ridgeline.alerters._smtp_server import InDoubtError, Refused, Server
from ridgeline.io.net.stream import Stream
from ridgeline.io.net.transport import Limits, open_stream, trust


class Session(smtplib.SMTP):
    """One connection; for use in a `with` block. Raises Refused, InDoubtError, OSError, smtplib.SMTPException."""

    def __init__(self, server: Server, end: float, limits: Limits) -> None:
        super().__init__(local_hostname=_own_name())
        self._server, self._limits = server, limits
        self._stream: Stream = open_stream(server.host, server.port, end, limits)
        self.sock: Any = self._stream
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _greet(self) -> None:
        context = trust(self._server.ca_file) if self._server.security != "none" else None
        if context is not None and self._server.security == "tls":
            self._stream.encrypt(context, self._server.host, self._limits.connect)
        code, words = self.getreply()
        if code != 220:
            raise Refused("the server does not take mail now", code, words)
        self.ehlo_or_helo_if_needed()
        if context is not None and self._server.security == "starttls":
            code, words = self.docmd("STARTTLS")
            if code != 220:
                raise Refused('the server offers no STARTTLS (security = "tls" or "none" goes without)', 554, words)
            self._stream.encrypt(context, self._server.host, self._limits.connect)
            # What was said before the encryption may have been anybody's (RFC 3207, section 4.2).
            self.file = None
            self.helo_resp = self.ehlo_resp = None
            self.esmtp_features = {}
            self.does_esmtp = False
            self.ehlo_or_helo_if_needed()

    def authenticate(self, username: str, password: str) -> None:
        """Log in. Raises Refused, without the server's words: they may repeat what it was told."""
        try:
            self.login(username, password)
        except smtplib.SMTPAuthenticationError as error:
            raise Refused("the server refuses the username or password", error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Refused("the server offers no login", 535) from None

    def deliver(self, mail: bytes, sender: str, recipients: tuple[str, ...]) -> dict[str, Refused]:
        """Send one mail in one transaction; the recipients that were refused, each with its reason."""
        code, words = self.mail(sender)
        if code != 250:
            raise Refused("the server refuses the sender", code, words)
        refused = {}
        for recipient in recipients:
            code, words = self.rcpt(recipient)
            if code not in {250, 251}:
                refused[recipient] = Refused("the server refuses a recipient", code, words)
        if len(refused) == len(recipients):
            return refused
        code, words = self.docmd("DATA")
        if code != 354:
            raise Refused("the server refuses the mail", code, words)
        try:
            self.send(_stuffed(mail))
            code, words = self.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise InDoubtError from error
        if code != 250:
            raise Refused("the server refuses the mail", code, words)
        return refused

    def leave(self) -> None:
        """Say goodbye without waiting for the answer: what became of the mail is known already."""
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self.putcmd("quit")
        self.close()


def _stuffed(mail: bytes) -> bytes:
    """The mail as it stands between DATA and the final dot (RFC 5321, section 4.5.2)."""
    body = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in mail.split(b"\r\n"))
    return (body if body.endswith(b"\r\n") else body + b"\r\n") + b".\r\n"


def _own_name() -> str:
    """What we call ourselves, without asking DNS, which may take longer than the mail."""
    name = socket.gethostname()
    return name if name.isascii() and all(c.isalnum() or c in ".-" for c in name) and name else "localhost"
