"""A real HTTP server on loopback that answers as told: any status, any bytes, slowly, drop by drop, or never."""

import contextlib
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Answer:
    """One scripted answer. `raw` replaces the whole answer; `drip` is the pause in seconds between single bytes."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    drip: float = 0.0
    raw: bytes | None = None
    silent: bool = False

    def encoded(self):
        if self.raw is not None:
            return self.raw
        fields = {"Content-Length": len(self.body), **self.headers}
        head = [f"HTTP/1.1 {self.status} Scripted", *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
        return "\r\n".join([*head, "", ""]).encode() + self.body


@dataclass
class Request:
    line: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Server:
    """`answers` are given in turn, the last one for ever; a callable gets the request. `requests` is what arrived."""

    def __init__(self, listener, answers, context):
        self.requests, self.answers, self.connections = [], list(answers) or [Answer()], 0
        self._listener, self._context, self._lock, self._ended = listener, context, threading.Lock(), threading.Event()
        self.host, self.port = listener.getsockname()[:2]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}/"

    def serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                request = self._read(reader)
                if not request.line:  # the client hung up without a word
                    return
                answer = self._next(request)
                time.sleep(answer.delay)
                if answer.silent:
                    self._ended.wait()
                elif answer.drip:
                    for byte in answer.encoded():
                        connection.sendall(bytes([byte]))
                        if self._ended.wait(answer.drip):
                            return
                else:
                    connection.sendall(answer.encoded())

    def _read(self, reader):
        line = reader.readline().decode().strip()
        headers = {}
        while field_line := reader.readline().decode().strip():
            name, _, value = field_line.partition(":")
            assert name.lower() not in headers, f"header {name} came twice"
            headers[name.lower()] = value.strip()
        return Request(line, headers, reader.read(int(headers.get("content-length", 0))))

    def _next(self, request):
        with self._lock:
            self.requests.append(request)
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        return answer(request) if callable(answer) else answer

    def stop(self):
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def http_server(*answers, context: ssl.SSLContext | None = None):
    """A running server; stopped, with its port closed, at the end of the block."""
    server = Server(socket.create_server(("127.0.0.1", 0), backlog=128), answers, context)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
