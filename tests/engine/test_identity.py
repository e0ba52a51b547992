"""Runs over one source keep each other out, however it is spelled; runs over different sources never do."""

import itertools

import pytest

from ridgeline.io.disk.lock import lock_path
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.secret import Secret
from ridgeline.io.sources.parquet import ParquetSettings

SENTINEL = "s3ntinel-w0rd"
# Each row: spellings of one source.
SAME = [
    [
        RedisSettings(),
        RedisSettings(url="redis://localhost"),
        RedisSettings(url="redis://127.0.0.1:6379"),
        RedisSettings(url="redis://LOCALHOST:6379/0"),
        RedisSettings(url="redis://localhost.:6379/?db=0"),
        RedisSettings(url=f"redis://user:{SENTINEL}@localhost/"),
        RedisSettings(username="other", password=Secret(SENTINEL), timeout=9.0),
    ],
    [RedisSettings(url="redis://localhost/1"), RedisSettings(url="redis://localhost?db=1")],
    [RedisSettings(url="redis://localhost:6380")],
    [RedisSettings(url="redis://redis.example"), RedisSettings(url="redis://REDIS.example.:6379/0")],
    [RedisSettings(namespace="other.")],
    [RedisSettings(namespace="")],
    [
        RedisSettings(url="unix:///run/redis.sock"),
        RedisSettings(url="unix:///run//redis.sock"),
        RedisSettings(url="unix:///run/x/../redis.sock"),
    ],
    [RedisSettings(url="unix:///run/redis.sock?db=1")],
    [
        ParquetSettings(path="/data/a"),
        ParquetSettings(path="/data/b/../a/"),
        ParquetSettings("/data/a", chunk_metrics=7),
    ],
    [ParquetSettings(path="/data/a/*.parquet")],
    [ParquetSettings(path=f"s3://KEYAKIA12:{SENTINEL}@bucket/data")],
    [ParquetSettings(path="s3://bucket/other")],
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: type(spellings[0]).__name__)
def test_spellings_of_one_source_have_one_identity(spellings):
    assert len({source.identity() for source in spellings}) == 1


def test_different_sources_have_different_locks(tmp_path):
    names = {row[0].identity() for row in SAME}
    assert len(names) == len(SAME)
    for one, other in itertools.combinations(names, 2):
        assert lock_path("run", one, tmp_path) != lock_path("run", other, tmp_path)


def test_a_link_is_what_it_points_to(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    one, other = (ParquetSettings(path=str(tmp_path / name)) for name in ("data", "link"))
    assert one.identity() == other.identity()


def test_an_identity_holds_no_secret():
    assert not [source for row in SAME for source in row if SENTINEL in source.identity()]
