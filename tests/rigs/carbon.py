"""A listener for Graphite's plaintext protocol on loopback."""

import contextlib
import socket
import threading


class Carbon:
    """What arrived: one text per connection, complete once the other side has hung up."""

    def __init__(self, listener):
        self.address = listener.getsockname()
        self.batches = []
        self._listener = listener
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def setting(self):
        """The address as `[statistics] graphite` has it."""
        return f"{self.address[0]}:{self.address[1]}"

    def numbers(self, at=-1):
        """One batch as {name: (value, timestamp)}."""
        lines = [line.split(" ") for line in self.batches[at].splitlines()]
        return {name: (float(value), int(stamp)) for name, value, stamp in lines}

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    connection.settimeout(20)
                    received = b""
                    while piece := connection.recv(65536):
                        received += piece
                    self.batches.append(received.decode())

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)


@contextlib.contextmanager
def carbon():
    """A running listener."""
    running = Carbon(socket.create_server(("127.0.0.1", 0)))
    try:
        yield running
    finally:
        running.stop()
