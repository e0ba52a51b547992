"""A sign of life after every run that succeeds: one GET, to whoever raises the alarm when it does not come."""

from __future__ import annotations

import socket
import time
from typing import Final

from ridgeline.io.net.address import Endpoint, Resolve
from ridgeline.io.net.transport import Limits, TransportError, request
from ridgeline.io.secret import Secret

TIMEOUT: Final = 3.0  # seconds for all of it
LIMITS: Final = Limits(connect=2.0, read=TIMEOUT, total=TIMEOUT, body=1024)


def beat(url: Secret, seconds: float, lookup: Resolve = socket.getaddrinfo) -> None:
    """Ask for the address within so many seconds, `TIMEOUT` at most.

    Raises TransportError, which names the host alone, also where the answer is not 2xx; redirects are not followed.
    """
    endpoint = Endpoint.parse(url.reveal())
    deadline = time.monotonic() + min(seconds, TIMEOUT)
    status = request("GET", endpoint, deadline=deadline, limits=LIMITS, lookup=lookup).status
    if not 200 <= status <= 299:
        raise TransportError(f"{endpoint} answered {status}", retry=True)
