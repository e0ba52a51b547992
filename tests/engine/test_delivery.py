"""Delivery stage by stage: rules, suppression, mutes and hours, the outbox, groups, records, notices about ourselves."""

import dataclasses
import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.delivery import NINE, ROW, START, Broken, Clock, Direct, Scripted, World, anomaly, counts
from rigs.names import names

from ridgeline.alerters import SENT, Channel, Message, Outcome, dedup_key, load
from ridgeline.alerters.webhook import HttpSettings
from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.entry import decode, encode
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lately import Incident, Lately
from ridgeline.engine.alerts.links import fill_links, link_problem
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.notices import NO_DATA, UNDELIVERED, no_data_items
from ridgeline.engine.alerts.pictures import SLACK, Album
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.schedule import Schedule
from ridgeline.engine.alerts.silence import Silence, begin_silence, end_silence, read_silences
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.strategy import Strategy, build_strategies
from ridgeline.io.errors import InputError
from ridgeline.io.state.in_memory import MemoryState

CHANNELS = load()
DOWN = Outcome("retry", "down")


def never(_message):
    raise AssertionError("nothing was to be sent")


def found(rows, metrics, strategies=None):
    plan = Plan(rows, strategies or {})
    return match_rules([anomaly(metric) for metric in metrics], plan, START)


# Matching ----------------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_matches_wins_per_strategy():
    rows = [
        AlertRow("stats.timers", ("http",), 10),
        AlertRow("stats.", ("http", "console"), 20),
        AlertRow("other", ("syslog",), 30),
        AlertRow("", ("console", "syslog"), 40),
    ]
    items, unmatched = found(rows, ["stats.timers.a", "stats.b", "c"])
    assert {(i.alert.metric, i.alert.strategy): (i.alert.expiration, i.alert.rule) for i in items} == {
        ("stats.timers.a", "http"): (10, "stats.timers"),
        ("stats.timers.a", "console"): (20, "stats."),
        ("stats.timers.a", "syslog"): (40, ""),
        ("stats.b", "http"): (20, "stats."),
        ("stats.b", "console"): (20, "stats."),
        ("stats.b", "syslog"): (40, ""),
        ("c", "console"): (40, ""),
        ("c", "syslog"): (40, ""),
    }
    assert unmatched == 0


def test_an_alert_carries_all_that_is_known():
    rich = anomaly(
        "a b", 2.5, 7000, first_seen=5000, ongoing=True, negatives=True, expected=(1.0, 2.0), channels=("x",), rule_score=3.0
    )  # fmt: skip
    row = AlertRow("a", ("http",), 60, severity="warning")
    plan = Plan([row], {}, links=[("graph", "https://g/?m={metric}&from={from}&until={until}")], full_duration=3600)
    ((item,), _) = match_rules([rich], plan, START)
    alert = item.alert
    assert (alert.metric, alert.value, alert.timestamp, alert.expected, alert.direction) == (
        "a b", 2.5, 7000, (1.0, 2.0), "up"
    )  # fmt: skip
    assert (alert.first_seen, alert.ongoing, alert.negatives, alert.channels, alert.rule_score) == (
        5000, True, True, ("x",), 3.0
    )  # fmt: skip
    assert (alert.algorithms, alert.algorithms_run, alert.full_duration, alert.expiration) == (NINE[:2], NINE, 3600, 60)
    assert (alert.strategy, alert.rule, alert.severity, alert.context) == ("http", "a", "warning", "Analyzer")
    assert alert.links == (("graph", "https://g/?m=a%20b&from=3400&until=7000"),)


def test_an_anomaly_that_no_rule_matches_is_counted():
    assert found([AlertRow("b", ("http",), 60)], ["a", "b", "c"])[1] == 2
    world = World()
    assert counts(world.run(["a", "b"], [AlertRow("b", ("http",), 60)])) == {"sent": 1, "messages": 1, "unmatched": 1}


def test_recipients_add_up_by_pattern_unless_the_rule_has_its_own():
    mail = Strategy(
        "smtp", Scripted(), takes_recipients=True, default_recipients=("all@x",),
        recipients=(("db", ("dba@x", "ops@x")), ("web", ("web@x", "ops@x"))),
    )  # fmt: skip
    rows = [AlertRow("own", ("smtp",), recipients=("own@x",)), AlertRow("", ("smtp", "http"))]
    items, _ = found(
        rows, ["own.db", "db.web.1", "db.2", "other"], {"smtp": mail, "http": Strategy("http", Scripted())}
    )
    assert {i.alert.metric: i.alert.recipients for i in items if i.alert.strategy == "smtp"} == {
        "own.db": ("own@x",),
        "db.web.1": ("dba@x", "ops@x", "web@x"),
        "db.2": ("dba@x", "ops@x"),
        "other": ("all@x",),
    }
    assert {i.alert.recipients for i in items if i.alert.strategy == "http"} == {()}


def test_the_recipient_no_email_is_nobody():
    world = World(smtp=Scripted(never))
    mail = {"smtp": Strategy("smtp", world.smtp, takes_recipients=True, default_recipients=("no_email",))}
    assert counts(world.run(["a"], [AlertRow("", ("smtp",))], strategies=mail)) == {"muted": 1}


