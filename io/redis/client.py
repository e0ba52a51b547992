"""A connected Redis client with bounded waits, and its errors as sentences.

Every default of the library that matters is set here, because they differ between its major versions. TLS is always
verified. The network is retried; a refused password never is.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from ridgeline.io.errors import AuthenticationFailed, InputError, RidgelineError, SourceUnavailable
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.text import escape, truncate

if TYPE_CHECKING:
    import redis

_LONGEST: Final = 200  # bytes of a server's own words that a message repeats


def connect(settings: RedisSettings | str, *, deadline: Callable[[], float] | None = None) -> redis.Redis:
    """A client that has answered; an address alone will do. `deadline` tells the seconds left, and ends retries.

    Raises SourceUnavailable, AuthenticationFailed, or InputError for a bad address and for Redis Cluster.
    """
    if isinstance(settings, str):
        settings = RedisSettings(settings)
    give_up = time.monotonic() + settings.budget

    def left() -> float:
        own = give_up - time.monotonic()
        return own if deadline is None else min(own, deadline())

    with explained(settings):
        # The first answer has a budget of its own; once it is here, waits are bounded by each other's limits.
        with _client(settings, left) as probe:
            probe.ping()
        return _client(settings, deadline)


def _client(settings: RedisSettings, left: Callable[[], float] | None) -> redis.Redis:
    import redis
    from redis.backoff import ExponentialWithJitterBackoff

    from ridgeline.io.redis.retry import AuthAwareRetry

    place = settings.place()
    kind: Any = redis.Connection
    arguments: dict[str, Any] = {
        "socket_timeout": settings.timeout if left is None else max(min(settings.timeout, left()), 0.01),
        "socket_connect_timeout": settings.connect_timeout,
        "retry": AuthAwareRetry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), settings.retries, left),
        "retry_on_error": [redis.exceptions.BusyLoadingError],
        "health_check_interval": 30,
        "protocol": 2,
        "driver_info": None,
        **place.arguments,
    }
    if settings.username is not None:
        arguments["username"] = settings.username
    if settings.password is not None:
        arguments["password"] = settings.password
    if "path" in arguments:
        kind = redis.UnixDomainSocketConnection
    else:
        arguments["socket_keepalive"] = True
        if place.tls:
            kind = redis.SSLConnection
            arguments |= _tls(settings)
            # The library's question after connecting stays here: its answer takes in the session tickets that follow a
            # handshake, which the pool would otherwise take for stray data and refuse the connection ("not ready").
            del arguments["driver_info"]
    return redis.Redis.from_pool(redis.ConnectionPool(connection_class=kind, **arguments))


def _tls(settings: RedisSettings) -> dict[str, Any]:
    for what, path in (("CA", settings.ca_file), ("certificate", settings.cert_file), ("key", settings.key_file)):
        if path is not None and not path.is_file():
            raise InputError(f"the {what} file for TLS, {escape(path)}, does not exist")
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": None if settings.ca_file is None else str(settings.ca_file),
        "ssl_certfile": None if settings.cert_file is None else str(settings.cert_file),
        "ssl_keyfile": None if settings.key_file is None else str(settings.key_file),
    }


@contextlib.contextmanager
def explained(settings: RedisSettings) -> Iterator[None]:
    """Turn the library's and the socket's errors within the block into ours."""
    import redis

    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise explain(error, settings) from error


def explain(error: Exception, settings: RedisSettings) -> RidgelineError:
    """Our error for one of the library's or the socket's: one sentence, which holds no secret."""
    from redis import exceptions as failed

    where, said = f"Redis at {settings}", _words(error, settings)
    sentences: list[tuple[bool, type[RidgelineError], str]] = [
        (
            isinstance(error, failed.NoPermissionError),
            AuthenticationFailed,
            f"{where} does not let this user do that ({said}); grant it in the user's ACL",
        ),
        (
            isinstance(
                error,
                failed.AuthenticationError | failed.AuthorizationError | failed.AuthenticationWrongNumberOfArgsError,
            ),
            AuthenticationFailed,
            f"{where} refused the user or the password ({said})",
        ),
        (
            isinstance(
                error, failed.ClusterError | failed.AskError | failed.ClusterCrossSlotError | failed.TryAgainError
            ),
            InputError,
            f"Redis Cluster is not supported; {where} is a node of one",
        ),
        (
            isinstance(error, failed.BusyLoadingError),
            SourceUnavailable,
            f"{where} is still loading its data; try again later",
        ),
        (
            isinstance(error, failed.TimeoutError | TimeoutError),
            SourceUnavailable,
            f"{where} did not answer within {settings.timeout:g} s",
        ),
        (
            isinstance(error, failed.InvalidResponse),
            SourceUnavailable,
            f"what answers at {settings} does not speak Redis' protocol",
        ),
        (isinstance(error, failed.ResponseError), SourceUnavailable, f"{where} answered with an error: {said}"),
        (True, SourceUnavailable, f"cannot reach {where}: {said}"),
    ]
    return next(kind(sentence) for applies, kind, sentence in sentences if applies)


def _words(error: Exception, settings: RedisSettings) -> str:
    """What the error says, shortened, escaped and without our password."""
    reason: BaseException | None = error
    while reason is not None and not isinstance(reason, OSError):  # the library wraps what the system said
        reason = reason.__cause__ or reason.__context__
    text = str(error)
    if isinstance(reason, OSError) and "ssl" in type(reason).__module__:
        text = f"TLS: {getattr(reason, 'verify_message', '') or getattr(reason, 'reason', '') or reason}"
    elif isinstance(reason, OSError) and reason.strerror:
        text = reason.strerror.lower()
    for secret in (settings.password, settings.place().arguments.get("password")):
        if secret:
            text = text.replace(secret, "********")
    return truncate(escape(text.rstrip(".")), _LONGEST)
