"""RedisSource reads what Skyline's listeners write, in order, whatever else lies under the keys."""

from __future__ import annotations

import dataclasses
import math
import resource
import struct
import time

import msgpack
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.redis import redis_server

from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.reasons import ROW_REASONS
from ridgeline.io.redis import block as redis_block
from ridgeline.io.redis import source as redis_source
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.embedded import find_server
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource, base_names
from ridgeline.io.secret import Secret
from ridgeline.io.shard import Share
from ridgeline.io.source import Source

T0 = 1_700_000_000


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(request):
    if "server" in request.fixturenames:
        request.getfixturevalue("server").client.flushall()


def pair(timestamp, value) -> bytes:
    return msgpack.packb([timestamp, value])


def store(server, values: dict[str | bytes, bytes], namespace: bytes = b"metrics.") -> None:
    for name, value in values.items():
        key = namespace + (name if isinstance(name, bytes) else name.encode())
        if value is not None:
            server.client.set(key, value)
        server.client.sadd(namespace + b"unique_metrics", key)


def rows(source: RedisSource) -> dict[str, tuple[str, list[tuple[int, float]]]]:
    """metric -> (reason, points)."""
    found = {}
    for matrix in source.chunks():
        for i, name in enumerate(matrix.metrics.to_pylist()):
            piece = slice(matrix.offsets[i], matrix.offsets[i + 1])
            points = list(zip(matrix.timestamps[piece].tolist(), matrix.values[piece].tolist(), strict=True))
            assert name not in found
            found[name] = (ROW_REASONS[matrix.reasons[i]], points)
    return found


def repairs(source: RedisSource) -> dict[str, int]:
    total: dict[str, int] = {}
    for matrix in source.chunks():
        for reason, count in matrix.repairs.items():
            total[reason] = total.get(reason, 0) + count
    return total


def test_is_a_source(server):
    source: Source = RedisSource(RedisSettings(server.url))
    assert source.newest() is None
    assert source.list() == []
    assert list(source.chunks()) == []


def test_reads_a_fleet_in_order_whatever_the_chunk(server):
    random = np.random.default_rng(1)
    fleet = {f"web{i:03}.cpu": random.normal(size=random.integers(1, 400)) for i in range(257)}
    store(server, {n: b"".join(pair(T0 + 60 * i, float(x)) for i, x in enumerate(v)) for n, v in fleet.items()})
    expected = {n: ("", [(T0 + 60 * i, x) for i, x in enumerate(v.tolist())]) for n, v in fleet.items()}
    for chunk in (1, 7, 100, 1000):
        source = RedisSource(RedisSettings(server.url, chunk_keys=chunk))
        found = rows(source)
        assert found == expected
        assert list(found) == source.list() == sorted(fleet)
        assert source.delivered == 257
        assert source.seconds["load"] > 0
        assert source.seconds["decode"] > 0


def test_both_layouts_and_mixed_numbers(server):
    nineteen = b"".join(
        b"\x92\xcb" + struct.pack(">d", T0 + 60 * i + 0.5) + b"\xcb" + struct.pack(">d", i) for i in range(300)
    )
    mixed = pair(T0, 5) + pair(T0 + 60.9, 1.5) + msgpack.packb([T0 + 120, 2**60, "extra"]) + pair(T0 + 180, -7)
    store(server, {"nineteen": nineteen, "mixed": mixed})
    found = rows(RedisSource(RedisSettings(server.url)))
    assert found["nineteen"] == ("", [(T0 + 60 * i, float(i)) for i in range(300)])
    assert found["mixed"] == ("", [(T0, 5.0), (T0 + 60, 1.5), (T0 + 120, 2.0**60), (T0 + 180, -7.0)])


def test_each_way_to_have_no_points_has_its_reason(server):
    store(
        server,
        {
            "gone": None, "empty": b"", "junk": b"\xc1junk", "cut": pair(T0, 1.0)[:-1], "nulls": pair(T0, None) * 3,
            "old": pair(5, 1.0), "nan": pair(T0, math.nan), "text": b"hello world", "good": pair(T0, 1.0),
        },
    )  # fmt: skip
    server.client.rpush("metrics.list", 1)
    server.client.sadd("metrics.unique_metrics", "metrics.list")
    found = rows(RedisSource(RedisSettings(server.url, chunk_keys=3)))
    assert {name: reason for name, (reason, _) in found.items()} == {
        "gone": "no_key", "list": "wrong_type", "empty": "", "junk": "malformed", "cut": "malformed",
        "nulls": "no_usable_points", "old": "no_usable_points", "nan": "no_usable_points", "text": "malformed", "good": "",
    }  # fmt: skip
    assert [name for name, (_, points) in found.items() if points] == ["good"]