# Order, suppression ----------------------------------------------------------------------------------------------------------


def test_an_alert_waits_in_the_outbox_before_it_is_sent_and_is_recorded_after():
    world = World()
    summary = world.run(["a", "b"], [dataclasses.replace(ROW, group=False)])
    assert world.log == [
        ("Put", "ridgeline.outbox"),
        ("send", "http", "a"),
        ("SetText", "last_alert.http.a"),
        ("Drop", "ridgeline.outbox"),
        ("send", "http", "b"),
        ("SetText", "last_alert.http.b"),
        ("Drop", "ridgeline.outbox"),
    ]
    assert list(summary.counts()) == [
        "sent",
        "messages",
        "suppressed",
        "muted",
        "unmatched",
        "queued",
        "failed",
        "dropped",
    ]
    assert counts(summary) == {"sent": 2, "messages": 2}
    assert summary.complete
    assert summary.problems() == []
    assert world.waiting() == {}


def test_suppression_is_per_strategy_and_metric():
    world = World(http=Scripted(), console=Scripted())
    world.run(["a"])
    rows = [AlertRow("", ("http", "console"), 60)]
    assert counts(world.run(["a", "b"], rows)) == {"sent": 3, "messages": 2, "suppressed": 1}
    assert world.http.metrics == ["a", "b"]
    assert world.console.metrics == ["a", "b"]
    assert counts(world.run(["a"], rows, after=60)) == {"sent": 2, "messages": 2}


def test_an_expiration_of_zero_alerts_every_run():
    world = World()
    for _ in range(2):
        assert counts(world.run(["a"], [AlertRow("", ("http",), 0)])) == {"sent": 1, "messages": 1}


@pytest.mark.parametrize(
    ("recent", "sent"), [((True,), False), ((True, False, True), True), ((True, False, False, True), False)]
)
def test_m_of_n_waits_until_an_anomaly_lasts(recent, sent):
    record = Lately((Incident(1, 2, 1.0, 1.0, 6, ()),), 2, 0, recent)
    world = World()
    rows = [dataclasses.replace(ROW, m_of_n=(2, 3))]
    expected = {"sent": 1, "messages": 1} if sent else {"suppressed": 1}
    assert counts(world.run(["a"], rows, lately={"a": record})) == expected


def test_m_of_n_of_a_rule_comes_before_the_metrics_own():
    record = Lately((Incident(1, 2, 1.0, 1.0, 6, ()),), 2, 0, (True, True))
    strict = dataclasses.replace(ROW, m_of_n=(2, 2))
    assert World().run(["a"], [strict], lately={"a": record}, m_of_n=lambda _: (3, 3)).sent == 1
    assert World().run(["a"], lately={"a": record}, m_of_n=lambda _: (3, 3)).suppressed == 1
    assert World().run(["a"], lately={}, m_of_n=lambda _: (3, 3)).sent == 1, "without a past nothing is kept back"


def test_those_who_were_told_are_noted_in_the_record():
    records = {"a": Lately((Incident(1, 2, 1.0, 1.0, 6, ()),), 2)}
    world = World()
    world.run([anomaly("a", 30.0, expected=(0.0, 10.0))], lately=records)
    assert (records["a"].incident.alerted, records["a"].incident.alerted_size) == (("http",), 5.0)


# Resolved ----------------------------------------------------------------------------------------------------------------------


KNOWING = [AlertRow("", ("http", "console", "mail"), 60)]


def minutes(world, rows, strategies, *runs, **more):
    """One delivery a minute of (metrics that fire, metrics that are normal), and what each strategy was sent in each."""
    said = []
    for fires, normal in runs:
        for alerter in world.alerters.values():
            alerter.messages.clear()
        world.judged(fires, normal, rows=rows, strategies=strategies, after=60, **more)
        said.append(
            {
                name: [(message.status, message.count, message.storm) for message in alerter.messages]
                for name, alerter in world.alerters.items()
                if alerter.messages
            }
        )
    return said


def test_resolved_goes_to_those_who_were_told_and_know_the_word():
    world = World(http=Scripted(), console=Scripted(), mail=Scripted())
    knowing = {name: Strategy(name, world.alerters[name], resolves=name != "mail") for name in world.alerters}
    begin_silence(world.state, Silence("a", START + 100, "console"), START)
    normal = [((), ["a"])] * 5
    said = minutes(world, KNOWING, knowing, (["a"], ()), *normal)
    assert said == [
        {"http": [("firing", 1, False)], "mail": [("firing", 1, False)]}, {}, {}, {"http": [("resolved", 1, False)]}, {}, {},
    ]  # fmt: skip
    assert world.state.last_alerts([("http", "a")]) == [None], "the next firing is news"


@pytest.mark.parametrize("after", [1, 3, 5])
def test_each_strategy_waits_for_as_many_normal_runs_as_it_is_told_to(after):
    world = World()
    knowing = {"http": Strategy("http", world.http, resolves=True, resolve_after=after)}
    said = minutes(world, [ROW], knowing, (["a"], ()), *[((), ["a"])] * 7, keep=after)
    assert [minute for minute, told in enumerate(said) if told] == [0, after]


