"""Many commands over one connection, a few round trips in all: framed beforehand, answered one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    import redis

    from ridgeline.io.redis.connection import BoundedConnection

ROUND: Final = 1 << 20  # bytes of a round trip, about
MOST: Final = 1000  # commands of one
NO_KEY: Final = "no such key"  # what RENAME says where there is nothing to rename

Send = Callable[[Iterable[bytes]], list[ResponseError]]


@contextmanager
def line(client: redis.Redis, at_once: int = ROUND) -> Iterator[Send]:
    """A function that sends framed commands, about `at_once` bytes to a round trip, and returns what the server refused.

    Raises redis.RedisError or OSError where the connection is lost; it is given up then, whatever was under way.
    """
    connection = cast("BoundedConnection", client.connection_pool.get_connection())
    try:
        yield partial(_converse, connection, at_once)
    except BaseException:
        connection.drop()
        raise
    finally:
        client.connection_pool.release(connection)


def _converse(connection: BoundedConnection, at_once: int, commands: Iterable[bytes]) -> list[ResponseError]:
    send: Callable[[list[bytes]], None] = connection.send_packed_command
    refused: list[ResponseError] = []
    for some in _rounds(commands, at_once):
        send([b"".join(some)])
        for _ in some:
            refused += _refusals(connection)
    return refused


def _rounds(commands: Iterable[bytes], at_once: int) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for command in commands:
        some.append(command)
        size += len(command)
        if size >= at_once or len(some) == MOST:
            yield some
            some, size = [], 0
    if some:
        yield some


def _refusals(connection: BoundedConnection) -> list[ResponseError]:
    """The errors in the next reply: itself, or those of the commands of a transaction."""
    read: Callable[[], Any] = connection.read_response
    try:
        reply = read()
    except ResponseError as error:
        reply = error
    found = reply if isinstance(reply, list) else [reply]
    return [one for one in found if isinstance(one, ResponseError) and str(one) != NO_KEY]
