"""Numbers to carbon by its plaintext protocol: one connection and one batch a run, and no longer than a moment."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Final

from ridgeline.io.net.address import Resolve
from ridgeline.io.net.transport import Limits, broken, open_stream

TIMEOUT: Final = 3.0  # seconds for all of it
CONNECT: Final = 2.0
LINGER: Final = 0.2  # seconds for carbon to take the last line in


def batch(prefix: str, numbers: Mapping[str, float], now: int) -> bytes:
    r"""The lines that carbon reads, all with the timestamp `now`, epoch seconds.

    >>> batch("skyline.analyzer", {"run_time": 0.52, "total_metrics": 64}, 1700000120)
    b'skyline.analyzer.run_time 0.52 1700000120\nskyline.analyzer.total_metrics 64 1700000120\n'
    """
    return "".join(f"{prefix}.{name} {number} {now}\n" for name, number in numbers.items()).encode()


def send(address: tuple[str, int], data: bytes, seconds: float, lookup: Resolve = socket.getaddrinfo) -> None:
    """Send a batch within so many seconds, `TIMEOUT` at most. Raises TransportError."""
    host, port = address
    end = time.monotonic() + min(seconds, TIMEOUT)
    try:
        with open_stream(
            host, port, end, Limits(connect=CONNECT, read=TIMEOUT, total=TIMEOUT), lookup=lookup
        ) as carbon:
            carbon.sendall(data)
            carbon.finish(LINGER)
    except OSError as error:
        raise broken(f"Graphite at {host}:{port}", error) from error