def test_what_one_receiver_still_holds_open_is_closed_by_the_end_of_a_later_incident_too():
    """It asks for five normal runs, and the metric fires again after three; that is suppressed."""
    world = World()
    knowing = {"http": Strategy("http", world.http, resolves=True, resolve_after=5)}
    rows = [AlertRow("", ("http",), 3600)]
    runs = [(["a"], ()), *[((), ["a"])] * 3, (["a"], ()), *[((), ["a"])] * 6]
    said = minutes(world, rows, knowing, *runs, keep=5)
    assert [minute for minute, told in enumerate(said) if told] == [0, 9]


def test_what_nobody_was_told_of_yet_is_told_before_it_is_resolved():
    world = World(http=Scripted(DOWN))
    knowing = {"http": Strategy("http", world.http, resolves=True)}
    minutes(world, [ROW], knowing, (["a"], ()), *[((), ["a"])] * 4)
    world.http.outcomes = [SENT]
    world.clock.now += 600
    said = minutes(world, [ROW], knowing, *[((), ["a"])] * 3)
    assert said == [{"http": [("firing", 1, False)]}, {"http": [("resolved", 1, False)]}, {}], "late, but not for ever"
    assert world.waiting() == {}


def test_what_is_told_late_of_a_metric_that_fell_silent_meanwhile_is_closed_when_it_is_back():
    world = World(http=Scripted(DOWN))
    knowing = {"http": Strategy("http", world.http, resolves=True)}
    minutes(world, [ROW], knowing, (["a"], ()))
    world.http.outcomes = [SENT]
    world.clock.now += 600
    said = minutes(world, [ROW], knowing, ((), ()), *[((), ["a"])] * 4)
    assert said == [{"http": [("firing", 1, False)]}, {}, {}, {"http": [("resolved", 1, False)]}, {}]


# Storms of receivers that hold them open ----------------------------------------------------------------------------------


class Pager(Scripted):
    """Notes under which key each message was sent."""

    def __init__(self):
        super().__init__()
        self.keys = []

    def send(self, message, deadline):
        self.keys.append(message.dedup_key)
        return super().send(message, deadline)


def pager():
    world = World(pd=Pager())
    return world, {"pd": Strategy("pd", world.pd, "one by one", resolves=True)}


PAGES = [AlertRow("", ("pd",), 600)]
MANY = [f"m.{n}" for n in range(12)]


def test_a_storm_is_over_when_its_last_member_is_normal():
    world, knowing = pager()
    quiet = ((), MANY)
    part = [(MANY[:1], MANY[1:])] * 3
    said = minutes(world, PAGES, knowing, (MANY, ()), *part, *[quiet] * 4)
    assert said == [{"pd": [("firing", 12, True)]}, {}, {}, {}, {}, {}, {"pd": [("resolved", 1, True)]}, {}]
    assert world.pd.keys == [dedup_key("pd", "")] * 2


def test_members_that_were_told_by_themselves_end_by_themselves_however_many():
    world, knowing = pager()
    told = minutes(world, PAGES, knowing, (MANY[:6], ()), (MANY, ()), *[((), MANY)] * 3)
    assert told[:2] == [{"pd": [("firing", 1, False)] * 6}, {"pd": [("firing", 1, False)] * 6}]
    assert told[4] == {"pd": [("resolved", 1, False)] * 12}
    assert len(set(world.pd.keys)) == 12


def test_one_that_was_told_both_ways_ends_both_ways():
    world, knowing = pager()
    minutes(world, PAGES, knowing, (MANY[:1], ()))
    world.clock.now += 700
    said = minutes(world, PAGES, knowing, (MANY, ()), *[((), MANY)] * 3)
    assert said[0] == {"pd": [("firing", 12, True)]}
    assert sorted(said[3]["pd"]) == [("resolved", 1, False), ("resolved", 1, True)]


def test_a_storm_that_begins_again_takes_the_place_of_the_news_that_it_is_over():
    world, knowing = pager()
    minutes(world, PAGES, knowing, (MANY, ()), *[((), MANY)] * 2)
    world.pd.outcomes = [DOWN]
    minutes(world, PAGES, knowing, ((), MANY))
    assert list(world.waiting()) == [("pd", "ridgeline.storm.")]
    world.pd.outcomes = [SENT]
    world.clock.now += 700
    assert minutes(world, PAGES, knowing, (MANY, ())) == [{"pd": [("firing", 12, True)]}]
    assert world.waiting() == {}
    assert minutes(world, PAGES, knowing, *[((), MANY)] * 3)[2] == {"pd": [("resolved", 1, True)]}


def test_the_end_of_a_storm_waits_like_everything():
    world, knowing = pager()
    minutes(world, PAGES, knowing, (MANY, ()), *[((), MANY)] * 2)
    world.pd.outcomes = [DOWN]
    minutes(world, PAGES, knowing, ((), MANY))
    world.pd.outcomes = [SENT]
    world.clock.now += 700
    world.pd.keys.clear()
    assert minutes(world, PAGES, knowing, ((), ())) == [{"pd": [("resolved", 1, True)]}]
    assert world.pd.keys == [dedup_key("pd", "")]


# Mutes and hours -----------------------------------------------------------------------------------------------------------------


