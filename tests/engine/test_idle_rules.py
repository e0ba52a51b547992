"""Which rules are in vain, and which only look so."""

import random

import pytest

from ridgeline.engine.alerts.idle import idle_rules
from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.io.errors import InputError


def rows(*pairs):
    return [AlertRow(match, tuple(strategies.split("|"))) for match, strategies in pairs]


@pytest.mark.parametrize(
    ("pairs", "skip", "vain"),
    [
        ([("stats.", "http"), ("stats.web01.", "http")], (), ['"stats.web01." is in vain for http: "stats." stands']),
        ([("", "smtp"), ("(a|b)$", "smtp|http")], (), ['"(a|b)$" is in vain for smtp: "" stands']),
        ([("a+b", "http"), ("a+b", "http")], (), ['"a+b" is in vain for http: "a+b" stands']),
        ([("web", "http")], ("web",), ['"web" is in vain: [analysis] skip leaves out "web"']),
        ([("stats.web01.", "http"), ("stats.", "http")], (), []),
        ([("stats.", "http"), ("stats.web01.", "slack")], (), []),
        ([("stats", "http"), ("stats|disk", "http")], (), []),  # an expression that matches more
        ([("web01.cpu", "http")], ("web01.cpu.idle",), []),
    ],
)
def test_rules_in_vain(pairs, skip, vain):
    said = list(idle_rules(rows(*pairs), skip))
    assert len(said) == len(vain)
    assert all(words in sentence for words, sentence in zip(vain, said, strict=True))


def test_a_rule_in_vain_decides_about_no_name_that_holds_it():
    choose = random.Random(15)
    for _ in range(300):
        texts = ["".join(choose.choices("ab.+", k=choose.randint(1, 4))) for _ in range(2)]
        try:
            found = list(idle_rules(rows(*((text, "http") for text in texts)), ()))
            names = [f"{choose.choice(['', 'x.', 'ab'])}{texts[1]}{choose.choice(['', '.y', 'ba'])}" for _ in range(20)]
            chosen = [one["http"].match for one in deciding(rows(*((text, "http") for text in texts)), names)]
        except InputError:
            continue  # no expression: the configuration refuses it
        if found:
            assert set(chosen) == {texts[0]}
