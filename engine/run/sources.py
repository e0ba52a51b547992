"""Opens the source that the configuration names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ridgeline.engine.config.model import Config
from ridgeline.engine.config.model import Source as SourceConfig
from ridgeline.io.source import Select, Source

if TYPE_CHECKING:
    from ridgeline.io.redis.settings import RedisSettings


@dataclass(frozen=True, slots=True)
class Opened:
    """A source ready to be read. `known(read)`: how many metrics it has, None if that is not known, with so many read.

    `close()` lets go of its connections.
    """

    source: Source
    known: Callable[[int], int | None]
    close: Callable[[], None]


def open_source(
    config: Config, select: Select | None, left: Callable[[], float], now: Callable[[], float] | None = None
) -> Opened:
    """Open and, for Redis, list the source, and compare its clock with `now`, unless that is None.

    Raises SourceUnavailable, AuthenticationFailed or InputError.
    """
    source = config.source
    if source.kind == "redis":
        from ridgeline.io.redis.source import RedisSource

        redis = RedisSource(redis_settings(source), select, left, now)
        redis.list()
        return Opened(redis, redis.known, redis.close)
    from ridgeline.io.parquet.source import ParquetSource

    parquet = ParquetSource(
        source.path,
        select=select,
        max_memory=config.run.max_memory,
        max_points=source.max_points,
        labels_from=source.labels_from,
        chunk_metrics=source.chunk_metrics,
        deadline=left,
    )

    def known(read: int) -> int | None:
        # The names are known from the first metric on; before that, asking would mean waiting for them.
        if not read:
            return None
        names = parquet.catalog().names
        return len(names) if select is None else int(select(names.to_pylist()).sum())

    return Opened(parquet, known, lambda: None)


def redis_settings(source: SourceConfig) -> RedisSettings:
    """Return the settings of the client."""
    from ridgeline.io.redis.settings import RedisSettings

    return RedisSettings(
        source.url,
        namespace=source.namespace,
        username=source.username,
        password=None if source.password is None else source.password.reveal(),
        ca_file=source.ca_file,
        cert_file=source.cert_file,
        key_file=source.key_file,
        connect_budget=source.connect_budget,
        timeout=source.timeout,
        max_points=source.max_points,
        chunk_keys=source.chunk_keys,
    )