def test_a_silence_mutes_what_it_matches_until_it_ends():
    world = World(http=Scripted(), console=Scripted())
    begin_silence(world.state, Silence("web", START + 100, "http", "deploy", "me"), START)
    rows = [AlertRow("", ("http", "console"), 0)]
    assert counts(world.run(["web.1", "db.1"], rows)) == {"sent": 3, "messages": 2, "muted": 1}
    assert world.http.metrics == ["db.1"]
    assert world.console.metrics == ["db.1", "web.1"]
    assert world.state.last_alerts([("http", "web.1")]) == [None]
    assert counts(world.run(["web.1"], rows, after=100)) == {"sent": 2, "messages": 2}


def test_silences_are_listed_ended_and_forgotten():
    state = MemoryState(Clock())
    first, second = Silence("web", START + 100, "http", "deploy", "me"), Silence("db", START + 50)
    begin_silence(state, first, START)
    begin_silence(state, second, START)
    assert read_silences(state, START) == [second, first]
    assert first.as_json() == {
        "id": first.id, "match": "web", "strategy": "http", "until": START + 100, "why": "deploy", "by": "me"
    }  # fmt: skip
    assert end_silence(state, first.id, START) == [first]
    assert end_silence(state, "db", START) == [second]
    assert end_silence(state, "db", START) == []
    begin_silence(state, second, START)
    begin_silence(state, first, START + 60)
    assert state.size("silences") == 1, "what is over is swept"
    with pytest.raises(InputError):
        begin_silence(state, Silence("(", START + 1), START)


@pytest.mark.parametrize("value", [5, "x", {}, {"match": "(", "until": 9e9, "strategy": "", "why": "", "by": ""}, None])
def test_a_damaged_silence_mutes_nothing(value):
    world = World()
    with world.state.batch() as batch:
        batch.put("silences", {"x": value})
    assert world.run(["a"]).sent == 1


def test_a_clock_that_ran_ahead_keeps_nothing_waiting_once_it_is_right():
    world = World(http=Scripted(DOWN))
    world.clock.now += 3 * 86_400
    assert world.run(["a"]).queued == 1
    world.http.outcomes = [SENT]
    assert counts(world.run((), after=-3 * 86_400)) == {"sent": 1, "messages": 1}
    assert world.waiting() == {}


def test_operators_pauses_and_mutes_are_honoured_while_they_last():
    world = World()
    world.state.operators = lambda pairs: [
        {"a": START + 60, "b": START - 1, "c": math.inf}.get(m, 0.0) for _, m in pairs
    ]
    assert counts(world.run(["a", "b", "c", "d"])) == {"sent": 2, "messages": 1, "muted": 2}
    assert counts(world.run(["a", "c"], after=61)) == {"sent": 1, "messages": 1, "muted": 1}


def test_a_quiet_hour_is_neither_sent_nor_recorded():
    quiet = dataclasses.replace(ROW, schedule=Schedule(start=8 * 60, end=9 * 60))  # START is 22:13 UTC
    world = World()
    assert counts(world.run(["a"], [quiet])) == {"muted": 1}
    assert world.waiting() == {}
    assert world.state.last_alerts([("http", "a")]) == [None]


def test_what_waits_is_held_through_a_silence_without_an_attempt():
    world = World(http=Scripted(DOWN))
    world.run(["a"])
    attempts = world.waiting()["http", "a"]["attempts"]
    begin_silence(world.state, Silence("a", world.clock.now + 1000), world.clock.now)
    world.http.outcomes = [SENT]
    summary = world.run(after=600)
    assert counts(summary) == {"muted": 1}
    assert summary.complete, "what is muted is nobody's fault"
    assert world.waiting()["http", "a"]["attempts"] == attempts
    assert counts(world.run(after=600)) == {"sent": 1, "messages": 1}


def test_what_is_held_too_long_is_given_up_like_the_rest():
    world = World(http=Scripted(DOWN), console=Scripted())
    world.run(["a"])
    begin_silence(world.state, Silence("a", world.clock.now + 200_000), world.clock.now)
    assert counts(world.run((), after=86_000)) == {"muted": 1}
    assert world.run((), after=1000).dropped == 1
    assert world.console.messages[-1].first.metric == UNDELIVERED


# The outbox ------------------------------------------------------------------------------------------------------------------------


def test_an_alert_whose_anomaly_is_over_is_still_sent():
    world = World(http=Scripted(DOWN))
    assert counts(world.run(["a"])) == {"queued": 1}
    world.http.outcomes = [SENT]
    assert counts(world.run((), after=60)) == {"sent": 1, "messages": 1}
    assert world.waiting() == {}
    assert world.state.last_alerts([("http", "a")]) == [int(START)]


def test_a_newer_firing_takes_the_place_of_the_one_that_waits():
    world = World(http=Scripted(DOWN))
    world.run([anomaly("a", 1.0)])
    before = world.waiting()["http", "a"]
    world.run([anomaly("a", 2.0, int(START) + 5)], after=5)
    after = world.waiting()["http", "a"]
    assert (after["alert"]["value"], after["since"], after["attempts"]) == (2.0, before["since"], before["attempts"])
    world.http.outcomes = [SENT]
    world.http.messages.clear()
    assert counts(world.run([anomaly("a", 3.0)], after=120)) == {"sent": 1, "messages": 1}
    assert [message.first.value for message in world.http.messages] == [3.0]


