"""Values that are asked for while those before them come: the same rows, whatever becomes of a reply."""

from __future__ import annotations

import random

import msgpack
import pytest
from rigs.redis import redis_server

from ridgeline.io.redis import source as redis_source
from ridgeline.io.redis.block import Block
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.redis.values import ValueReader

T0 = 1_700_000_000


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


def value(points: int) -> bytes:
    return b"".join(msgpack.packb([T0 + 60 * i, float(i)]) for i in range(points))


def store(server, sizes: dict[str, int]) -> None:
    server.client.flushall()
    for name, points in sizes.items():
        server.client.set(f"metrics.{name}", value(points))
        server.client.sadd("metrics.unique_metrics", f"metrics.{name}")


def lengths(source: RedisSource) -> dict[str, int]:
    found: dict[str, int] = {}
    for matrix in source.chunks():
        found |= dict(zip(matrix.metrics.to_pylist(), (matrix.offsets[1:] - matrix.offsets[:-1]).tolist(), strict=True))
    source.close()
    return found


@pytest.mark.parametrize("chunk", [1, 3, 10, 1000])
def test_chunks_of_any_size_are_read_in_order(server, chunk):
    """Long series before short ones, and between them."""
    draw = random.Random(7)
    sizes = {f"m{i:03}": draw.choice((0, 1, 10, 1440)) for i in range(80)}
    sizes |= {f"n{i:03}": 1440 for i in range(40)} | {f"o{i:03}": 1 for i in range(40)}
    store(server, sizes)
    assert lengths(RedisSource(RedisSettings(server.url, chunk_keys=chunk))) == sizes


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_a_refused_value_costs_none_that_was_asked_for_ahead(server, monkeypatch, chunk):
    monkeypatch.setattr(redis_source, "ALWAYS_READ", 640)
    sizes = {f"m{i}": 100 if i % 3 == 1 else i for i in range(12)}
    store(server, sizes)
    found = lengths(RedisSource(RedisSettings(server.url, max_points=10, chunk_keys=chunk)))
    assert found == {name: 0 if points == 100 else min(points, 10) for name, points in sizes.items()}


def test_long_keys_are_not_asked_for_ahead(server, monkeypatch):
    sizes = {f"{i:02}{'x' * 5000}": i for i in range(20)}
    store(server, sizes)
    asked: list[tuple[int, int]] = []
    ask = ValueReader._ask

    def note(self, keys, following):
        connection = ask(self, keys, following)
        asked.append((self._asked, self._done + len(keys)))
        return connection

    monkeypatch.setattr(ValueReader, "_ask", note)
    for chunk, ahead in ((2, 2), (10, 0)):
        asked.clear()
        assert lengths(RedisSource(RedisSettings(server.url, chunk_keys=chunk))) == sizes
        assert {up_to - end for up_to, end in asked[:-1]} == {ahead}
        assert asked[-1][0] == asked[-1][1]


def test_a_connection_is_not_given_back_while_replies_are_on_their_way(server):
    store(server, {"a": 3, "b": 400})
    client = connect(server.url)
    reader = ValueReader(client, lambda first: Block(first, 1 << 20))
    assert list(reader.read(0, [b"metrics.a"], [b"metrics.b"])) == []
    assert len(reader.rest()) == 1
    reader.close()
    assert [client.strlen("metrics.a"), client.get("metrics.a")] == [len(value(3)), value(3)]
    client.close()
