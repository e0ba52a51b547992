"""The order in which a source reads: that of names, another one at once, or another one from where time runs short."""

import itertools
import math
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server

from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.redis.waiting_line import ENOUGH, WaitingLine

NAMES = [f"m{number:02d}" for number in range(20)]


def backwards(names):
    return np.arange(len(names))[::-1]


def line():
    return WaitingLine(list(NAMES), [name.encode() for name in NAMES])


def pace(made, seconds, whole, step=2):
    """Read at so many seconds a metric, with `whole` seconds for all; the names in the order in which they were asked for."""
    asked = []
    for first in range(0, len(made), step):
        made.look_ahead(first, first, whole - seconds * first)
        asked += made.names[first : first + step]
    return asked


def test_at_once():
    made = line()
    made.arrange(backwards, at_once=True)
    assert made.names == NAMES[::-1]
    assert made.keys == [name.encode() for name in NAMES[::-1]]
    assert pace(made, 10.0, 1.0) == NAMES[::-1]


@pytest.mark.parametrize(
    ("seconds", "whole", "kept"),
    [
        (1.0, 20.0, 20),  # just enough
        (0.0, 20.0, 20),
        (1.0, 19.0, 2),  # seen with the second chunk
        (1.0, 10.0, 2),
        (0.01, 0.1, 2),
        (1.0, math.inf, 20),
    ],
)
def test_when_time_runs_short(seconds, whole, kept):
    made = line()
    made.arrange(backwards, at_once=False)
    asked = pace(made, seconds, whole)
    assert asked == [*NAMES[:kept], *NAMES[kept:][::-1]]
    assert made.keys == [name.encode() for name in made.names]


def test_the_first_moments_say_little():
    made = line()
    made.arrange(backwards, at_once=False)
    made.look_ahead(0, 0, 100.0)
    made.look_ahead(1, 1, 100.0 - 100 * ENOUGH + 0.001)
    assert made.names == NAMES, "at this pace all would take 99.9 s, and it is too early to say"
    made.look_ahead(1, 1, 100.0 - 100 * ENOUGH - 0.3)
    assert made.names != NAMES


def test_only_once_and_not_when_it_is_too_late():
    asked = []

    def order(names):
        asked.append(len(names))
        return backwards(names)

    made = line()
    made.arrange(order, at_once=False)
    made.look_ahead(0, 0, 10.0)
    made.look_ahead(2, 2, -1.0)
    assert asked == []
    for first in (4, 6, 8):
        made.look_ahead(first, first, 1.0)
    assert asked == [16]


def test_a_line_that_nobody_arranges_stays_as_it_is():
    assert pace(line(), 5.0, 10.0) == NAMES


def test_nobody_in_line():
    empty = WaitingLine([], [])
    empty.arrange(backwards, at_once=True)
    assert empty.names == []


@pytest.mark.parametrize("at_once", [True, False])
def test_redis_is_read_in_that_order_and_names_go_with_their_series(at_once):
    import msgpack

    with redis_server() as server:
        for number, name in enumerate(NAMES):
            server.client.set(f"metrics.{name}", msgpack.packb([1_700_000_000, float(number)]))
            server.client.sadd("metrics.unique_metrics", f"metrics.{name}")
        asked = itertools.count()  # time passes with each look at the clock, and never runs out
        left = lambda: max(50.0 - 3.0 * next(asked), 1.0)  # noqa: E731 - a clock for this test
        source = RedisSource(RedisSettings(server.url, chunk_keys=3), deadline=left, now=None)
        assert source.list() == NAMES
        source.arrange(backwards, at_once=at_once)
        read = [pair for chunk in source.chunks() for pair in zip(chunk.metrics.to_pylist(), chunk.values, strict=True)]
        assert [name for name, _ in read] == source.list()
        assert sorted(read) == [(name, float(number)) for number, name in enumerate(NAMES)]
        assert source.list() == NAMES[::-1] if at_once else source.list()[:3] == NAMES[:3]
        assert source.list() != NAMES
        source.close()


def test_files_are_read_as_they_lie(tmp_path):
    pq.write_table(pa.table({"metric": ["a"], "timestamp": [1_700_000_000], "value": [1.0]}), tmp_path / "a.parquet")
    source = ParquetSource(str(tmp_path / "a.parquet"))
    source.arrange(backwards, at_once=True)
    assert source.list() is None


def test_who_reads_an_open_line_waits_for_more():
    made = WaitingLine(["a"], [b"a"])
    made.open()
    found = []
    reader = threading.Thread(target=lambda: found.append(made.piece(0, 2, lambda: 60.0)))
    reader.start()
    made.add(["b", "c"], [b"b", b"c"])
    reader.join(60)
    assert found == [[b"a", b"b"]]
    assert made.piece(0, 3, lambda: 60.0) == [b"a", b"b", b"c"]


def test_the_last_ones_of_a_closed_line_are_fewer():
    made = WaitingLine(["a"], [b"a"])
    made.open()
    made.close()
    assert made.piece(0, 2, lambda: 60.0) == [b"a"]
    assert made.piece(1, 2, lambda: 60.0) == []


def test_nobody_waits_for_an_open_line_once_the_time_is_over():
    made = WaitingLine(["a"], [b"a"])
    made.open()
    assert made.piece(0, 2, lambda: 0.0) == []
    assert made.is_open


def test_an_open_line_keeps_its_order_however_slow_it_is():
    made = line()
    made.arrange(backwards, at_once=False)
    made.open()
    assert pace(made, 1.0, 10.0) == NAMES
    made.close()
    assert pace(made, 1.0, 10.0) != NAMES
