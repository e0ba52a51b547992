"""Metrics from Redis, in the format of Skyline's listeners."""

from __future__ import annotations

from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.source import Reading, Source, SourceKind


def _open(settings: RedisSettings, reading: Reading) -> Source:
    from ridgeline.io.redis.source import RedisSource

    source = RedisSource(settings, reading.select, reading.left, reading.now)
    source.list()
    return source


SOURCE = SourceKind("redis", "a Redis that Skyline's listeners write to", RedisSettings, _open)
