"""Columns are used again once nobody looks at them, and never before."""

from __future__ import annotations

import gc
import weakref

import msgpack
import numpy as np
import pyarrow as pa
from rigs.redis import redis_server

from ridgeline.io.redis import block as redis_block
from ridgeline.io.redis import rooms as redis_rooms
from ridgeline.io.redis.prefetch import Rooms
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource

T0 = 1_700_000_000


def test_a_pair_is_free_once_no_view_of_it_is_left():
    rooms = Rooms()
    first = rooms.take(8)
    places = {id(column) for column in first}
    part = first[1][2:4].view(np.float64)
    del first
    second = rooms.take(8)
    assert not places & {id(column) for column in second}
    buffer = pa.py_buffer(part)
    del part
    third = rooms.take(8)
    assert not places & {id(column) for column in third}
    del buffer
    assert {id(column) for column in rooms.take(8)} == places
    del second, third
    again = [tuple(map(id, rooms.take(8))) for _ in range(5)]  # each let go before the next
    assert len(set(again)) == 1


def test_those_of_another_size_are_left_alone():
    rooms = Rooms()
    assert [len(rooms.take(points)[0]) for points in (8, 3, 8, 3)] == [8, 3, 8, 3]


def test_series_that_somebody_keeps_stay_as_they_are(monkeypatch):
    """Some blocks kept, in part or as a whole, while others are let go and their memory is filled again."""
    monkeypatch.setattr(redis_block, "POINTS", 400)
    with redis_server() as server:
        for i in range(200):
            points = [(T0 + 60 * k, float(1000 * i + k)) for k in range(40)]
            server.client.set(f"metrics.m{i:03}", b"".join(map(msgpack.packb, points)))
            server.client.sadd("metrics.unique_metrics", f"metrics.m{i:03}")
        kept, seen = [], set()
        for number, matrix in enumerate(RedisSource(RedisSettings(server.url, chunk_keys=5)).chunks()):
            seen.add(matrix.values.ctypes.data)
            if number % 3 == 0:
                kept.append(matrix.slice(1, 2))
        assert len(kept) == 7
        assert len(seen) < 20  # of 20 blocks
        for number, part in enumerate(kept):
            row = 30 * number + 1
            begin, end = part.offsets.tolist()
            assert part.metrics.to_pylist() == [f"m{row:03}"]
            assert part.values[begin:end].tolist() == [float(1000 * row + k) for k in range(40)]


def test_columns_are_gone_with_who_has_read(monkeypatch):
    """Also where nobody looks for garbage: a warm process would hold those of many runs."""
    made = []
    fresh = redis_rooms.fresh

    def noted(points):
        pair = fresh(points)
        made.extend(weakref.ref(column) for column in pair)
        return pair

    monkeypatch.setattr(redis_rooms, "fresh", noted)
    with redis_server() as server:
        server.client.set("metrics.a", b"".join(msgpack.packb((T0 + 60 * k, 1.0)) for k in range(40)))
        server.client.sadd("metrics.unique_metrics", "metrics.a")
        gc.disable()
        try:
            source = RedisSource(RedisSettings(server.url))
            assert [len(matrix) for matrix in source.chunks()] == [1]
            source.close()
            assert made
            assert [ref for ref in made if ref() is not None] == []
        finally:
            gc.enable()
