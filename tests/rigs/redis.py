"""Servers that tests talk to: a real redis-server, a TCP proxy that misbehaves on demand, TLS in front of either."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ridgeline.io.redis.embedded import embedded_redis

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A redis-server: `url` of its socket, its TCP `port`, a client of the tests' own (with all rights)."""

    url: str
    port: int
    pid: int
    client: redis.Redis


@contextlib.contextmanager
def redis_server(*, password: str | None = None, acl: dict[str, str] | None = None, arguments: tuple[str, ...] = ()):
    """A real redis-server on a socket and on loopback TCP. `acl`: user name -> rules, such as ">pw +get ~metrics.*"."""
    port = free_port()
    options = ["--port", str(port), *arguments]
    if password is not None:
        options += ["--requirepass", password]
    for name, rules in (acl or {}).items():
        options += ["--user", name, *rules.split()]
    with embedded_redis(options) as server:
        once = Retry(NoBackoff(), 0)  # a server that a test has stopped is asked for once
        client = redis.Redis(
            unix_socket_path=server.url.removeprefix("unix://"), password=password, protocol=2, retry=once
        )
        try:
            yield Server(server.url, port, server.pid, client)
        finally:
            client.close()


def free_port() -> int:
    """A TCP port that nothing listens on; a cluster node's other port, 10,000 above, exists too."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            if probe.getsockname()[1] < 55_000:
                return probe.getsockname()[1]


@dataclass
class Proxy:
    """A TCP proxy to `target`; change its fields while it runs. Bytes and connections are counted.

    delay: seconds before each piece of a reply. drip: seconds before each byte of one. cut_after: the connection is
    closed after that many bytes of replies (all connections together; None: never); cut_asked_after: of requests.
    blackhole: replies vanish. reset_next: the next `n` connections are reset.
    """

    target: tuple[str, int] | str
    port: int = 0
    delay: float = 0.0
    drip: float = 0.0
    cut_after: int | None = None
    cut_asked_after: int | None = None
    blackhole: bool = False
    reset_next: int = 0
    connections: int = 0
    passed: int = 0
    asked: int = 0
    on_reply: Callable[[int], None] | None = None
    _threads: list[threading.Thread] = field(default_factory=list)
    _sockets: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def accept(self, listener: socket.socket, wrap) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.reset_next > 0:
                self.reset_next -= 1
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
                continue
            self._start(self.serve, client, wrap)

    def serve(self, client: socket.socket, wrap) -> None:
        self._sockets.append(client)
        try:
            client = wrap(client)
            self._sockets.append(client)
            server = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
            self._sockets.append(server)
            server.connect(self.target)
        except OSError:
            client.close()
            return
        self._start(self.pump, client, server, self.ask)
        self.pump(server, client, self.shape, drips=True)

    def ask(self, piece: bytes) -> bytes:
        """What becomes of a piece of a request; an empty one ends the connection."""
        if self.cut_asked_after is not None:
            piece = piece[: max(self.cut_asked_after - self.asked, 0)]
        self.asked += len(piece)
        return piece

    def shape(self, piece: bytes) -> bytes:
        """What becomes of a piece of a reply; an empty one ends the connection."""
        if self.delay:
            time.sleep(self.delay)
        while self.blackhole:
            time.sleep(0.05)
        if self.on_reply is not None:
            self.on_reply(self.passed)
        if self.cut_after is not None:
            piece = piece[: max(self.cut_after - self.passed, 0)]
        self.passed += len(piece)
        return piece

    def pump(self, source: socket.socket, sink: socket.socket, shape, *, drips: bool = False) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                whole = len(piece)
                piece = shape(piece)
                if drips and self.drip:
                    self.trickle(piece, sink)
                else:
                    sink.sendall(piece)
                if len(piece) < whole:
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def trickle(self, piece: bytes, sink: socket.socket) -> None:
        for first in range(len(piece)):
            time.sleep(self.drip)
            sink.sendall(piece[first : first + 1])

    def _start(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self.on_reply, self.blackhole, self.delay, self.drip = None, False, 0.0, 0.0
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in self._sockets:
            each.close()


@contextlib.contextmanager
def proxy(target, *, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """A proxy on loopback to a port, or to the path of a unix socket; with `tls`, clients must speak TLS."""
    listener = socket.create_server((HOST, 0))
    running = Proxy((HOST, target) if isinstance(target, int) else target, listener.getsockname()[1])
    wrap = (lambda s: tls.wrap_socket(s, server_side=True)) if tls is not None else (lambda s: s)
    running._start(running.accept, listener, wrap)
    try:
        yield running
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        running.stop()


@contextlib.contextmanager
def fake_redis(reply: Callable[[bytes], bytes], *, drip: float = 0.0) -> Iterator[int]:
    """A server that answers each request (its raw bytes) with `reply`'s bytes; an empty answer closes. Yields its port.

    `drip`: seconds before each single byte.
    """
    listener = socket.create_server((HOST, 0))
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while request := client.recv(65536):
                answer = reply(request)
                if not answer:
                    return
                for at in range(0, len(answer), 1) if drip else ():
                    if over.wait(drip):
                        return
                    client.sendall(answer[at : at + 1])
                if not drip:
                    client.sendall(answer)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(5)


def bulk(*values: bytes | None) -> bytes:
    """Values as a server sends them, one after the other."""
    return b"".join(b"$-1\r\n" if value is None else b"$%d\r\n%b\r\n" % (len(value), value) for value in values)


def listed(*values: bytes | None) -> bytes:
    """A list of values as a server sends it."""
    return b"*%d\r\n" % len(values) + bulk(*values)


def page(cursor: bytes, *names: bytes) -> bytes:
    """A page of SSCAN; cursor 0 is the last."""
    return b"*2\r\n" + bulk(cursor) + listed(*names)


def answers(**by_command: bytes | Callable[[list[bytes]], bytes]) -> Callable[[bytes], bytes]:
    """What `fake_redis` is to reply: for each command of a request these bytes, or what they are for its words.

    Others are answered as by a server with the two metrics a and b, none of which has points.
    """
    usual = {
        "PING": b"+PONG\r\n",
        "SSCAN": page(b"0", b"metrics.a", b"metrics.b"),
        "MGET": lambda words: listed(*[None] * (len(words) - 1)),
        "TYPE": b"+none\r\n",
        "TIME": lambda _: listed(b"%d" % time.time(), b"0"),
    }

    def reply(request: bytes) -> bytes:
        whole = b""
        for words in commands(request):
            answer = {**usual, **by_command}.get(words[0].decode().upper(), b"+OK\r\n")
            whole += answer(words) if callable(answer) else answer
        return whole

    return reply


def commands(request: bytes) -> Iterator[list[bytes]]:
    """The commands of a request, each as its words."""
    rest = request
    while rest.startswith(b"*"):
        count, _, rest = rest[1:].partition(b"\r\n")
        words = []
        for _ in range(int(count)):
            size, _, rest = rest[1:].partition(b"\r\n")
            words.append(rest[: int(size)])
            rest = rest[int(size) + 2 :]
        yield words
