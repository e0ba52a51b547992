"""Rules of judgement: by which score a metric is anomalous, above 1, and what each of them can be asked for.

consensus   as many of the algorithms vote True as `consensus` asks for
pages       the walks alone: made for runs, and for who is woken at night
ridgeline   the walks and the algorithms' scores over 28 days: for histories
"""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from ridgeline.io.errors import InputError

CONSENSUS: Final = "consensus"
RIDGELINE: Final = "ridgeline"
PAGES: Final = "pages"
RULES: Final = (CONSENSUS, RIDGELINE, PAGES)
NEEDS_WALKS: Final = frozenset({RIDGELINE, PAGES})

# What may speak of a metric under each rule: the words of the column `channels`.
OUTAGE, PATTERN, SPIKE, RECORD = "outage", "pattern", "spike", "record"
SPOKEN: Final = (OUTAGE, PATTERN, SPIKE, RECORD)  # all of them
CHANNELS: Final = MappingProxyType({CONSENSUS: (), RIDGELINE: SPOKEN, PAGES: (OUTAGE, PATTERN)})

# Columns that say what a rule made of a step. Each rule's own score is above 1 where it finds an anomaly, before
# `rule_threshold`; `rule_score` is that of the rule in force, divided by it.
RULE_SCORE: Final = "rule_score"
SCORE_OF_RULE: Final = MappingProxyType({rule: f"{rule}_score" for rule in RULES})
EXPECTED_LOW, EXPECTED_HIGH = "expected_low", "expected_high"

# By which rules each job can judge.
JOBS: Final = MappingProxyType(
    {
        "score": frozenset({CONSENSUS}),
        "score --memory": frozenset({CONSENSUS, PAGES}),
        "run": frozenset({CONSENSUS, PAGES}),
        "batch": frozenset({CONSENSUS}),
        "explain": frozenset({CONSENSUS, PAGES}),
        "backtest": frozenset(RULES),
        "replay": frozenset(RULES),
    }
)
_NEEDS: Final = MappingProxyType(
    {
        RIDGELINE: 'which looks 28 days back ("pages" is the rule made for runs)',
        PAGES: "which goes by what was learned of each metric over days",
    }
)


def with_walks(rules: Iterable[str]) -> tuple[str, ...]:
    """Those of these rules that have walks, each once, in the order of RULES."""
    asked = {*rules} & NEEDS_WALKS
    return tuple(rule for rule in RULES if rule in asked)


def rule_named(word: str) -> str:
    """The rule of this name. Raises InputError where there is none."""
    if word not in RULES:
        raise InputError(f"there is no rule {word!r}: the rules are {', '.join(RULES)}")
    return word


def check_rules(job: str, rules: Iterable[str]) -> None:
    """Raise InputError where a job cannot judge by one of these rules, with one that can."""
    for rule in rules:
        if rule not in JOBS[job]:
            others = " and ".join(f"`{other}`" for other, known in JOBS.items() if rule in known)
            where = f": use {others}" if others else ""
            raise InputError(f'{job} cannot judge by the rule "{rule}", {_NEEDS[rule]}{where}')
