"""Messages, their words and keys, secrets, and how channels are found."""

import dataclasses
import doctest
import json
import math
import os
import pickle
import subprocess
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.names import names

import ridgeline.alerters._message
import ridgeline.alerters._words
import ridgeline.io.secret
from ridgeline import alerters
from ridgeline.alerters import Alert, Channel, Message, Secret, facts, headline, lines, sentence
from ridgeline.alerters.testing import ALERT, SELF_ALERT, group, storm

# Alerts --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected", "direction", "size"),
    [
        (12.0, (0.0, 10.0), "up", 1.4),
        (-5.0, (0.0, 10.0), "down", 2.0),
        (5.0, (0.0, 10.0), "", 0.0),
        (9.0, None, "", 0.0),
        (9.0, (5.0, 5.0), "up", math.inf),
        (5.0, (5.0, 5.0), "", 0.0),
        (math.nan, (0.0, 10.0), "", 0.0),
        (1.0, (math.nan, 1.0), "", 0.0),
        (1e308, (-1.7e308, 1.7e308), "up", 1e308 / 1.7e308),
    ],
)
def test_direction_and_size(value, expected, direction, size):
    alert = dataclasses.replace(ALERT, value=value, expected=expected)
    assert alert.direction == direction
    assert alert.size == pytest.approx(size) or (size == math.inf and alert.size == size)


def test_the_top_is_by_votes_then_score_then_name():
    def made(metric, votes, value=2000.0, score=None):
        return dataclasses.replace(ALERT, metric=metric, algorithms=("x",) * votes, value=value, rule_score=score)

    alerts = [made("d", 6), made("c", 7, 1500.0), made("b", 7, 3000.0), made("a", 6), made("z", 7, 0.0, math.nan)]
    assert [alert.metric for alert in sorted(alerts, key=lambda a: a.rank)] == ["b", "c", "z", "a", "d"]


@given(values=st.lists(st.floats() | st.none(), min_size=2, max_size=6))
def test_any_alerts_can_be_sorted(values):
    alerts = [dataclasses.replace(ALERT, metric=str(n), rule_score=v) for n, v in enumerate(values)]
    ranks = [alert.rank for alert in alerts]
    assert sorted(sorted(ranks), reverse=True) == sorted(ranks, reverse=True)


def test_the_dedup_key_is_of_strategy_and_metric_or_of_strategy_and_rule():
    later = dataclasses.replace(ALERT, timestamp=1700000060, value=1.0, rule="other", context="Mirage")
    assert Message.of(later).dedup_key == Message.of(ALERT).dedup_key == ALERT.dedup_key
    assert len(ALERT.dedup_key) <= 255
    assert dataclasses.replace(ALERT, metric="other").dedup_key != ALERT.dedup_key
    assert dataclasses.replace(ALERT, strategy="other").dedup_key != ALERT.dedup_key
    assert group(2).dedup_key == group(3).dedup_key == storm(20).dedup_key
    assert dataclasses.replace(storm(20), rule="r").dedup_key != storm(20).dedup_key
    assert dataclasses.replace(storm(20), status="resolved").dedup_key == storm(20).dedup_key
    only = dataclasses.replace(storm(20), alerts=storm(20).alerts[:1])
    assert only.dedup_key == storm(20).dedup_key, "the last member of a storm still belongs to it"


# Words ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (Message.of(ALERT), "stats.web01.requests is anomalous: 1523"),
        (Message.of(ALERT, "resolved"), "stats.web01.requests is normal again: 1523"),
        (Message.of(SELF_ALERT), "ridgeline.no_data: no metrics\\nin Redis, SAYS-IT"),
        (Message.of(dataclasses.replace(ALERT, test=True, metric="a\nb")), "TEST a\\nb is anomalous: 1523"),
        (group(3), '3 of 2,000 metrics are anomalous (0.15 %), rule "stats."'),
        (storm(), '1,000 of 2,000 metrics are anomalous (50 %), rule "stats."'),
        (dataclasses.replace(storm(12), fleet=0, status="resolved"), '12 metrics are normal again, rule "stats."'),
    ],
)
def test_headlines(message, words):
    assert headline(message) == words


def test_a_storm_shows_ten_and_counts_the_rest():
    assert len(lines(group(10))) == 10
    shown = lines(storm(37))
    assert len(shown) == 11
    assert shown[-1] == "and 27 more"


