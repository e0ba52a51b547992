"""An HTTP endpoint in a process of its own, so that its work is not counted: takes every POST, and can hang instead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

HOST: Final = "127.0.0.1"
LEAVING: Final = 10.0  # seconds for the process to end


class _Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read the body and say that all is well."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: a line a request would be work too."""


@contextmanager
def receiver() -> Iterator[str]:
    """The address of a running endpoint."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield f"http://{HOST}:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()  # it ends with whoever started it, however that ends
            try:
                process.wait(LEAVING)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> None:
    """Serve on a free port, which is printed, until standard input ends."""
    import threading

    server = ThreadingHTTPServer((HOST, 0), _Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
