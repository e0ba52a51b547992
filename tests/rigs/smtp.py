"""A real SMTP server on loopback whose every answer can be scripted."""

from __future__ import annotations

import contextlib
import email
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.policy import default

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass
class Mailbox:
    """What arrived, and what the server says: `rcpt` and `mail` by address, `data` after a mail, `hang` never answers."""

    rcpt: dict[str, str] = field(default_factory=dict)
    data: str = "250 OK"
    drop_after_data: bool = False
    password: str | None = None
    port: int = 0
    envelopes: list = field(default_factory=list)
    logins: list = field(default_factory=list)

    @property
    def mails(self):
        return [email.message_from_bytes(envelope.original_content, policy=default) for envelope in self.envelopes]

    @property
    def texts(self):
        return [mail.get_body(("plain",)).get_content() for mail in self.mails]

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's protocol
        answer = self.rcpt.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's protocol
        if self.data.startswith("250"):
            self.envelopes.append(envelope)
        if self.drop_after_data:
            server.transport.abort()
        return self.data

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append(mechanism)
        good = isinstance(data, LoginPassword) and data.password == (self.password or "").encode()
        return AuthResult(success=good, handled=False)


@contextlib.contextmanager
def smtp_server(
    mailbox: Mailbox | None = None, *, starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Mailbox]:
    """Serve on loopback; `starttls` offers and demands it, `tls` speaks it from the start."""
    box = mailbox or Mailbox()

    class Server(Controller):
        def _trigger_server(self):
            self.port = self.server.sockets[0].getsockname()[1]  # the one that the system chose for 0
            with contextlib.ExitStack() as stack:
                probe = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), 5))
                if tls is not None:  # whatever its certificate
                    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
                    probe = stack.enter_context(trusting.wrap_socket(probe))
                probe.recv(1024)

        def factory(self):
            return SMTP(
                self.handler,
                hostname="mail.example",
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=box.authenticate if box.password is not None else None,
                auth_require_tls=tls is None,
                auth_exclude_mechanism=["CRAM-MD5"],
                timeout=30,
            )

    controller = Server(box, hostname="127.0.0.1", port=0, ssl_context=tls, ready_timeout=20)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()
