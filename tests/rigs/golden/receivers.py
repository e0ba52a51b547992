"""Those whom the recorded Skyline told: an HTTP endpoint, syslog, a mail server, carbon. On loopback only."""

import contextlib
import socket
import threading
from dataclasses import dataclass, field

from rigs.http import Answer, http_server
from rigs.smtp import smtp_server
from rigs.waiting import until

LARGEST = 65536
MARK = "this is all"
FAILS = "app.anom.fail"  # the endpoint answers 500 for it while `failing`


@dataclass
class Receivers:
    """What has arrived at each; `drain` gives it and forgets it."""

    http: object
    mailbox: object
    syslog: "Datagrams"
    carbon: "Lines"
    failing: bool = True

    def answer(self, request):
        """What the endpoint says."""
        failed = self.failing and request.json["data"]["alert"]["metric"] == FAILS
        return Answer(500 if failed else 200)

    def drain(self):
        """Bodies of posts, frames of syslog, mails with their envelopes, lines of carbon's since the last time."""
        posts = [request.json for request in self.http.requests]
        self.http.requests.clear()
        mails = list(zip(self.mailbox.envelopes, self.mailbox.mails, strict=True))
        self.mailbox.envelopes.clear()
        return posts, self.syslog.drain(), mails, self.carbon.drain()


@dataclass
class Datagrams:
    """A syslog daemon's socket."""

    path: str
    socket: socket.socket
    _found: list = field(default_factory=list)

    def serve(self):
        while (datagram := self.socket.recv(LARGEST).decode()) != "":
            self._found.append(datagram)

    def drain(self):
        """Every datagram that was sent before this call."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(MARK.encode(), self.path)
        until(lambda: MARK in self._found)
        found, self._found = self._found, []
        return [datagram for datagram in found if datagram != MARK]

    def stop(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"", self.path)


@dataclass
class Lines:
    """Carbon's plaintext listener: the lines of one connection after the other."""

    listener: socket.socket
    _found: list = field(default_factory=list)

    @property
    def address(self):
        return self.listener.getsockname()

    def serve(self):
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                connection, _ = self.listener.accept()
                with connection, connection.makefile("r") as lines:
                    self._found += [line.strip() for line in lines]

    def drain(self):
        """Every line of the connections that were made before this call, once they are closed."""
        with socket.create_connection(self.address, 5) as sender:
            sender.sendall(f"{MARK}\n".encode())
        until(lambda: MARK in self._found)
        found, self._found = self._found, []
        return [line for line in found if line != MARK]

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def receivers(folder):
    """Everybody, with `folder` (its path short) for the socket of syslog: (receivers, where they are)."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        log.bind(str(folder / "log"))
        syslog = Datagrams(str(folder / "log"), log)
        carbon = Lines(stack.enter_context(socket.create_server(("127.0.0.1", 0))))
        for one in (syslog, carbon):
            threading.Thread(target=one.serve, daemon=True).start()
            stack.callback(one.stop)
        everybody = Receivers(None, stack.enter_context(smtp_server()), syslog, carbon)
        everybody.http = stack.enter_context(http_server(everybody.answer))
        yield (
            everybody,
            {
                "http": everybody.http.url,
                "syslog": syslog.path,
                "smtp": everybody.mailbox.port,
                "carbon": carbon.address,
            },
        )