def test_repairs_are_counted_in_points(server):
    good = pair(T0 + 60, 1.0)
    store(
        server,
        {
            "a": good + pair(T0 + 120, None) + pair(T0 + 180, "x") + pair(T0 + 240, True) + good[:5],
            "b": pair(T0 + 120, 2.0) + good + good + pair(2**60, 1.0) + pair(T0, math.inf) + b"\x81\x01\x02",
        },
    )
    assert repairs(RedisSource(RedisSettings(server.url))) == {
        "null": 1, "non_numeric": 2, "truncated": 1, "bad_timestamp": 1, "non_finite": 1, "malformed": 1,
        "reordered": 1, "duplicate_timestamp": 1,
    }  # fmt: skip


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize("ticks", [1, 10**3, 10**6, 10**9])
def test_timestamps_are_judged_by_magnitude_as_those_of_tables_are(server, ticks, kind):
    stamps = [kind((T0 + 60 * i) * ticks + ticks // 4) for i in range(200)]
    values = [float(i) for i in range(200)]
    odd = [*stamps[:100], kind(7), kind(2**62), *stamps[100:199], stamps[50]]  # two of no time at all, and one late
    store(
        server,
        {
            "good": b"".join(map(pair, stamps, values)),
            "odd": b"".join(map(pair, odd, [*values, 200.0, 201.0])),
            "lost": pair(kind(2**62), 1.0),
        },
    )
    table = pa.table({
        "metric": ["good"] * 200 + ["lost"] + ["odd"] * 202,
        "timestamp": [*stamps, kind(2**62), *odd],
        "value": [*values, 1.0, *values, 200.0, 201.0],
    })  # fmt: skip
    (found,) = RedisSource(RedisSettings(server.url)).chunks()
    expected = MetricMatrix.from_table(table)
    assert found.batch.equals(expected.batch)
    assert found.reasons.tolist() == expected.reasons.tolist()
    assert (
        dict(found.repairs) == dict(expected.repairs) == {"bad_timestamp": 3, "reordered": 1, "duplicate_timestamp": 1}
    )
    assert rows(RedisSource(RedisSettings(server.url)))["good"] == (
        "",
        [(T0 + 60 * i, x) for i, x in enumerate(values)],
    )


def test_of_long_series_the_newest_points_are_kept(server):
    points = [pair(T0 + 60 * i, float(i)) for i in range(50)]
    store(server, {"long": b"".join(points[25:] + points[:25]), "short": points[0]})
    source = RedisSource(RedisSettings(server.url, max_points=10))
    assert rows(source)["long"] == ("", [(T0 + 60 * i, float(i)) for i in range(40, 50)])
    assert repairs(source)["beyond_max_points"] == 40


def test_a_value_beyond_the_limit_is_refused_and_the_others_are_read(server, monkeypatch):
    monkeypatch.setattr(redis_source, "ALWAYS_READ", 640)
    store(server, {"a": pair(T0, 1.0), "b": b"x" * 5000, "c": pair(T0, 3.0), "d": b"x" * 700, "e": pair(T0, 5.0)})
    found = rows(RedisSource(RedisSettings(server.url, max_points=10)))  # 64 bytes a point
    assert {name: reason for name, (reason, _) in found.items()} == {
        "a": "", "b": "too_long", "c": "", "d": "too_long", "e": "",
    }  # fmt: skip
    assert [found[name][1] for name in "ace"] == [[(T0, 1.0)], [(T0, 3.0)], [(T0, 5.0)]]


def test_blocks_end_where_their_columns_are_full(server, monkeypatch):
    monkeypatch.setattr(redis_block, "POINTS", 1000)
    fleet = {f"m{i:02}": b"".join(pair(T0 + 60 * k, float(i)) for k in range(40 * i)) for i in range(40)}
    store(server, fleet)
    for chunk in (1, 7, 100):
        source = RedisSource(RedisSettings(server.url, chunk_keys=chunk))
        matrices = list(source.chunks())
        assert len(matrices) > 10
        assert sum(len(matrix) for matrix in matrices) == source.delivered == 40
        assert source.bytes_read == sum(map(len, fleet.values()))
    found = rows(RedisSource(RedisSettings(server.url, chunk_keys=100)))
    assert {name: points for name, (_, points) in found.items()} == {
        f"m{i:02}": [(T0 + 60 * k, float(i)) for k in range(40 * i)] for i in range(40)
    }


@pytest.mark.parametrize("most", [1, 3, 10])
def test_the_size_of_blocks_changes_no_row(server, monkeypatch, most):
    fleet = {f"m{i:02}": pair(T0 + 60, float(i)) * (i % 3) + pair(T0, 1.0) * (i % 2) for i in range(23)}
    store(server, {**fleet, "gone": None, "junk": b"\xc1", "none": b""})
    server.client.rpush("metrics.list", 1)
    server.client.sadd("metrics.unique_metrics", "metrics.list")
    expected = rows(RedisSource(RedisSettings(server.url)))
    monkeypatch.setattr(redis_block, "ROWS", most)
    for chunk in (1, 4, 100):
        source = RedisSource(RedisSettings(server.url, chunk_keys=chunk))
        assert rows(source) == expected
        assert [len(matrix) for matrix in source.chunks()] == [most] * (27 // most) + [27 % most] * (27 % most > 0)


def test_blocks_that_were_handed_over_are_written_to_no_more(server, monkeypatch):
    monkeypatch.setattr(redis_block, "ROWS", 10)
    store(server, {f"m{i:02}": pair(T0, float(i)) for i in range(45)})
    held = list(RedisSource(RedisSettings(server.url, chunk_keys=7)).chunks())
    assert len(held) == 5
    assert np.concatenate([matrix.values for matrix in held]).tolist() == list(range(45))


def test_match_and_namespace(server):
    store(server, {"a.cpu": pair(T0, 1.0), "b.mem": pair(T0, 2.0)}, b"mini.")
    source = RedisSource(
        RedisSettings(server.url, "mini."), select=lambda names: np.array([name.startswith("a") for name in names])
    )
    assert rows(source) == {"a.cpu": ("", [(T0, 1.0)])}


def test_names_are_any_bytes(server):
    hostile = [
        b"new\nline",
        b"nul\0",
        b"\xff\xfe",
        b"a/../b",
        "\u00fc\u202e".encode(),
        b"x" * 10_000,
        b"",
        b"-rf",
        b"%s{}",
    ]
    store(server, {name: pair(T0, 1.0) for name in hostile})
    found = rows(RedisSource(RedisSettings(server.url)))
    assert all(found[name.decode("utf-8", "backslashreplace")] == ("", [(T0, 1.0)]) for name in hostile)
    assert len(found) == len(hostile)


@given(st.lists(st.binary(max_size=6) | st.binary(max_size=4).map(lambda b: b"m." + b), unique=True))
@examples(40)
def test_base_names_are_distinct_and_can_be_shown(keys):
    names, chosen = base_names(sorted(keys), b"m.", None, Share())
    assert len(set(names)) == len(keys) == len(chosen)
    assert all(name.encode() is not None for name in names)


def test_the_deadline_ends_the_chunks(server, monkeypatch):
    monkeypatch.setattr(redis_block, "ROWS", 5)
    store(server, {f"m{i}": pair(T0, 1.0) for i in range(50)})
    left = [1.0]
    source = RedisSource(RedisSettings(server.url, chunk_keys=5), deadline=lambda: left[0])
    seen = 0
    for matrix in source.chunks():
        seen += len(matrix)
        left[0] = 0.0
    assert seen == source.delivered < 50


def test_an_abandoned_source_leaves_no_thread_and_a_usable_server(server, monkeypatch):
    import threading

    monkeypatch.setattr(redis_block, "ROWS", 10)

    store(server, {f"m{i}": pair(T0, 1.0) * 2000 for i in range(300)})
    before = threading.active_count()
    chunks = RedisSource(RedisSettings(server.url, chunk_keys=10)).chunks()
    next(chunks)
    chunks.close()
    assert threading.active_count() == before
    assert len(rows(RedisSource(RedisSettings(server.url)))) == 300


def test_memory_is_that_of_a_few_blocks(server):
    value = b"".join(pair(T0 + 60 * i, float(i)) for i in range(5000))
    store(server, {f"m{i:04}": value for i in range(1000)})  # 75 MB stored, 80 MB decoded
    source = RedisSource(RedisSettings(server.url, chunk_keys=20))
    next(iter(source.chunks()))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(len(matrix.values) for matrix in source.chunks()) == 1000 * 5000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 45_000  # kilobytes


def test_the_embedded_server_is_gone_after_the_block():
    from ridgeline.io.redis.embedded import embedded_redis

    seen = []

    def use() -> None:
        with embedded_redis() as running:
            seen.append(running)
            assert connect(running.url).ping()
            assert str(find_server()) in running.description
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    running = seen[0]
    assert not running.folder.exists()
    deadline = time.monotonic() + 60
    while is_alive(running.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_alive(running.pid)


def is_alive(pid: int) -> bool:
    import os

    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    "url",
    [
        "", "http://h", "redis://u:hunter2@h:99999", "redis://h:x", "redis://h:0", "redis://h/one", "unix://h/p", "unix://",
        "rediss://u:hunter2@h/0?ssl_cert_reqs=none", "redis://:hunter2@h#x", "redis://h/²",
    ],
)  # fmt: skip
def test_wrong_addresses_are_refused_without_being_repeated(url):
    with pytest.raises(InputError) as failure:
        RedisSettings(url).place()
    assert "hunter2" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_settings_show_no_secret():
    settings = RedisSettings("redis://bob:hunter2@[::1]:6380/3", password=Secret("hunter3"))
    assert str(settings) == "redis://[::1]:6380/3"
    assert "hunter" not in repr(settings) + repr(settings.place()) + str(settings)
    place = settings.place()
    assert (place.host, place.port, place.database, place.username) == ("::1", 6380, 3, "bob")
    assert place.password == Secret("hunter2")
    assert dataclasses.replace(settings, url="unix://u:p@/run/r.sock?db=2").place().path == "/run/r.sock"