def test_walks_say_which_channel_spoke():
    alert = dataclasses.replace(ALERT, algorithms=(), channels=("outage", "shift"), rule_score=1.5, ongoing=True)
    assert sentence(alert) == '1523, expected 900 to 1100 (above); outage, shift; for 0 s; rule "stats."'


def test_what_is_unknown_is_not_said():
    assert sentence(Alert("a", math.nan, 0)) == "nan; new"
    assert [fact.name for fact in facts(Alert("a", 1.0, 0))] == ["value", "since"]
    assert sentence(SELF_ALERT) == "no metrics\\nin Redis, SAYS-IT"


@given(name=names)
def test_words_are_printable_whatever_the_names(name):
    alert = dataclasses.replace(ALERT, metric=name, rule=name, algorithms=(name,), channels=(name,), message="")
    message = Message(name, (alert, alert), name, storm=True)
    for words in [headline(message), headline(Message.of(alert)), *lines(message), *(f.words for f in facts(alert))]:
        assert words.isprintable()


# Secrets -------------------------------------------------------------------------------------------------------------------


def test_a_secret_shows_itself_to_nobody():
    secret = Secret("SENTINEL")
    for shown in (repr(secret), str(secret), f"{secret}", "%s" % secret, repr([secret]), repr({"a": secret})):  # noqa: UP031
        assert "SENTINEL" not in shown
    assert secret.reveal() == "SENTINEL"
    assert secret == Secret("SENTINEL")
    assert secret != Secret("other")
    assert len({secret, Secret("SENTINEL")}) == 1
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


# Channels ------------------------------------------------------------------------------------------------------------------


def test_every_channel_declares_itself():
    channels = alerters.load()
    assert list(channels) == sorted(channels)
    assert {"console", "http", "syslog"} <= set(channels)
    for kind, channel in channels.items():
        assert channel.kind == kind
        assert channel.summary
        assert dataclasses.is_dataclass(channel.settings)
        assert (channel.extra is None) == (not channel.needs)


def declared(**values):
    return Channel("pigeon", "by pigeon", types.SimpleNamespace, lambda settings: settings, **values)


def test_a_missing_extra_is_told_with_the_command():
    assert declared().lacking == ""
    assert declared(extra="pigeon", needs=("json",)).lacking == ""
    lacking = declared(extra="pigeon", needs=("json", "no_such_module_x")).lacking
    assert lacking == "the pigeon alerter needs no_such_module_x: pip install 'ridgeline[pigeon]'"
    assert declared(needs=("no_such_module_x",)).lacking.endswith("pip install no_such_module_x")


def test_a_users_channel_comes_from_a_module(monkeypatch):
    module = types.ModuleType("ourcompany_pigeon")
    monkeypatch.setitem(sys.modules, "ourcompany_pigeon", module)
    with pytest.raises(ValueError, match=r"declares no CHANNEL; docs/alerters\.md"):
        alerters.from_module("ourcompany_pigeon")
    module.CHANNEL = declared()
    assert alerters.from_module("ourcompany_pigeon") is module.CHANNEL
    with pytest.raises(ValueError, match="cannot be imported: ModuleNotFoundError"):
        alerters.from_module("no_such_module_x")


def test_a_users_channel_comes_from_an_entry_point(monkeypatch):
    import importlib.metadata

    def points(*, group, name):
        assert group == "ridgeline.alerters"
        return [types.SimpleNamespace(load=lambda: found[name])] if name in found else []

    found = {"pigeon": declared(), "owl": "nonsense"}
    monkeypatch.setattr(importlib.metadata, "entry_points", points)
    assert alerters.from_entry_point("pigeon") is found["pigeon"]
    assert alerters.from_entry_point("raven") is None
    with pytest.raises(ValueError, match="its entry point declares no CHANNEL"):
        alerters.from_entry_point("owl")


def test_loading_the_channels_is_light():

    code = "import sys; from ridgeline import alerters; alerters.load(); print({'http.client', 'ssl', 'email', 'redis'} & set(sys.modules))"
    # What measures coverage would import some of them itself.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_examples_in_the_docstrings():
    for module in (ridgeline.io.secret, ridgeline.alerters._message, ridgeline.alerters._words):
        results = doctest.testmod(module)
        assert results.attempted
        assert not results.failed
