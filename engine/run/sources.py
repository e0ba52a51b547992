"""Opens the source that the configuration names, and the state that goes with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ridgeline.engine.config.model import Config
from ridgeline.engine.config.model import Source as SourceConfig
from ridgeline.io.disk.lock import state_folder
from ridgeline.io.errors import RidgelineError
from ridgeline.io.source import Source
from ridgeline.io.state.interface import State, StateError, open_state

if TYPE_CHECKING:
    from ridgeline.io.redis.settings import RedisSettings

Match = Callable[[str], bool] | None
STATE_TIMEOUT: Final = 2.0  # seconds; state that answers slowly must not eat up the time for alerts
STATE_FILE: Final = "state.db"


@dataclass(frozen=True, slots=True)
class Opened:
    """A source ready to be read. `known(read)`: how many metrics it has, None if that is not known, with so many read.

    `close()` lets go of its connections.
    """

    source: Source
    known: Callable[[int], int | None]
    close: Callable[[], None]


def identity(config: SourceConfig) -> str:
    """Return what names the source, without secrets: the same for runs that would read the same metrics."""
    if config.kind == "parquet":
        return f"parquet {Path(config.path).resolve() if '://' not in config.path else config.path}"
    return f"{redis_settings(config)} {config.namespace}"


def open_source(config: Config, match: Match, left: Callable[[], float]) -> Opened:
    """Open and, for Redis, list the source. Raises SourceUnavailable, AuthenticationFailed or InputError."""
    source = config.source
    if source.kind == "redis":
        from ridgeline.io.redis.source import RedisSource

        redis = RedisSource(
            redis_settings(source), source.namespace, match, source.chunk_keys, source.max_points, deadline=left
        )
        count = len(redis.list())
        return Opened(redis, lambda _: count, redis.client.close)
    from ridgeline.io.parquet.source import ParquetSource

    parquet = ParquetSource(
        source.path, match=match, max_memory=config.run.max_memory, chunk_metrics=source.chunk_metrics
    )

    def known(read: int) -> int | None:
        # The names are known from the first metric on; before that, asking would mean waiting for them.
        if not read:
            return None
        names = parquet.catalog().names
        return len(names) if match is None else sum(map(match, names.to_pylist()))

    return Opened(parquet, known, lambda: None)


def redis_settings(source: SourceConfig) -> RedisSettings:
    """Return the settings of the client."""
    from ridgeline.io.redis.settings import RedisSettings

    return RedisSettings(
        source.url,
        username=source.username,
        password=None if source.password is None else source.password.reveal(),
        ca_file=source.ca_file,
        cert_file=source.cert_file,
        key_file=source.key_file,
        timeout=source.timeout,
        connect_timeout=min(2.0, source.connect_budget),
        budget=source.connect_budget,
    )


@contextlib.contextmanager
def open_run_state(config: Config) -> Iterator[State]:
    """The state for a `with` block: in Redis with a Redis source, unless `output.state` names a file.

    State that cannot be reached is no reason to keep an alert back: it fails at each use, which delivery allows for.
    """
    if config.source.kind == "redis" and config.output.state is None:
        from ridgeline.io.redis.client import connect

        settings = redis_settings(config.source)
        brisk = replace(settings, timeout=min(settings.timeout, STATE_TIMEOUT), retries=1, budget=STATE_TIMEOUT)
        try:
            client = connect(brisk)
        except RidgelineError as error:
            yield Unreachable(str(error))
            return
        with contextlib.closing(client):
            yield open_state(client, Path(os.devnull))
    else:
        with contextlib.closing(open_state(None, _state_file(config))) as state:
            yield state


@dataclass(frozen=True, slots=True)
class Unreachable:
    """State that could not be opened, for `reason`."""

    reason: str

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> NoReturn:  # noqa: ARG002 - the interface of State
        """Fail."""
        raise StateError(self.reason)

    def record_alert(self, strategy: str, metric: str, timestamp: int, expiration: int) -> NoReturn:  # noqa: ARG002
        """Fail."""
        raise StateError(self.reason)

    def get(self, key: str) -> NoReturn:  # noqa: ARG002 - the interface of State
        """Fail."""
        raise StateError(self.reason)

    def set(self, key: str, value: Any, ttl: int) -> NoReturn:  # noqa: ARG002 - the interface of State
        """Fail."""
        raise StateError(self.reason)

    def close(self) -> None:
        """Nothing was opened."""


def _state_file(config: Config) -> Path:
    if config.output.state is not None:
        return config.output.state
    return (config.output.directory or state_folder()) / STATE_FILE
