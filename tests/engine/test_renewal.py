"""Channels whose alerts end by themselves are told again by each run while an anomaly lasts, and it counts as nothing."""

import pytest
from rigs.delivery import START, Scripted, World, counts
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import END, load, run_json, write_config

from ridgeline.alerters import SENT, Outcome
from ridgeline.alerters import load as channels
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.schedule import Schedule
from ridgeline.engine.alerts.silence import Silence, begin_silence
from ridgeline.engine.alerts.strategy import Strategy

DOWN = Outcome("retry", "down")
ROWS = [AlertRow("", ("am", "http"), 600)]


class Renewing(World):
    """A world with a channel whose alerts end by themselves, beside one whose do not."""

    def __init__(self, *outcomes, **settings):
        super().__init__(am=Scripted(*outcomes, **settings), http=Scripted())
        self.knowing = {"am": Strategy("am", self.am, "never", resolves=True, renews=True)}

    def minute(self, fires=(), normal=(), rows=ROWS, **more):
        return self.judged(fires, normal, rows=rows, after=60, strategies=self.knowing, **more)

    def sent(self):
        """What the channel was sent since last asked: status and metrics of each message."""
        found = [(message.status, sorted(alert.metric for alert in message.alerts)) for message in self.am.messages]
        self.am.messages.clear()
        return found


def test_what_lasts_is_told_again_each_run_and_counts_as_nothing():
    world = Renewing()
    assert counts(world.minute(["a", "b"])) == {"sent": 4, "messages": 3}
    world.sent()
    for minute in range(2, 10):
        log = len(world.log)
        assert counts(world.minute(["a", "b"])) == {"suppressed": 4}
        assert [message.first.age for message in world.am.messages] == [60 * (minute - 1)]
        assert world.sent() == [("firing", ["a", "b"])]
        assert {what for what, *_ in world.log[log:]} == {"send"}, "nothing is recorded"
    assert counts(world.minute(["a"], ["b"])) == {"suppressed": 2}
    assert world.sent() == [("firing", ["a"])]
    assert len(world.http.messages) == 1


def test_once_the_expiration_is_over_it_is_an_alert_again():
    world = Renewing()
    fates = [counts(world.minute(["a"])).get("sent", 0) for _ in range(12)]
    assert fates == [2, *[0] * 9, 2, 0]
    assert world.sent() == [("firing", ["a"])] * 12


def test_a_new_incident_within_the_expiration_is_no_renewal():
    """Receivers closed the one before: to them it would be an alert that nobody is to hear yet."""
    world = Renewing()
    for fires, normal in ((["a"], []), ([], ["a"]), ([], ["a"]), ([], ["a"]), (["a"], [])):
        world.minute(fires, normal)
    assert world.sent() == [("firing", ["a"]), ("resolved", ["a"])]


def test_what_a_rule_holds_back_is_renewed_only_where_it_was_told():
    world = Renewing()
    rows = [AlertRow("", ("am",), 600, m_of_n=(2, 2))]
    for fires, normal in ((["a"], []), (["a"], []), ([], ["a"]), (["a"], [])):
        world.minute(fires, normal, rows, keep=2)
    assert world.sent() == [("firing", ["a"])] * 2, "at the second and the fourth run"


@pytest.mark.parametrize("how", ["silence", "pause", "hours"])
def test_what_is_muted_is_not_renewed(how):
    world = Renewing()
    day = Schedule(start=0, end=24 * 60)
    rows = [AlertRow("", ("am",), 600, schedule=day)]
    world.minute(["a"], rows=rows)
    if how == "silence":
        begin_silence(world.state, Silence("a", world.clock.now + 3000, "am"), world.clock.now)
    elif how == "pause":
        world.state.operators = lambda pairs: [world.clock.now + 3000 for _ in pairs]
    else:
        rows = [AlertRow("", ("am",), 600, schedule=Schedule(days=()))]
    world.sent()
    assert counts(world.minute(["a"], rows=rows)) == {"suppressed": 1}
    assert world.sent() == []
    assert world.waiting() == {}


