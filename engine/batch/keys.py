"""The keys in Redis that a pass rests on: looked at before anything is judged, so that nothing fails half-way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ridgeline.engine.batch.record import CENSUS
from ridgeline.engine.run.handoffs.batch_alerts import ALERTS
from ridgeline.engine.run.handoffs.batch_failing import PARKED, read_parked
from ridgeline.engine.run.handoffs.routing import QUEUE, WATERMARKS
from ridgeline.io.errors import InputError, RidgelineError, SourceUnavailable
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.batch.turn import Turn
    from ridgeline.engine.config.model import Config
    from ridgeline.io.redis.ledger import Question
    from ridgeline.io.redis.settings import RedisSettings

WRONG_TYPE: Final = "WRONGTYPE"  # how Redis says that a key is of another type


def redis_of(config: Config) -> RedisSettings:
    """The Redis that work comes from. Raises InputError where the source is none."""
    if config.source.kind != "redis":
        raise InputError("`batch` takes its work from Redis, and [source] is of another kind")
    settings: RedisSettings = config.source.settings
    return settings


def look_first(turn: Turn) -> None:
    """Say that the pass is at work, and look at the keys it will need. Raises StateError, SourceUnavailable."""
    from ridgeline.io.redis.ledger import Exact, Pick

    turn.stay_alive()
    questions: dict[str, Question] = {QUEUE: Exact(QUEUE, 1)}
    questions |= {key: Pick(key, ["-"]) for key in (WATERMARKS, ALERTS, CENSUS, PARKED, turn.events)}
    for key, question in questions.items():
        try:
            turn.ledger.ask(question)
        except StateError as error:
            if WRONG_TYPE not in str(error):
                raise
            where = turn.config.source.settings
            raise SourceUnavailable(
                f"the key {key} in Redis at {where} is of another type than Skyline's: rename it, or let it go"
            ) from error
    turn.failing = read_parked(turn.ledger)


@contextmanager
def plainly(settings: RedisSettings) -> Iterator[None]:
    """Within the block, let what keeps keys from being read or written end the command as what it is."""
    from redis.exceptions import RedisError

    from ridgeline.io.redis.explain import explain

    try:
        yield
    except StateError as error:
        cause = error.__cause__
        if isinstance(cause, RidgelineError):
            raise cause from error
        if isinstance(cause, RedisError | OSError):
            raise explain(cause, settings) from error
        raise
