"""`[shards]`: what is refused, what is warned of, and what Skyline's settings become."""

import os
from pathlib import Path

import pytest

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError
from ridgeline.engine.config.skyline.settings import parse_settings
from ridgeline.engine.config.skyline.translate import left_out, translate
from ridgeline.engine.config.skyline.write import to_toml
from ridgeline.io.shard import Shards

HERE = os.uname().nodename


REDIS = '[source]\nkind = "redis"\nurl = "redis://127.0.0.1:6379/0"\n'


def parse(text):
    return parse_config(f"{REDIS}{text}".encode(), Path("ridgeline.toml"), {})


def read(text):
    return parse(f"[shards]\n{text}")


def test_one_host_unless_asked_for():
    shards = parse("").shards
    assert shards == Shards()
    assert shards.share().whole


def test_every_key():
    config = read('hosts = ["a", "b.example", "c"]\nhost = "b.example"\ntake_over = ["c"]')
    assert config.shards == Shards(("a", "b.example", "c"), "b.example", ("c",))
    assert (config.shards.name, config.shards.share().first, config.warnings) == ("b.example", False, ())


def test_a_host_is_called_as_its_machine_is():
    assert read(f'hosts = ["x", "{HERE}"]').shards == Shards(("x", HERE), HERE)


def test_another_machine_may_ask_and_is_warned():
    config = read('hosts = ["a", "b"]')
    (warning,) = config.warnings
    assert f'shards.hosts: this machine is called "{HERE}", which is none of hosts' in warning
    assert config.shards.owner("a") == "a"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "shards.hosts", "is missing"),
        ('host = "a"', "shards.hosts", "is missing"),
        ("hosts = []", "shards.hosts", "at least one"),
        ('hosts = "a"', "shards.hosts", "list"),
        ('hosts = ["a", 1]', "shards.hosts", "list of texts"),
        ('hosts = ["a", "b", "a"]\nhost = "a"', "shards.hosts[2]", '"a" is listed twice'),
        ('hosts = ["a", "b c"]\nhost = "a"', "shards.hosts[1]", "letters, digits"),
        ('hosts = ["a", "b\\n"]\nhost = "a"', "shards.hosts[1]", "letters, digits"),
        ('hosts = ["a.b", "a_b"]\nhost = "a_b"', "shards.hosts[1]", "dots become _"),
        ('hosts = ["alpha", "beta"]\nhost = "alpah"', "shards.host", 'did you mean "alpha"?'),
        ('hosts = ["a", "b"]\nhost = ""', "shards.host", "must not be empty"),
        ('hosts = ["a", "b"]\nhost = "a"\ntake_over = ["x"]', "shards.take_over[0]", '"x" is none of hosts'),
        ('hosts = ["a", "b"]\nhost = "a"\ntake_over = ["a"]', "shards.take_over[0]", '"a" is this host itself'),
        ('hosts = ["a", "b"]\nhost = "a"\ntake_over = ["b", "b"]', "shards.take_over[1]", "listed twice"),
        ('hosts = ["a"]\nhost = "a"\nport = 1', "shards.port", "there is no such key"),
    ],
)
def test_what_is_refused(text, place, words):
    with pytest.raises(ConfigError) as caught:
        read(text)
    (line,) = caught.value.lines
    assert f"{place}: " in line
    assert words in line


def imported(text):
    settings = parse_settings(text.encode(), "settings.py")
    draft = translate(settings)
    return to_toml(draft, "", lambda _: ("", "")), left_out(settings, draft, "settings.py"), draft.remarks


def test_skylines_hosts_come_over_in_the_order_of_their_places():
    text, dropped, _ = imported("HORIZON_SHARDS = {'c': 2, 'a': 0, 'b': 1}\nHORIZON_SHARD_PICKLE_PORT = 2026\n")
    assert 'hosts = ["a", "b", "c"]' in text
    assert [line for line in dropped if "HORIZON_SHARDS" in line] == []
    assert any("HORIZON_SHARD_PICKLE_PORT" in line for line in dropped)


def test_no_shards_become_none():
    text, _, _ = imported("HORIZON_SHARDS = {}\n")
    assert "[shards]" not in text


@pytest.mark.parametrize("value", ["{'a': 0, 'b': 2}", "{'a': 1, 'b': 1}", "{'a': '0'}", "{1: 0}", "{'a': True}", "[]"])
def test_places_with_gaps_are_left_out_and_said(value):
    text, dropped, _ = imported(f"HORIZON_SHARDS = {value}\n")
    assert "[shards]" not in text
    if value != "[]":
        assert any("HORIZON_SHARDS: " in line and "0, 1, 2" in line for line in dropped)