def test_turns_come_later_each_time():
    world = World(http=Scripted(DOWN))
    summary = world.run(["a"])
    pauses = []
    for _ in range(12):
        entry = world.waiting()["http", "a"]
        pauses.append(entry["next"] - world.clock.now)
        with world.state.batch() as batch:
            batch.delete("breaker.http")
        world.clock.now = entry["next"]
        summary = world.run()
    assert pauses == sorted(pauses)
    assert max(pauses) <= 1800
    assert summary.queued == 1


def test_retry_after_is_honoured_through_the_outbox():
    world = World(http=Scripted(Outcome("retry", "later", 600.0)))
    world.run(["a"])
    world.http.outcomes = [SENT]
    assert counts(world.run(["b"], after=590)) == {"queued": 2}
    assert counts(world.run(["b"], after=20)) == {"sent": 2, "messages": 1}


def test_an_absurd_retry_after_is_an_hour():
    world = World(http=Scripted(Outcome("retry", "later", 1e9)))
    world.run(["a"])
    world.http.outcomes = [SENT]
    assert world.run(after=3700).sent == 1


@pytest.mark.parametrize("delivery", [Delivery(max_attempts=4), Delivery(retry_for=600)])
def test_what_cannot_be_sent_is_given_up_and_others_are_told(delivery):
    world = World(http=Scripted(DOWN), console=Scripted())
    world.run(["a", "b"], delivery=delivery)
    told = []
    for _ in range(20):
        summary = world.run(after=300, delivery=delivery)
        told += [message.first for message in world.console.messages]
        world.console.messages.clear()
        if summary.dropped:
            break
    assert summary.dropped == 2
    assert not summary.complete
    assert world.waiting() == {}
    (alert,) = told
    assert (alert.metric, alert.strategy, alert.value) == (UNDELIVERED, "console", 2.0)
    assert alert.message.startswith("2 alerts could not be delivered by http and will not be tried again: down (after ")
    assert alert.message.endswith("(a, b)")
    assert "given up: down" in " ".join(summary.problems())


def test_a_refused_alert_fails_at_once_and_others_are_told_once_an_hour():
    world = World(http=Scripted(Outcome("rejected", "no")), console=Scripted())
    summary = world.run(["a"])
    assert counts(summary) == {"sent": 1, "messages": 1, "failed": 1}
    assert len(world.http.messages) == 1
    assert "http: 1 alert not sent: no" in summary.problems()
    assert world.console.messages[0].first.metric == UNDELIVERED
    assert world.waiting() == {}
    assert counts(world.run(["a"], after=60)) == {"failed": 1, "suppressed": 1}
    assert world.run(["a"], after=3600).sent == 1


def test_an_alert_about_ourselves_is_never_told_of_again():
    world = World(http=Scripted(Outcome("rejected", "no")), console=Scripted(Outcome("rejected", "no")))
    rows = [AlertRow("", ("http",), 60)]
    summary = world.run(["a"], rows)
    assert counts(summary) == {"failed": 2}
    assert counts(world.run((), rows, after=60)) == {}


def test_only_the_deferred_recipients_are_tried_again():
    partly = Outcome("retry", "busy", delivered=("a@x",), deferred=("b@x",))
    world = World(smtp=Scripted(partly, DOWN))
    mail = {"smtp": Strategy("smtp", world.smtp, takes_recipients=True, default_recipients=("a@x", "b@x"))}
    rows = [AlertRow("", ("smtp",), 3600)]
    assert counts(world.run(["m"], rows, strategies=mail)) == {"queued": 1}
    assert [message.recipients for message in world.smtp.messages][:2] == [("a@x", "b@x"), ("b@x",)]
    assert world.state.last_alerts([("smtp", "m")]) == [int(START)], "those who have it are not told twice"
    world.smtp.outcomes = [SENT]
    world.smtp.messages.clear()
    assert counts(world.run(["m"], rows, strategies=mail, after=120)) == {"sent": 1, "messages": 1}
    assert [message.recipients for message in world.smtp.messages] == [("b@x",)]


def test_refused_recipients_are_said():
    world = World(smtp=Scripted(Outcome("sent", "550 unknown", delivered=("a@x",), refused=("b@x",))))
    summary = world.run(["m"], [AlertRow("", ("smtp",))])
    assert counts(summary) == {"sent": 1, "messages": 1}
    assert summary.problems() == ["smtp: 1 alert not sent to all: b@x: 550 unknown"]


def test_a_host_sends_only_its_own_of_what_waits():
    world = World(http=Scripted(DOWN))
    world.run(["a", "b"])
    world.http.outcomes = [SENT]
    assert counts(world.run(after=60, owns=lambda metric: metric == "b")) == {"sent": 1, "messages": 1}
    assert list(world.waiting()) == [("http", "a")]


def test_what_waits_for_a_strategy_that_is_gone_waits_until_its_time_is_over():
    world = World(http=Scripted(DOWN), console=Scripted())
    world.run(["a"])
    del world.alerters["http"]
    rows = [AlertRow("", ("console",))]
    assert counts(world.run((), rows, after=60)) == {"queued": 1}
    summary = world.run((), rows, after=90_000)
    assert (summary.dropped, world.waiting()) == (1, {})


