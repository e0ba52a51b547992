"""A source is one module: found by its folder, configured by its settings, opened by its declaration."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
import typing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.redis import redis_server
from rigs.runs import load as fill

from ridgeline.engine.config.fields import keys_of, read_fields
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError, Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.run.sources import open_source
from ridgeline.io import sources
from ridgeline.io.source import Reading, SourceKind

T0 = 1_700_000_000
TABLE = pa.table({"metric": ["a", "b", "c"], "timestamp": [T0] * 3, "value": [1.0, 2.0, 3.0]})


def select(names):
    return np.array([name != "b" for name in names])


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A place of each kind of source that holds the metrics a, b and c: what `[source]` says of it."""
    path = tmp_path_factory.mktemp("data") / "fleet.parquet"
    pq.write_table(TABLE, path)
    with redis_server() as server:
        fill(server.client, TABLE)
        yield {"redis": f'url = "{server.url}"', "parquet": f'path = "{path}"'}


def test_the_folder_declares_them():
    found = sources.load()
    assert list(found) == ["redis", "parquet"]
    assert all(isinstance(declared, SourceKind) and declared.summary for declared in found.values())


@pytest.mark.parametrize("kind", sources.load())
def test_each_is_opened_listed_read_and_closed(places, kind):
    config = parse_config(f'[source]\nkind = "{kind}"\n{places[kind]}\n'.encode(), Path("ridgeline.toml"), {})
    assert config.source.kind == kind
    opened = open_source(config, select, lambda: 60.0, lambda: T0)
    assert sorted(name for matrix in opened.chunks() for name in matrix.metrics.to_pylist()) == ["a", "c"]
    assert opened.known(2) == 2
    assert opened.seconds["load"] > 0
    assert opened.bytes_read > 0
    assert list(opened.unreadable) == []
    assert (opened.clock_skew is not None) == (kind == "redis")
    opened.close()
    assert config.source.settings.identity().startswith(kind)


@pytest.mark.parametrize("kind", sources.load())
def test_settings_have_defaults_and_what_they_are_bounded_by(kind):
    settings = sources.load()[kind].settings
    assert settings() == settings()
    assert settings.__dataclass_params__.frozen
    for field in dataclasses.fields(settings):
        assert set(field.metadata) <= {"needed", "low", "high", "positive", "empty", "fault", "key"}
    assert any(field.metadata.get("needed") for field in keys_of(settings))


def test_keys_that_kinds_share_mean_the_same():
    seen = {}
    for declared in sources.load().values():
        hints = typing.get_type_hints(declared.settings)
        for field in keys_of(declared.settings):
            said = (hints[field.name], field.default, dict(field.metadata))
            assert seen.setdefault(field.name, said) == said


def test_what_is_no_key_cannot_be_configured():
    with pytest.raises(ConfigError, match=r"source\.retries: there is no such key"):
        parse_config(b'[source]\nurl = "redis://h"\nretries = 9\n', Path("ridgeline.toml"), {})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chunk_keys = 0", "chunk_keys: must lie between 1 and 100000"),
        ("chunk_keys = 100001", "chunk_keys: must lie between 1 and 100000"),
        ("max_points = 0", "max_points: must lie between 1 and 2147483648"),
        ("chunk_metrics = 0", "chunk_metrics: must lie between 1 and 10000000"),
        ("timeout = 0", "timeout: must be a finite number above 0"),
        ("connect_budget = inf", "connect_budget: must be a finite number above 0"),
        ('timeout = "soon"', "timeout: "),
        ('username = ""', "username: must not be empty"),
        ('password = "x"', "password: secrets do not belong in this file"),
        ("labels_from = [1]", "labels_from: must be a list of texts"),
        ("path = 3", "path: must be text in quotes"),
    ],
)
def test_a_key_out_of_bounds_is_told_once_whichever_kind_has_it(line, said):
    with pytest.raises(ConfigError) as failure:
        parse_config(f'[source]\nurl = "redis://h"\n{line}\n'.encode(), Path("ridgeline.toml"), {})
    (only,) = failure.value.lines
    assert only.startswith(f"ridgeline.toml:3: source.{said}")


def test_keys_of_the_other_kind_are_kept_for_who_reads_files():
    text = b'[source]\nurl = "redis://h"\nnamespace = ""\ntimeout = "1m"\nmax_points = 7\nlabels_from = []\n'
    source = parse_config(text, Path("ridgeline.toml"), {}).source
    assert (source.kind, source.settings.namespace, source.settings.timeout) == ("redis", "", 60)
    assert source.each["parquet"].labels_from == ()
    assert source.settings.max_points == source.each["parquet"].max_points == 7


def test_a_further_kind_is_one_module(monkeypatch, tmp_path):
    """A module in the folder is all there is to it: the configuration reads its keys, and a run opens it."""
    module = types.ModuleType("ridgeline.io.sources.listed")

    @dataclasses.dataclass(frozen=True)
    class Settings:
        names: tuple[str, ...] = dataclasses.field(default=(), metadata={"needed": True})

        def identity(self):
            return "listed"

    module.SOURCE = SourceKind("listed", "names", Settings, lambda settings, reading: (settings, reading))
    (tmp_path / "listed.py").write_text("")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sources, "__path__", [*sources.__path__, str(tmp_path)])
    config = parse_config(b'[source]\nkind = "listed"\nnames = ["a"]\n', Path("ridgeline.toml"), {})
    settings, reading = open_source(config, None, lambda: 5.0)
    assert (settings, reading.left()) == (Settings(("a",)), 5.0)
    assert isinstance(reading, Reading)
    with pytest.raises(ConfigError, match=r'source\.names: is missing: kind = "listed" needs it'):
        parse_config(b'[source]\nkind = "listed"\n', Path("ridgeline.toml"), {})


def test_settings_are_read_without_what_reads_metrics():
    code = (
        "import sys; from ridgeline.io.sources import load; load(); "
        "print([name for name in ('numpy', 'pyarrow', 'redis', 'numba') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_fields_of_several_settings_are_read_once():
    problems = Problems()
    kinds = [declared.settings for declared in sources.load().values()]
    read = read_fields(Table({"max_points": 0, "chunk_keys": 5}, ("source",), problems), *kinds, environ={})
    assert read == {"chunk_keys": 5}
    assert len(problems.found) == 1
