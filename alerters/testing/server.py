"""A real HTTP server on loopback that answers as told: any status, any bytes, slowly, drop by drop, or never."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO


@dataclass
class Answer:
    """One scripted answer. `raw` replaces the whole answer; `drip` is the pause in seconds between single bytes.

    silent: nothing is said, and `hold`: after the answer nothing more, while the connection stays open.
    """

    status: int = 200
    headers: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    drip: float = 0.0
    raw: bytes | None = None
    silent: bool = False
    hold: bool = False

    def encoded(self) -> bytes:
        """The answer's bytes; a header whose value is None is left out."""
        if self.raw is not None:
            return self.raw
        fields = {"Content-Length": len(self.body), **self.headers}
        head = [f"HTTP/1.1 {self.status} Scripted", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass
class Request:
    """One request that arrived; header names in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


Script = Answer | Callable[[Request], Answer]


class HttpServer:
    """`answers` are given in turn, the last one for ever; a callable gets the request. `requests` is what arrived.

    A connection is kept as the client asks, and ended after an answer that is not whole by its own Content-Length.
    """

    def __init__(self, listener: socket.socket, answers: tuple[Script, ...], context: ssl.SSLContext | None) -> None:
        self.requests: list[Request] = []
        self.answers: list[Script] = list(answers) or [Answer()]
        self.connections = 0
        self._listener, self._context, self._lock, self._ended = listener, context, threading.Lock(), threading.Event()
        self.host, self.port = listener.getsockname()[:2]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/"

    def serve(self) -> None:
        """Take connections until stopped, each on a thread of its own."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._context:
                connection = stack.enter_context(self._context.wrap_socket(connection, server_side=True))
            reader = stack.enter_context(connection.makefile("rb"))
            while (request := _read(reader)).line:  # else the client hung up without another word
                answer = self._next(request)
                if not self._give(connection, answer) or request.headers.get("connection") != "keep-alive":
                    return

    def _give(self, connection: socket.socket, answer: Answer) -> bool:
        """Send an answer; whether another may follow."""
        time.sleep(answer.delay)
        if answer.silent:
            self._ended.wait()
            return False
        if answer.drip:
            for byte in answer.encoded():
                connection.sendall(bytes([byte]))
                if self._ended.wait(answer.drip):
                    return False
            return False
        connection.sendall(answer.encoded())
        if answer.hold:
            self._ended.wait()
        fit = answer.raw is None and answer.status >= 200  # after an interim answer nothing comes any more
        return fit and not {"Content-Length", "Connection"} & answer.headers.keys()

    def _next(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return answer(request) if callable(answer) else answer

    def stop(self) -> None:
        """End every connection and close the port."""
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _read(reader: BinaryIO) -> Request:
    line = reader.readline().decode().strip()
    headers: dict[str, str] = {}
    while field_line := reader.readline().decode().strip():
        name, _, value = field_line.partition(":")
        assert name.lower() not in headers, f"header {name} came twice"
        headers[name.lower()] = value.strip()
    return Request(line, headers, reader.read(int(headers.get("content-length", 0))))


@contextlib.contextmanager
def http_server(*answers: Script, context: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    """A running server; stopped, with its port closed, at the end of the block."""
    server = HttpServer(socket.create_server(("127.0.0.1", 0), backlog=128), answers, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