@pytest.mark.parametrize(
    "entry", [5, [], {}, {"alert": {}}, {"since": "x", "alert": {"metric": "a", "value": 1, "timestamp": 2}}, "text"]
)
def test_a_damaged_entry_is_given_up_and_told(entry):
    world = World(http=Scripted(), console=Scripted())
    with world.state.batch() as batch:
        batch.put("outbox", {'["http", "m"]': entry})
    summary = world.run(())
    assert summary.dropped == 1
    assert "damaged" in world.console.messages[0].first.message
    assert world.waiting() == {}


values = st.floats() | st.just(math.nan)


@given(
    metric=names,
    strategy=names,
    value=values,
    expected=st.none() | st.tuples(values, values),
    score=st.none() | values,
    partial=st.booleans(),
    text=names,
)
def test_an_entry_gives_back_the_alert(metric, strategy, value, expected, score, partial, text):
    import json

    from ridgeline.io.text import encodable

    alert = dataclasses.replace(
        match_rules([anomaly("m")], Plan([ROW], {}), START)[0][0].alert,
        metric=metric, strategy=strategy, value=value, expected=expected, rule_score=score, algorithms=(text,),
        recipients=(text,), links=((text, "https://x/"),), first_seen=5, ongoing=True, message=text, severity=text,
    )  # fmt: skip
    item = Item(alert, None, "resolved", since=1.0, attempts=3, due=9.0, reason=text, stored=True, partial=partial)
    stored = json.loads(json.dumps(encode(item), allow_nan=False))
    stored["alert"]["metric"].encode("utf-8", "surrogatepass")
    back = decode((strategy, metric), stored, Plan([], {}), 10.0)
    assert repr(back) == repr(item)
    assert encodable(metric) is not None


# Groups ------------------------------------------------------------------------------------------------------------------------------


def test_up_to_the_limit_members_come_together_above_it_as_a_storm():
    world = World()
    rows = [AlertRow("a", ("http",)), AlertRow("", ("http",))]
    world.run([*(f"a.{n}" for n in range(10)), *(f"b.{n}" for n in range(11)), "c"], rows, fleet=500)
    shown = {message.rule: message for message in world.http.messages}
    assert (shown["a"].count, shown["a"].storm, shown["a"].more, shown["a"].fleet) == (10, False, 0, 500)
    assert (shown[""].count, shown[""].storm, shown[""].more, len(shown[""].shown)) == (12, True, 2, 10)
    assert len(world.http.messages) == 2


def test_a_storm_of_ten_thousand_is_one_message():
    world = World()
    summary = world.run([f"m.{n}" for n in range(10_000)])
    assert counts(summary) == {"sent": 10_000, "messages": 1}
    assert world.state.last_alerts([("http", f"m.{n}") for n in range(10_000)]) == [int(START)] * 10_000
    assert counts(world.run([f"m.{n}" for n in range(10_000)])) == {"suppressed": 10_000}


def test_the_top_of_a_group_is_by_votes_and_score():
    world = World()
    world.run(
        [
            anomaly("few", votes=1),
            anomaly("small", 2.0, expected=(0.0, 2.0)),
            anomaly("large", 9.0, expected=(0.0, 2.0)),
        ]
    )
    assert world.http.metrics == ["large", "small", "few"]


def test_a_rule_may_ask_for_a_message_each():
    world = World()
    assert counts(world.run(map(str, range(30)), [dataclasses.replace(ROW, group=False)])) == {
        "sent": 30,
        "messages": 30,
    }


def test_one_by_one_channels_are_grouped_in_a_storm_only():
    world = World()
    one_by_one = {"http": Strategy("http", world.http, groups="one by one")}
    assert counts(world.run(map(str, range(10)), strategies=one_by_one)) == {"sent": 10, "messages": 10}
    assert counts(world.run(map(str, range(100, 111)), strategies=one_by_one)) == {"sent": 11, "messages": 1}
    assert world.http.messages[-1].storm


def test_channels_that_never_group_get_all_members_a_thousand_at_a_time():
    world = World(syslog=Scripted(lambda message: Outcome("sent", arrived=message.count)))
    never_grouped = {"syslog": Strategy("syslog", world.syslog, groups="never")}
    rows = [AlertRow("1", ("syslog",)), AlertRow("", ("syslog",))]
    summary = world.run(map(str, range(2500)), rows, strategies=never_grouped)
    assert counts(summary) == {"sent": 2500, "messages": 2500}
    assert [(message.count, message.storm) for message in world.syslog.messages] == [
        (1000, False),
        (1000, False),
        (500, False),
    ]


def test_groups_are_counted_after_suppression_and_mutes():
    world = World()
    world.run([f"m.{n}" for n in range(5)])
    begin_silence(world.state, Silence("m.6", START + 1000), START)
    world.run([f"m.{n}" for n in range(16)])
    assert (world.http.messages[-1].count, world.http.messages[-1].storm) == (10, False)


