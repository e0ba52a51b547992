"""Connections to Redis that keep to a deadline: looking up, connecting, TLS, logging in, and every reply."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from redis import Connection

from ridgeline.io.net.address import look_up
from ridgeline.io.redis.address import Place
from ridgeline.io.redis.patience import Patience
from ridgeline.io.redis.reply import ReplyReader
from ridgeline.io.redis.wire import Wire

if TYPE_CHECKING:
    import ssl

CONNECT: Final = 2.0  # seconds for connecting to one address of a host


class TimeIsUpError(TimeoutError):
    """There is no time left to wait for an answer."""


class BoundedSocket:
    """Stands in for a socket where the library waits on one: no wait outlasts what `left` says, however bytes drip in.

    Its time-out is for one wait, as a socket's is.
    """

    def __init__(self, sock: socket.socket, left: Callable[[], float]) -> None:
        self._socket, self._left = sock, left
        self._pause = CONNECT
        self._armed: float | None = None

    def settimeout(self, pause: float) -> None:
        """Let each wait last `pause` seconds at most; 0: none at all."""
        self._pause = pause

    def gettimeout(self) -> float:
        """The seconds that one wait may last."""
        return self._pause

    def connect(self, address: Any) -> None:
        """Connect."""
        self._wait(self._socket.connect, address)

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Shake hands; the system bounds the whole handshake by the time-out."""
        wrapped = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self._socket, self._armed = wrapped, None
        self._wait(wrapped.do_handshake)

    def recv_into(self, buffer: Any) -> int:
        """Read what has come; 0 where the other side has closed."""
        received: int = self._wait(self._socket.recv_into, buffer)
        return received

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._wait(self._socket.send, rest) :]

    def shutdown(self, how: int) -> None:
        """Wake who waits."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Close."""
        self._socket.close()

    def _wait(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """What the operation returns, if it does so in time."""
        left = self._left()
        if left <= 0:
            raise TimeIsUpError
        allowed = min(self._pause, left)
        if allowed != self._armed:  # to set it costs a call of the system
            self._socket.settimeout(allowed)
            self._armed = allowed
        try:
            return operation(*arguments)
        except TimeoutError:
            if left < self._pause:
                raise TimeIsUpError from None
            raise


class BoundedConnection(Connection):
    """The library's connection to one place, over sockets that keep to `left`; `budget` seconds for becoming ready."""

    def __init__(
        self,
        place: Place,
        context: ssl.SSLContext | None,
        budget: float,
        left: Callable[[], float],
        socket_timeout: float,
        **options: Any,
    ) -> None:
        self._place, self._context, self._budget = place, context, budget
        self._pause, self._patience = socket_timeout, Patience(left)
        super().__init__(  # type: ignore[no-untyped-call] # the library leaves it so
            place.host, place.port, parser_class=ReplyReader, socket_timeout=socket_timeout, **options
        )

    @property
    def wire(self) -> Wire:
        """The bytes of the replies."""
        wire: Wire = self._parser.wire
        return wire

    def ask(self, framed: bytes) -> Wire:
        """Send commands as the protocol frames them; their replies are to be read from the wire, in this order."""
        send: Callable[..., None] = self.send_packed_command
        send([framed], check_health=False)
        return self.wire

    def drop(self) -> None:
        """Close the connection and forget what was under way; the next command opens it again."""
        disconnect: Callable[[], None] = self.disconnect
        disconnect()

    def repr_pieces(self) -> list[tuple[str, str]]:
        """What the library shows of it."""
        return [("place", self._place.shown)]

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the library's signature
        """Connect and log in. Who called tries again, not this: otherwise attempts multiply."""
        with self._patience.at_most(self._budget):
            super().connect_check_health(check_health=check_health, retry_socket_connect=False)
        # It is healthy now: no PING before all else.
        self.next_health_check = int(time.monotonic() + self.health_check_interval)

    def _connect(self) -> BoundedSocket:
        failure: OSError = OSError("the host has no address")
        for family, address in self._addresses():
            sock = BoundedSocket(socket.socket(family, socket.SOCK_STREAM), self._patience.left)
            try:
                sock.connect(address)
                sock.settimeout(self._pause)
                if self._context is not None:
                    sock.encrypt(self._context, self._place.host)
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def _addresses(self) -> list[tuple[int, Any]]:
        """Family and address of each way to the place."""
        if self._place.path is not None:
            return [(socket.AF_UNIX, self._place.path)]
        found = look_up(self._place.host, self._place.port, socket.SOCK_STREAM, min(CONNECT, self._patience.left()))
        return [(family, address) for family, _, _, _, address in found]

    def _host_error(self) -> str:
        return self._place.shown
