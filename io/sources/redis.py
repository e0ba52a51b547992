"""Metrics from Redis, in the format of Skyline's listeners."""

from __future__ import annotations

from collections.abc import Sequence

from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.shard import Share
from ridgeline.io.source import Reading, Source, SourceKind


def _open(settings: RedisSettings, reading: Reading) -> Source:
    from ridgeline.io.redis.source import RedisSource

    names = _plain(reading.names)
    source = RedisSource(
        settings, reading.select, reading.left, reading.now, names=names, share=reading.share or Share()
    )
    if not reading.later:
        source.list()
    return source


def _plain(names: Sequence[str] | None) -> Sequence[str] | None:
    """Names whose keys are told by them alone: not those that stand for bytes which are no text, or for one of two keys."""
    return None if names is None or any("\\" in name or name.endswith("~") for name in names) else names


SOURCE = SourceKind("redis", "a Redis that Skyline's listeners write to", RedisSettings, _open)