def test_different_people_get_messages_of_their_own_but_a_storm_is_counted_over_all():
    world = World(smtp=Scripted())
    mail = {"smtp": Strategy("smtp", world.smtp, takes_recipients=True, recipients=(("a", ("a@x",)), ("b", ("b@x",))))}
    world.run(
        [*(f"a.{n}" for n in range(8)), *(f"b.{n}" for n in range(8))], [AlertRow("", ("smtp",))], strategies=mail
    )
    assert sorted((m.recipients, m.count, m.storm) for m in world.smtp.messages) == [
        (("a@x",), 8, True),
        (("b@x",), 8, True),
    ]


def test_a_group_is_recorded_whole_or_not_at_all():
    world = World(http=Scripted(DOWN))
    assert counts(world.run(["a", "b", "c"])) == {"queued": 3}
    assert world.state.last_alerts([("http", m) for m in "abc"]) == [None] * 3
    world.http.outcomes = [SENT]
    assert counts(world.run(["d"], after=60)) == {"sent": 4, "messages": 1}, "what waits joins what is new"
    assert None not in world.state.last_alerts([("http", m) for m in "abcd"])


@pytest.mark.parametrize(
    ("outcome", "sent", "queued", "failed"),
    [(Outcome("retry", "broke off", arrived=3), 3, 7, 0), (Outcome("rejected", "no", arrived=3), 3, 0, 1)],
)
def test_members_sent_one_by_one_are_recorded_one_by_one(outcome, sent, queued, failed):
    rest = DOWN if queued else lambda message: Outcome("sent", arrived=message.count)
    world = World(syslog=Scripted(outcome, rest))
    never_grouped = {"syslog": Strategy("syslog", world.syslog, groups="never")}
    summary = world.run([f"{n}" for n in range(10)], [AlertRow("", ("syslog",))], strategies=never_grouped)
    assert (summary.queued, summary.failed, summary.sent) == (queued, failed, sent if queued else 9)
    assert summary.sent == sum(
        at is not None for at in world.state.last_alerts([("syslog", f"{n}") for n in range(10)])
    )


def test_pictures_go_to_the_top_and_no_further():
    drawn = []

    def draw(alerts, most):
        drawn.append(([alert.metric for alert in alerts], most))
        return {alerts[0].metric: b"PNG"}

    world = World(smtp=Scripted(DOWN, SENT), console=Scripted())
    rows = [AlertRow("", ("smtp", "console"))]
    anomalies = [anomaly("a"), anomaly("b", votes=3), anomaly("c", votes=1)]
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    world.run(anomalies, rows, album=Album(draw), delivery=Delivery(pictures=2), strategies=showing)
    assert drawn == [(["b", "a", "c"], 2)], "each metric once, the top first"
    assert [alert.picture for alert in world.smtp.messages[-1].alerts] == [b"PNG", None, None], "also after a retry"
    assert {alert.picture for alert in world.console.messages[-1].alerts} == {None}, "where nobody would see it"
    assert World().run(["a"], album=Album(never)).sent == 1, "nor is any drawn"
    world = World(smtp=Scripted())
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    rows = [AlertRow("", ("smtp",))]
    assert world.run(["a"], rows, album=Album(never), delivery=Delivery(pictures=0), strategies=showing).sent == 1


def test_drawing_holds_up_only_those_who_show_pictures():
    """The console is told while the pictures are drawn, and each of its messages, however many."""
    drawing, told = threading.Event(), threading.Event()

    def draw(alerts, most):
        drawing.set()
        assert told.wait(60)
        return {alerts[0].metric: b"PNG"}

    def send(message):
        assert drawing.wait(60)
        if len(world.console.messages) == 20:
            told.set()
        return SENT

    world = World(smtp=Scripted(timeout=60.0), console=Scripted(send, timeout=60.0))
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    rows = [AlertRow("", ("smtp",), 60), AlertRow("", ("console",), 60, group=False)]
    plan = world.plan(rows, showing, delivery=Delivery(group_above=100))
    store, times = Store(world.state, Direct(world.state)), Times(time.monotonic() + 120)
    names = [anomaly(f"{n:02}") for n in range(20)]
    assert deliver(names, plan, store, times, album=Album(draw, lambda: 60.0)).sent == 40
    assert [alert.picture for alert in world.smtp.messages[0].alerts] == [b"PNG", *[None] * 19]


def test_pictures_that_are_late_are_missing_and_the_alert_has_its_whole_time():
    never_drawn = threading.Event()
    world = World(smtp=Scripted(timeout=7.0))
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    plan = world.plan([AlertRow("", ("smtp",), 60)], showing)
    store, began = Store(world.state, Direct(world.state)), time.monotonic()
    album = Album(lambda *_: never_drawn.wait(60) and {}, lambda: 0.2)
    assert deliver([anomaly("a")], plan, store, Times(began + 120), album=album).sent == 1
    never_drawn.set()
    assert world.smtp.messages[0].first.picture is None
    assert world.smtp.deadlines[0] - time.monotonic() <= 7.0 + 0.2 + SLACK


