"""Runs over one source keep each other out, however it is spelled; runs over different sources never do."""

import itertools

import pytest

from ridgeline.alerters import Secret
from ridgeline.engine.config.model import Source
from ridgeline.engine.run.identity import identity
from ridgeline.io.disk.lock import lock_path

SENTINEL = "s3ntinel-w0rd"
# Each row: spellings of one source.
SAME = [
    [
        Source(),
        Source(url="redis://localhost"),
        Source(url="redis://127.0.0.1:6379"),
        Source(url="redis://LOCALHOST:6379/0"),
        Source(url="redis://localhost.:6379/?db=0"),
        Source(url=f"redis://user:{SENTINEL}@localhost/"),
        Source(username="other", password=Secret(SENTINEL), timeout=9.0),
    ],
    [Source(url="redis://localhost/1"), Source(url="redis://localhost?db=1")],
    [Source(url="redis://localhost:6380")],
    [Source(url="redis://redis.example"), Source(url="redis://REDIS.example.:6379/0")],
    [Source(namespace="other.")],
    [Source(namespace="")],
    [
        Source(url="unix:///run/redis.sock"),
        Source(url="unix:///run//redis.sock"),
        Source(url="unix:///run/x/../redis.sock"),
    ],
    [Source(url="unix:///run/redis.sock?db=1")],
    [
        Source(kind="parquet", path="/data/a"),
        Source(kind="parquet", path="/data/b/../a/"),
        Source(kind="parquet", path="/data/a", url="redis://x"),
    ],
    [Source(kind="parquet", path="/data/a/*.parquet")],
    [Source(kind="parquet", path=f"s3://KEYAKIA12:{SENTINEL}@bucket/data")],
    [Source(kind="parquet", path="s3://bucket/other")],
]


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0].url + spellings[0].path)
def test_spellings_of_one_source_have_one_identity(spellings):
    assert len({identity(source) for source in spellings}) == 1


def test_different_sources_have_different_locks(tmp_path):
    names = {identity(row[0]) for row in SAME}
    assert len(names) == len(SAME)
    for one, other in itertools.combinations(names, 2):
        assert lock_path("run", one, tmp_path) != lock_path("run", other, tmp_path)


def test_a_link_is_what_it_points_to(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    one, other = (Source(kind="parquet", path=str(tmp_path / name)) for name in ("data", "link"))
    assert identity(one) == identity(other)


def test_an_identity_holds_no_secret():
    assert not [source for row in SAME for source in row if SENTINEL in identity(source)]
