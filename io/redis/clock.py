"""How far Redis' clock is from ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

if TYPE_CHECKING:
    import redis


def clock_skew(client: redis.Redis, now: Callable[[], float]) -> float | None:
    """The seconds that Redis' clock is ahead of `now` at least, negative where it is behind; None where it does not tell.

    It read its clock between our question and its answer: of the differences that fit, the one nearest to 0. Users who
    may not ask (TIME) are not told. Raises redis.RedisError.
    """
    client.set_response_callback("TIME", _seconds)
    ask: Callable[..., float | None] = client.execute_command
    asked = now()
    try:
        theirs = ask("TIME")
    except ResponseError:
        return None
    return None if theirs is None else max(theirs - now(), min(theirs - asked, 0.0))


def _seconds(reply: Any, **_: Any) -> float | None:
    """Seconds since the epoch, from an answer to TIME; None from an answer of another kind."""
    if (
        isinstance(reply, list)
        and len(reply) == 2
        and all(isinstance(part, bytes) and part.isdigit() for part in reply)
    ):
        return int(reply[0][:15]) + int(reply[1][:15]) / 1e6
    return None