def test_a_probe_of_an_endpoint_that_failed_waits_for_no_pictures():
    world = World(smtp=Scripted(DOWN))
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    rows = [AlertRow("", ("smtp",), 60)]
    world.run(["a"], rows, strategies=showing)
    world.smtp.outcomes = [SENT]
    waited = []

    class Watched(Album):
        def wait(self, seconds):
            waited.append(seconds)
            return {}

    album = Watched(lambda *_: {}, clock=world.clock)
    assert world.run(["b"], rows, strategies=showing, album=album, after=400).sent == 2
    assert waited
    assert max(waited) < 0


def test_of_a_storm_only_those_shown_get_pictures():
    asked = []

    def draw(alerts, most):
        asked.append([alert.metric for alert in alerts])
        return {}

    world = World(smtp=Scripted())
    showing = {"smtp": Strategy("smtp", world.smtp, pictures=True)}
    world.run([f"{n:03}" for n in range(50)], [AlertRow("", ("smtp",))], album=Album(draw), strategies=showing)
    assert asked == [[f"{n:03}" for n in range(10)]]


# State that fails --------------------------------------------------------------------------------------------------------------------


def test_broken_state_loses_no_alert_and_is_not_asked_for_ever():
    clock = Clock()
    world = World(Broken(clock), clock)
    summary = world.run([f"{n}" for n in range(2000)])
    assert summary.sent == 2000
    assert not summary.complete
    assert "state is gone, so alerts may repeat" in summary.problems()
    assert world.state.asked < 10


def test_a_full_disk_repeats_an_alert_and_loses_none():
    clock = Clock()
    world = World(Broken(clock, reads=False), clock)
    for _ in range(2):
        summary = world.run(["a"])
        assert summary.sent == 1
        assert "alerts may repeat" in summary.problems()[0]


# About ourselves -----------------------------------------------------------------------------------------------------------------------


def test_no_data_goes_to_every_strategy_once_per_expiration():
    world = World(http=Scripted(), console=Scripted())
    for expected in ({"sent": 2, "messages": 2}, {"suppressed": 2}):
        plan = world.plan([AlertRow("a", ("http", "console"), 10)])
        notices = no_data_items("no metrics in Redis", 0.0, int(START), plan, world.clock.now)
        assert counts(world.run((), plan=plan, notices=notices)) == expected
    (message,) = world.http.messages
    assert (message.first.metric, message.first.message, message.first.expiration) == (
        NO_DATA,
        "no metrics in Redis",
        3600,
    )


def test_alerts_about_ourselves_stand_alone():
    world = World()
    plan = world.plan()
    notices = no_data_items("none", 0.0, int(START), plan, START)
    world.run(["a", "b"], plan=plan, notices=notices)
    assert sorted(message.count for message in world.http.messages) == [1, 2]


# Links and strategies -------------------------------------------------------------------------------------------------------------------


@given(metric=names)
def test_a_name_cannot_leave_its_place_in_a_link(metric):
    ((_, address),) = fill_links([("g", "https://g/?m={metric}&from={from}")], metric, 1000, 600)
    assert address.isascii()
    assert not set(address.removeprefix("https://g/?m=").removesuffix("&from=400")) & set("&=?#/ <>\"'")


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("https://g/{metric}", ""),
        ("https://g/{nonsense}", "holds {nonsense}"),
        ("ftp://g/", "must begin with http"),
        ("https://{metric}/", "must not take its host"),
        ("https://g/ x", "must be plain ASCII"),
        ("https://[", "is malformed"),
        ("javascript:alert({metric})", "must begin with http"),
    ],
)
def test_addresses_of_links(address, problem):
    assert link_problem(address).startswith(problem)
    assert bool(link_problem(address)) == bool(problem)


def test_strategies_are_built_where_they_are_used(capsys):
    http, console = CHANNELS["http"], CHANNELS["console"]
    configured = [
        ("ops", http, HttpSettings("http://127.0.0.1:1/", payload="skyline")),
        ("unused", http, HttpSettings("http://h/")),
        ("console", console, console.settings()),
    ]
    built = build_strategies(configured, ["ops", "console", "ops"])
    assert list(built) == ["ops", "console"]
    assert (built["ops"].groups, built["ops"].resolves) == ("never", False)
    assert (built["console"].groups, built["console"].resolves) == ("together", True)
    message = Message.of(match_rules([anomaly("a")], Plan([ROW], {}), START)[0][0].alert)
    built["console"].alerter.send(message, 0)
    build_strategies(configured, ["console"], json=True)["console"].alerter.send(message, 0)
    captured = capsys.readouterr()
    assert (captured.out.count("ANOMALY a"), captured.err.count("ANOMALY a")) == (1, 1)


def test_strategies_that_cannot_be_built():
    broken = Channel("pigeon", "by pigeon", dict, lambda _: 1 / 0)
    with pytest.raises(InputError, match="no strategy 'pigeon' in the configuration; it has: none"):
        build_strategies([], ["pigeon"])
    with pytest.raises(InputError, match=r"\[alerters\.pigeon\] is not usable: ZeroDivisionError"):
        build_strategies([("pigeon", broken, None)], ["pigeon"])


def test_an_unknown_strategy_fails_alone():
    world = World()
    summary = world.run(["a"], [AlertRow("", ("nobody", "http"), 60)])
    assert (summary.sent, summary.failed) == (1, 1)
    assert "nobody: 1 alert not sent: there is no such strategy" in summary.problems()
