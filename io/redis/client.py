"""A connected Redis client whose every wait is bounded.

Every default of the library that matters is set here, because they differ between its major versions. TLS is always
verified. The network is retried; a refused password never is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from ridgeline.io.redis.patience import Patience
from ridgeline.io.redis.settings import RedisSettings

if TYPE_CHECKING:
    import redis


def connect(settings: RedisSettings | str, *, deadline: Callable[[], float] | None = None) -> redis.Redis:
    """A client that has answered; an address alone will do. `deadline` tells the seconds left, and ends every wait.

    Raises SourceUnavailable, AuthenticationFailed, or InputError for a bad address and for Redis Cluster.
    """
    from ridgeline.io.redis.explain import explained

    if isinstance(settings, str):
        settings = RedisSettings(settings)
    patience = Patience(deadline)
    client = _client(settings, patience.left)
    # The first answer has a budget of its own; once it is here, waits are bounded by each other's limits.
    with explained(settings), patience.at_most(settings.connect_budget):
        _await_answer(client)
    return client


def _await_answer(client: redis.Redis) -> None:
    """Return once the server answers as Redis does; the client is closed if it does not."""
    from redis.exceptions import InvalidResponse

    with contextlib.ExitStack() as failing:
        failing.callback(client.close)
        if client.ping() is not True:
            raise InvalidResponse("PING was not answered by PONG")
        failing.pop_all()


def _client(settings: RedisSettings, left: Callable[[], float]) -> redis.Redis:
    import redis

    from ridgeline.io.redis.connection import BoundedConnection
    from ridgeline.io.redis.retry import BoundedRetry

    place = settings.place()
    password = settings.password if settings.password is not None else place.password
    context = None
    if place.tls:
        from ridgeline.io.redis.tls import tls_context

        context = tls_context(settings)
    pool = redis.ConnectionPool(
        connection_class=BoundedConnection,
        place=place,
        context=context,
        budget=settings.connect_budget,
        left=left,
        db=place.database,
        username=settings.username if settings.username is not None else place.username,
        password=None if password is None else password.reveal(),
        socket_timeout=settings.timeout,
        retry=BoundedRetry(settings.retries, settings.connect_budget, left),
        health_check_interval=30,
        protocol=2,
        driver_info=None,
    )
    return redis.Redis.from_pool(pool)