def test_an_endpoint_that_is_down_queues_no_renewal_and_is_left_alone_while_its_breaker_is_open():
    world = Renewing()
    world.minute(["a"], rows=[AlertRow("", ("am",), 3600)])
    world.am.outcomes, world.am.messages = [DOWN], []
    summary = world.minute(["a"], rows=[AlertRow("", ("am",), 3600)])
    assert (counts(summary), summary.complete) == ({"suppressed": 1}, True)
    assert summary.problems() == ["am: 1 alert not repeated while ongoing: down"]
    assert (len(world.am.messages), world.waiting()) == (1, {}), "once is enough: the next run does the same"
    began = world.clock.now + 5
    summary = world.judged(["a"], rows=[AlertRow("", ("am",), 3600)], after=5, strategies=world.knowing)
    assert (len(world.am.messages), world.clock.now, summary.problems()) == (1, began, [])
    world.am.outcomes, world.am.messages = [SENT], []
    assert counts(world.minute(["a"], rows=[AlertRow("", ("am",), 3600)])) == {"suppressed": 1}
    assert world.sent() == [("firing", ["a"])]
    assert world.state.get("breaker.am") is None


def test_a_thousand_at_most_go_in_one_message():
    world = Renewing()
    names = [f"m.{n:04}" for n in range(2500)]
    world.minute(names)
    world.sent()
    world.minute(names)
    sizes = [len(metrics) for _, metrics in world.sent()]
    assert sizes == [1000, 1000, 500]


def test_it_comes_after_all_that_is_new():
    world = Renewing()
    world.minute(["a"])
    world.log.clear()
    world.minute(["a", "b"])
    sent = [(strategy, metric) for what, strategy, metric in (entry for entry in world.log if entry[0] == "send")]
    assert sent == [("am", "b"), ("http", "b"), ("am", "a")]


def test_alerts_about_ourselves_last_too():
    from ridgeline.engine.alerts.notices import no_data_items

    world = Renewing()
    for _ in range(3):
        notices = no_data_items("nothing comes", 0.0, int(START), world.plan(ROWS, world.knowing), world.clock.now)
        world.minute(notices=notices)
    assert world.sent() == [("firing", ["ridgeline.no_data"])] * 3
    assert len(world.http.messages) == 1


def test_of_our_channels_alertmanagers_alerts_end_by_themselves():
    assert [channel.kind for channel in channels().values() if channel.renews] == ["alertmanager"]


def test_a_run_renews_what_lasts(tmp_path, capsys):
    """Twice a fleet in Redis: the second run posts the same alerts, one each, and counts none."""
    with redis_server() as server, http_server() as http:
        load(server.client)
        extra = f'[alerters.alertmanager]\nurl = "{http.url}"'
        config = write_config(tmp_path, server.url, alerts=[("", "alertmanager", 3600)], extra=extra)
        _, first, _ = run_json(capsys, config)
        code, second, _ = run_json(capsys, config, as_of=END + 1)
    found = len(first["anomalies"])
    assert (first["alerts"]["sent"], code, second["alerts"]["sent"]) == (found, 0, 0)
    assert second["alerts"]["suppressed"] == found
    labels = [sorted(alert["labels"]["metric"] for alert in request.json) for request in http.requests]
    assert labels[0] == labels[1] == sorted(row["metric"] for row in first["anomalies"])


def test_a_renewal_that_fails_makes_no_run_partial(tmp_path, capsys):
    with redis_server() as server, http_server(Answer(), Answer(400)) as http:
        load(server.client)
        extra = f'[alerters.alertmanager]\nurl = "{http.url}"'
        config = write_config(tmp_path, server.url, alerts=[("", "alertmanager", 3600)], extra=extra)
        run_json(capsys, config)
        code, found, said = run_json(capsys, config, as_of=END + 1)
    assert (code, found["alerts"]["queued"], found["alerts"]["failed"]) == (0, 0, 0)
    assert "not repeated while ongoing" in said
