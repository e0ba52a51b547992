"""Who is alerted on: the rules as siblings compare them, and the classes of metrics that follow from them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.manage.lists import Hash, Kept, MetricSet, Text, in_two
from ridgeline.engine.manage.subject import Subject, mail_strategies
from ridgeline.engine.run.books.rules import RULES, as_tuples
from ridgeline.engine.run.handoffs.mirage import MORE_THAN

LAST_RULES: Final = "metrics_manager.last_all_alerts"
MAILED: Final = "analyzer.smtp_alerter_metrics"
NOT_MAILED: Final = "analyzer.non_smtp_alerter_metrics"
MIRAGE: Final = "mirage.unique_metrics"
EXPIRATIONS: Final = "mirage.hash_key.metrics_expiration_times"
HOURS: Final = "mirage.hash_key.metrics_resolutions"


def alert_rules(subject: Subject) -> list[Kept]:
    """The rules, as the repr of a sorted list."""
    told = repr(as_tuples(subject.rules or ()))
    return [Text(key, lambda: told) for key in (RULES, LAST_RULES)] if subject.fleet.share.first else []


def alert_classes(subject: Subject) -> list[Kept]:
    """Metrics that a rule of mail matches, and all others; each twice, as Skyline has them."""
    mails = mail_strategies(subject.config)
    mailed = subject.matches.any(row.match for row in subject.rules or () if mails.intersection(row.strategies))
    lists: list[Kept] = []
    for key, wanted in ((MAILED, mailed), (NOT_MAILED, ~mailed)):
        lists += in_two(key, subject.fleet, wanted)
    return lists


def mirage_classes(subject: Subject) -> list[Kept]:
    """Metrics that are Mirage's: those that a run would hand over, with the expiration and the hours of the rule that says so."""
    fleet, rules, deciding = subject.fleet, subject.rules or (), mirage_rules(subject)
    expirations, hours = {}, {}
    for row in np.flatnonzero(deciding >= 0).tolist():
        rule = rules[deciding[row]]
        expirations[fleet.names[row]] = str(rule.expiration)
        hours[fleet.names[row]] = str(rule.second_order_hours)
    return [
        MetricSet(MIRAGE, fleet, deciding >= 0, fleet.namespace),
        Hash(EXPIRATIONS, expirations, fleet.share.among),
        Hash(HOURS, hours, fleet.share.among),
    ]


def mirage_rules(subject: Subject) -> NDArray[np.int64]:
    """Of each metric the place of the rule that makes it Mirage's, int64[n]; -1 where none does.

    For each strategy the first rule that names it and matches decides; of those that decide, the first strategy's that
    asks for more than a day (`ridgeline.engine.run.handoffs.mirage.mirage_hours`).
    """
    found = np.full(len(subject.fleet), -1, np.int64)
    rules = subject.rules or ()
    if subject.config.handoff.mirage_checks is None:
        return found
    for strategy in dict.fromkeys(strategy for row in rules for strategy in row.strategies):
        places = np.array([at for at, row in enumerate(rules) if strategy in row.strategies], np.int64)
        if all(rules[at].second_order_hours <= MORE_THAN for at in places.tolist()):
            continue
        first = subject.matches.first([rules[at].match for at in places.tolist()])
        asks = np.array([rules[at].second_order_hours > MORE_THAN for at in places.tolist()])
        chosen = (found < 0) & (first >= 0) & asks[first]
        found[chosen] = places[first[chosen]]
    return found
