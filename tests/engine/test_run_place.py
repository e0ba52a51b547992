"""Where a configuration keeps its memory, and whose it says that is."""

from pathlib import Path

import pytest

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.run.place import place_of

SOURCE = '[source]\nkind = "redis"\nurl = "{}"\n'
SOCKET = SOURCE.format("unix:///run/redis.sock")


def place(text, path="ridgeline.toml"):
    return place_of(parse_config(text.encode(), Path(path)))


def test_there_is_none_where_none_is_wanted(tmp_path):
    assert place(f"{SOCKET}[analysis]\nmemory = false") is None
    assert place(f'[source]\nkind = "parquet"\npath = "{tmp_path}"\n[analysis]\nmemory = "m"') is None


def test_it_lies_where_the_configuration_says():
    assert place(f'{SOCKET}[analysis]\nmemory = "some/m"').path == Path("some/m")


def test_it_lies_with_the_output_by_default_one_for_each_source_and_shard(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    usual = [
        SOCKET,
        SOURCE.format("redis://127.0.0.1:6379/0"),
        SOURCE.format("redis://127.0.0.1:6379/1"),
        f"{SOCKET}namespace = 'other.'\n",
        f"{SOCKET}[shards]\nhosts = ['a', 'b']\nhost = 'a'\n",
        f"{SOCKET}[shards]\nhosts = ['a', 'b']\nhost = 'b'\n",
    ]
    paths = {place(text).path for text in usual}
    assert len(paths) == len(usual)
    assert {path.parent for path in paths} == {tmp_path / "ridgeline"}
    assert place(f"{SOCKET}[output]\ndirectory = '/var/out'").path.parent == Path("/var/out")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (SOURCE.format("unix:///run/other.sock"), "ridgeline.toml"),
        (f"{SOCKET}namespace = 'other.'\n", "ridgeline.toml"),
        (f"{SOCKET}[shards]\nhosts = ['a', 'b']\nhost = 'a'\n", "ridgeline.toml"),
        (SOCKET, "elsewhere/ridgeline.toml"),
    ],
)
def test_owners_are_told_apart(text, path):
    assert place(text, path).owner != place(SOCKET).owner


def test_the_owner_is_the_same_by_any_name_of_its_configuration(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ours = place(SOCKET, "ridgeline.toml").owner
    assert place(SOCKET, str(tmp_path / "ridgeline.toml")).owner == ours
    assert ours.configuration == str(tmp_path / "ridgeline.toml")


def test_the_owner_says_where_its_metrics_are():
    owner = place(SOURCE.format("redis://db.example.com:6380/3")).owner
    assert (owner.source, owner.database, owner.namespace) == ("redis db.example.com:6380", "3", "metrics.")
