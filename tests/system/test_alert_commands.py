"""`ridgeline alert`: tests of alerters, routes, and the outbox, on the state that real runs leave."""

import contextlib
import json
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.delivery import START, Scripted, World, anomaly
from rigs.desk import PLACES, Desk, loaded_places
from rigs.http import Answer, http_server
from rigs.names import names
from rigs.redis import free_port
from rigs.runs import received, told

from ridgeline.engine.alerts.route import route
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.schedule import Schedule
from ridgeline.engine.alerts.silence import Silence, begin_silence
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.waiting import drop, list_waiting, retry
from ridgeline.engine.cli.main import main
from ridgeline.io.state.batch import Alerted
from ridgeline.io.state.outbox import put_outbox

SENTINEL = "s3ntinel-t0ken"
ROUTE_KEYS = ["rule", "strategy", "recipients", "suppressed_until", "muted", "scheduled"]
WAITING_KEYS = ["strategy", "metric", "attempts", "next", "reason", "since"]
MAIL = """\
[alerters.smtp]
host = "127.0.0.1"
sender = "ridgeline@example.org"
recipients = {{ "billing" = ["billing@example.org"], "stats" = ["all@example.org"] }}
default_recipients = ["oncall@example.org"]
{more}
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    with loaded_places(tmp_path_factory.mktemp("fleet")) as found:
        yield found


@pytest.fixture(params=PLACES)
def desk(request, places, tmp_path, capsys):
    return Desk(places[request.param], tmp_path, capsys)


@pytest.fixture
def quick(places, tmp_path, capsys):
    """A desk where the place of the state makes no difference."""
    return Desk(places["sqlite"], tmp_path, capsys)


# The outbox -----------------------------------------------------------------------------------------------------------


def test_what_an_endpoint_missed_is_listed_retried_and_sent(desk):
    with http_server(Answer(503, {"Retry-After": "600"})) as http:
        desk.configure(http=http)
        assert desk.json("alert", "outbox", "list") == []
        code, report, _ = desk.run()
        missed = sorted(one["metric"] for one in report["anomalies"])
        assert (code, report["alerts"]) == (70, told(queued=len(missed)))

        listed = desk.json("alert", "outbox", "list")
        assert sorted(one["metric"] for one in listed) == missed
        assert [list(one) for one in listed] == [WAITING_KEYS] * len(missed)
        now = time.time()
        for one in listed:
            assert (one["strategy"], one["attempts"]) == ("http", 1)
            assert "503" in one["reason"]
            assert one["since"] <= now + 1 < now + 300 < one["next"]
        code, text, err = desk.call("alert", "outbox", "list")
        assert (code, err, len(text.splitlines())) == (0, "", len(missed))
        assert all(metric in text for metric in missed)

        http.answers = [Answer(200)]
        http.requests.clear()
        assert desk.run()[1]["alerts"] == told(queued=len(missed)), "neither its turn nor its breaker's"
        assert not http.requests
        again = desk.json("alert", "outbox", "retry")
        assert [one["metric"] for one in again] == [one["metric"] for one in listed]
        assert all(one["next"] <= time.time() for one in again)
        code, report, _ = desk.run()
        assert (code, report["alerts"]) == (0, told(sent=len(missed), messages=1))
        assert sorted(received(http)) == missed
        assert desk.json("alert", "outbox", "list") == []
        assert desk.call("alert", "outbox", "list") == (0, "nothing waits to be sent\n", "")


def test_one_metric_is_retried_or_dropped(desk):
    with http_server(Answer(503, {"Retry-After": "600"})) as http:
        desk.configure(
            http=http, alerts=[("", "http|syslog", 3600)], extra='[alerters.syslog]\naddress = "tcp://127.0.0.1:1"'
        )
        report = desk.run()[1]
        first, second, *others = sorted(one["metric"] for one in report["anomalies"])
        assert {one["strategy"] for one in desk.json("alert", "outbox", "list")} == {"http", "syslog"}
        dropped = desk.json("alert", "outbox", "drop", first, "--strategy", "http")
        assert [(one["strategy"], one["metric"]) for one in dropped] == [("http", first)]
        left = {(one["strategy"], one["metric"]) for one in desk.json("alert", "outbox", "list")}
        assert ("syslog", first) in left
        assert ("http", first) not in left
        assert len(desk.json("alert", "outbox", "drop", first)) == 1, "the other strategy's"
        assert len(desk.json("alert", "outbox", "list", "--strategy", "http")) == len(others) + 1

        http.answers = [Answer(200)]
        http.requests.clear()
        assert {one["metric"] for one in desk.json("alert", "outbox", "retry", second, "--strategy", "http")} == {
            second
        }
        desk.run()
        assert sorted(received(http)) == [first, second], "what was dropped lasts, and is news"


def test_retry_leaves_alone_what_is_due_and_forgets_no_field(desk):
    now = 1_700_000_000.0
    desk.configure(http=None, alerts=())
    alert = {"metric": "a", "value": 1.0, "timestamp": 5, "rule": "a", "later": "versions'"}
    due = {"since": now - 60, "attempts": 2, "next": now - 1, "reason": "503", "status": "firing", "alert": alert}
    with desk.state() as state:
        with state.batch() as batch:
            put_outbox(batch, {("http", "a"): due, ("http", "b"): {**due, "next": now + 500}})
        before = list_waiting(state, now)
        with state.batch() as batch:  # a run has sent it meanwhile
            batch.drop("outbox", ['["http", "a"]'])
        after = retry(state, before, now)
        assert [one.next for one in after] == [now - 1, now]
        from ridgeline.io.state.outbox import read_outbox

        assert read_outbox(state) == {("http", "b"): {**due, "next": now}}
        drop(state, list_waiting(state, now))
        assert list_waiting(state, now) == []


def test_damaged_entries_are_listed_and_can_be_dropped(desk):
    desk.configure(http=None, alerts=())
    with desk.state() as state, state.batch() as batch:
        batch.put("outbox", {'["http", "a"]': "nonsense", '["http", "b"]': {"alert": {}}, "nobody's": {}})
    listed = desk.json("alert", "outbox", "list")
    assert [(one["metric"], one["attempts"], one["next"], one["since"]) for one in listed] == [
        ("a", 0, None, None),
        ("b", 0, None, None),
    ]
    assert "damaged" in listed[0]["reason"]
    assert len(desk.json("alert", "outbox", "retry")) == 2
    assert len(desk.json("alert", "outbox", "drop", "b")) == 1
    assert [one["metric"] for one in desk.json("alert", "outbox", "list")] == ["a"]


@pytest.mark.parametrize(
    "metric", ["a\nb", "-rf", "--", "m\N{SNOWMAN}.\u202egpj", "\udc80", "a b'\"", "x" * 5000, "list"]
)
def test_hostile_names_are_listed_and_dropped(quick, metric):
    quick.configure(http=None, alerts=())
    entry = {
        "since": 1.0,
        "attempts": 0,
        "next": 1.0,
        "reason": "\x1b[2J",
        "status": "firing",
        "alert": {"metric": metric},
    }
    for name in (metric, metric.encode("unicode_escape").decode()):
        with quick.state() as state, state.batch() as batch:
            put_outbox(batch, {("http", metric): entry, ("http", "other"): entry})
        code, text, err = quick.call("alert", "outbox", "list")
        assert (code, err, len(text.splitlines())) == (0, "", 2)
        assert text.replace("\n", "").isprintable()
        assert metric in {one["metric"] for one in quick.json("alert", "outbox", "list")}
        if name != metric and not metric.isascii():
            continue  # shown by other escapes than Python's
        if name != metric and name.replace("\\n", "\n") != metric:
            continue
        assert len(quick.json("alert", "outbox", "drop", "--", name)) == 1
        assert [one["metric"] for one in quick.json("alert", "outbox", "list")] == ["other"]


def test_what_does_not_wait_is_said(desk):
    desk.configure(http=None, alerts=())
    for action in ("retry", "drop"):
        code, out, err = desk.call("alert", "outbox", action, "a\nb", "--json")
        assert (code, out) == (2, "")
        assert err == "ridgeline: nothing waits to be sent for a\\nb: `ridgeline alert outbox list` shows what does\n"
    assert desk.json("alert", "outbox", "retry") == []


# Routes ---------------------------------------------------------------------------------------------------------------


def test_a_route_says_what_a_run_did_and_will_do(desk):
    with http_server() as http:
        desk.configure(
            http=http, alerts=[("nothing.like.this", "http", 60), ("", "http|console", 3600), (".*", "http", 60)]
        )
        metric = desk.run("--dry-run")[1]["anomalies"][0]["metric"]
        (first, second) = desk.json("alert", "route", metric)
        assert list(first) == ROUTE_KEYS
        assert first == {
            "rule": "", "strategy": "http", "recipients": [], "suppressed_until": None, "muted": False, "scheduled": True,
        }  # fmt: skip
        assert second["strategy"] == "console"
        assert "would be sent now" in desk.call("alert", "route", metric)[1]

        began = time.time()
        desk.run()
        routes = desk.json("alert", "route", metric)
        assert all(began + 3590 < one["suppressed_until"] <= time.time() + 3602 for one in routes)
        assert desk.run()[1]["alerts"]["sent"] == 0
        assert "suppressed until" in desk.call("alert", "route", metric)[1]

        desk.call("silence", metric, "--for", "1h", "--strategy", "http", "--why", "kernel\nupgrade")
        silent, open_ = desk.json("alert", "route", metric)
        assert "kernel\nupgrade" in silent["muted"]
        assert open_["muted"] is False
        assert "kernel\\nupgrade" in desk.call("alert", "route", metric)[1]


def test_pauses_and_mutes_of_skyline_are_said(places, tmp_path, capsys):
    desk, client = Desk(places["redis"], tmp_path, capsys), places["redis"].client
    with http_server() as http:
        desk.configure(http=http)
        client.set("alert.paused.http.a", str(time.time() + 60))
        client.hset("metrics_manager.mute_alerts_on", "b", "for as long as it is there")
        client.hset("metrics_manager.mute_alerts_on", "c", str(time.time() - 60))
        muted = {metric: desk.json("alert", "route", metric)[0]["muted"] for metric in "abc"}
    assert "an operator of Skyline paused it until" in muted["a"]
    assert muted["b"] == "an operator of Skyline paused it"
    assert muted["c"] is False


def test_recipients_are_shown_as_they_add_up(quick):
    quick.configure(
        alerts=[("stats", "smtp", 60), ("none", "smtp", 60), ("", "smtp", 60)],
        extra=MAIL.format(more=""),
    )
    text = quick.config.read_text().replace('match = "none"', 'match = "none"\nrecipients = ["no_email"]')
    quick.config.write_text(text)
    recipients = {m: quick.json("alert", "route", m)[0]["recipients"] for m in ("stats.billing.x", "stats.x", "x")}
    assert recipients == {
        "stats.billing.x": ["billing@example.org", "all@example.org"],
        "stats.x": ["all@example.org"],
        "x": ["oncall@example.org"],
    }
    (nobody,) = quick.json("alert", "route", "none.y")
    assert "no_email" in nobody["muted"]


def test_a_rule_that_sleeps_is_said(quick):
    with http_server() as http:
        quick.configure(http=http)
        today = (
            time.strftime("%a", time.gmtime()).lower(),
            time.strftime("%a", time.gmtime(time.time() + 86400)).lower(),
        )
        other = next(day for day in ("mon", "wed", "fri") if day not in today)
        quick.config.write_text(
            quick.config.read_text().replace(
                "expiration = 3600", f'schedule = {{ days = ["{other}"], timezone = "UTC" }}'
            )
        )
        assert [one["scheduled"] for one in quick.json("alert", "route", "a")] == [False]
        assert "not at this hour" in quick.call("alert", "route", "a")[1]


@pytest.mark.parametrize("metric", ["a\nb", "-rf", "", "m\N{SNOWMAN}.\u202egpj", "\udc80", "x" * 100_000])
def test_any_name_has_a_route(quick, metric):
    with http_server() as http:
        quick.configure(http=http, alerts=[("nothing.like.this", "http", 60)])
        assert quick.json("alert", "route", "--", metric) == []
        code, text, err = quick.call("alert", "route", "--", metric)
        assert (code, err, len(text.splitlines())) == (0, "", 1)
        assert text.startswith("no [[alert]] matches")
        assert text.rstrip("\n").isprintable()


def test_without_its_state_a_route_is_what_a_run_would_do(quick, monkeypatch):
    monkeypatch.setenv("TOKEN", SENTINEL)
    with http_server() as http:
        quick.configure(http=http)
        source = f'[source]\nurl = "redis://127.0.0.1:{free_port()}/0"\npassword_env = "TOKEN"\n[run]'
        quick.config.write_text(source + quick.config.read_text().partition("[run]")[2])
        code, out, err = quick.call("alert", "route", "a", "--json")
        assert (code, len(err.splitlines())) == (70, 1)
        assert json.loads(out)[0]["suppressed_until"] is None
        assert "a run would send" in err
        for words in (
            ["alert", "outbox", "list"],
            ["silence", "list"],
            ["silence", "a", "--for", "1h"],
            ["silence", "end", "a"],
        ):
            code, out, error = quick.call(*words, "--json")
            assert (code, out, len(error.splitlines())) == (70, "", 1), words
            assert SENTINEL not in error + err


patterns = st.sampled_from(["", "web", "web.cpu", "db", ".*cpu", "^web", "cpu.web", "web.1.cpu", "nothing"])
metrics = st.one_of(st.sampled_from(["web.1.cpu", "web.2.mem", "db.1.cpu", "cpu"]), names)
strategies = ["http", "slack", "smtp"]
rules = st.builds(
    AlertRow,
    patterns,
    st.lists(st.sampled_from(strategies), min_size=1, max_size=3, unique=True).map(tuple),
    expiration=st.sampled_from([0, 60, 3600]),
    recipients=st.sampled_from([(), ("me",), ("no_email",), ("me", "no_email")]),
    schedule=st.sampled_from([None, Schedule(start=8 * 60, end=9 * 60), Schedule(start=22 * 60, end=23 * 60)]),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(rules, max_size=6),
    metrics,
    st.lists(st.tuples(patterns, st.sampled_from(["", *strategies]), st.sampled_from([-5, 100])), max_size=3),
    st.lists(st.sampled_from(strategies), unique=True),
)
def test_a_route_agrees_with_what_a_run_then_does(rows, metric, silences, sent_lately):
    """START is 22:13 UTC."""
    world = World(**{name: Scripted() for name in strategies})
    smtp = Strategy(
        "smtp",
        world.alerters["smtp"],
        takes_recipients=True,
        recipients=(("cpu", ("cpu@x",)),),
        default_recipients=("all@x",),
    )
    plan = world.plan(rows, {"smtp": smtp})
    for pattern, strategy, left in silences:
        begin_silence(world.state, Silence(pattern, START + left, strategy), START)
    world.state.record_alerts([Alerted(name, metric, int(START) - 5, 60) for name in sent_lately])

    found = route(metric, plan, world.state, START)
    summary = world.run([anomaly(metric)], plan=plan)
    sent = {name: scripted.messages[0] for name, scripted in world.alerters.items() if scripted.messages}
    assert {one.strategy for one in found if one.open} == sent.keys()
    for one in found:
        if one.open:
            alert = sent[one.strategy].first
            assert (alert.rule, alert.recipients) == (one.rule, one.recipients)
    counted = {name: summary.counts()[name] for name in ("suppressed", "muted", "unmatched")}
    suppressed = [one for one in found if one.suppressed_until is not None]
    assert counted == {
        "suppressed": len(suppressed),
        "muted": sum(not one.open for one in found) - len(suppressed),
        "unmatched": int(not found),
    }
    assert all(START < one.suppressed_until <= START + 61 for one in suppressed)


# Tests of alerters ----------------------------------------------------------------------------------------------------


def test_a_test_goes_the_way_of_real_alerts(desk):
    with http_server() as http:
        desk.configure(http=http, alerts=[("stats.", "http", 60), ("eu-west", "http", 60)])
        code, text, err = desk.call("alert", "test", "http")
        assert (code, err) == (0, "")
        assert text.startswith("sent by http in 0.")
        (request,) = http.requests
        assert request.json["test"] is True
        assert request.json["headline"] == "TEST ridgeline.test is anomalous: 10"
        assert (request.json["rule"], request.json["alerts"][0]["metric"]) == ("stats.", "ridgeline.test")
        told = desk.json("alert", "test", "http", "--pattern", "eu-west")
        assert {**told, "seconds": 0} == {
            "strategy": "http", "rule": "eu-west", "recipients": [], "sent": True, "outcome": "sent", "reason": "",
            "missed": [], "picture": False, "seconds": 0,
        }  # fmt: skip
        assert desk.json("alert", "test", "http", "--pattern", "eu-west.web1.cpu")["rule"] == "eu-west", (
            "a metric's name"
        )
        assert desk.json("alert", "outbox", "list") == []
        assert desk.json("alert", "route", "stats.ridgeline.test")[0]["suppressed_until"] is None


def test_a_silence_holds_no_test(quick):
    with http_server() as http:
        quick.configure(http=http)
        quick.call("silence", "", "--for", "1h")
        assert quick.json("alert", "test", "http")["sent"]


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (Answer(503), "retry", "503"),
        (Answer(404), "rejected", "404"),
        (Answer(silent=True), "unknown", ""),
        (Answer(raw=b"nonsense\r\n\r\n"), "unknown", ""),
    ],
    ids=["down", "gone", "hangs", "nonsense"],
)
def test_a_test_that_fails_says_why(quick, answer, outcome, words, monkeypatch):
    monkeypatch.setenv("TOKEN", SENTINEL)
    with http_server(answer) as http:
        quick.configure(http=http, extra='[alerters.other]\nkind = "console"')
        quick.config.write_text(
            quick.config.read_text().replace("concurrency = 2", 'token_env = "TOKEN"\ntimeout = 0.5', 1)
        )
        began = time.monotonic()
        code, out, err = quick.call("alert", "test", "http", "--json")
        assert time.monotonic() - began < 10
        assert (code, len(err.splitlines())) == (70, 1)
        found = json.loads(out)
        assert (found["sent"], found["outcome"]) == (False, outcome)
        assert found["reason"]
        assert words in found["reason"]
        assert err.startswith("ridgeline: the test alert was not sent by http: ")
        assert len(http.requests) == 1, "once"
        assert quick.call("alert", "test", "http")[:2] == (70, "")
        assert SENTINEL not in out + err


def test_an_alerter_that_never_returns_is_left_behind(quick, tmp_path, monkeypatch):
    (tmp_path / "stuck_channel.py").write_text(
        "import threading\nfrom dataclasses import dataclass\nfrom ridgeline.alerters import Channel\n\n\n"
        "@dataclass(frozen=True)\nclass Settings:\n    timeout: float = 0.3\n\n\n"
        "@dataclass(frozen=True)\nclass Stuck:\n    timeout: float\n    concurrency: int = 1\n\n"
        "    def send(self, message, deadline):\n        threading.Event().wait(60)\n\n\n"
        'CHANNEL = Channel("stuck", "hangs", Settings, lambda settings: Stuck(settings.timeout))\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    quick.configure(alerts=(), extra='[alerters.mine]\nmodule = "stuck_channel"')
    code, _, err = quick.call("alert", "test", "mine")
    assert (code, err) == (70, "ridgeline: the test alert was not sent by mine: the attempt did not end in time\n")


def test_recipients_of_a_test_are_those_of_its_rule(quick):
    quick.configure(
        alerts=[("stats", "smtp", 60), ("quiet", "smtp", 60)],
        extra=MAIL.format(more=f"port = {free_port()}\n[delivery]\npictures = 0"),
    )
    quick.config.write_text(
        quick.config.read_text().replace('match = "quiet"', 'match = "quiet"\nrecipients = ["no_email"]')
    )
    for pattern, to in (("stats", ["all@example.org"]), ("stats.billing", ["billing@example.org", "all@example.org"])):
        code, out, _ = quick.call("alert", "test", "smtp", "--json", "--pattern", pattern)
        assert (code, json.loads(out)["recipients"]) == (70, to)
    code, _, err = quick.call("alert", "test", "smtp", "--pattern", "quiet")
    assert code == 70
    assert "no_email stands for nobody" in err


def test_the_console_leaves_standard_output_to_json(quick):
    quick.configure(alerts=[("", "console", 60)])
    code, out, err = quick.call("alert", "test", "console", "--json")
    assert (code, json.loads(out)["sent"]) == (0, True)
    assert err.startswith("TEST ANOMALY ridgeline.test at ")
    text = quick.call("alert", "test", "console")[1]
    assert text.startswith("TEST ANOMALY ridgeline.test")
    assert 'by the rule for every metric: "TEST ridgeline.test is anomalous: 10"' in text


def test_a_strategy_that_no_rule_names_can_be_tested(quick):
    quick.configure(alerts=(), extra='[alerters.console]\nstream = "stdout"')
    assert "no [[alert]] names it" in quick.call("alert", "test", "console")[1]
    code, out, _ = quick.call("alert", "test", "console", "--json")
    assert (code, json.loads(out)["rule"]) == (0, None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["htp"], "there is no strategy 'htp' in the configuration; it has: http, syslog"),
        (["-x"], "unrecognized arguments"),
        (
            ["http", "--pattern", "nothing.like.it"],
            'no [[alert]] for http has the match "nothing.like.it" or matches it',
        ),
        (["syslog", "--pattern", "("], 'no [[alert]] for syslog has the match "(" or matches it; there is: none'),
    ],
)
def test_what_cannot_be_tested_is_said(quick, words, sentence):
    with http_server() as http:
        quick.configure(
            http=http, alerts=[("stats.", "http", 60)], extra='[alerters.syslog]\naddress = "tcp://127.0.0.1:1"'
        )
        code, out, err = quick.call("alert", "test", *words, "--json")
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert sentence in err or "required" in err
        assert not http.requests


def test_a_configuration_without_alerts(quick):
    quick.configure(alerts=())
    assert quick.json("alert", "route", "a") == []
    code, _, err = quick.call("alert", "test", "http")
    assert (code, err) == (2, "ridgeline: there is no strategy 'http' in the configuration; it has: none\n")


@pytest.mark.parametrize(
    "words", [["alert", "test", "http"], ["alert", "route", "a"], ["alert", "outbox", "list"], ["silence", "list"]]
)
def test_no_configuration(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "`ridgeline config init ridgeline.toml` writes one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["alert"], ["alert", "outbox"], ["alert", "list"], ["alert", "outbox", "drop"], ["alert", "route"]]
)
def test_what_is_missing_takes_one_line(words, capsys):
    assert main(words) == 2
    printed = capsys.readouterr()
    assert (printed.out, len(printed.err.splitlines())) == ("", 1)


@pytest.mark.parametrize("words", [["alert"], ["alert", "test"], ["alert", "route"], ["alert", "outbox"], ["silence"]])
def test_each_has_help(words, capsys):
    assert main([*words, "--help"]) == 0
    assert f"usage: ridgeline {' '.join(words)} " in capsys.readouterr().out


def test_they_work_while_a_run_is_at_work(desk):
    """A run that hangs at its endpoint holds the lock, not the state."""
    with http_server(Answer(200, delay=2)) as http:
        desk.configure(http=http)
        command = [sys.executable, "-m", "ridgeline", "run", "--config", str(desk.config), "--as-of", "1700000000"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            with contextlib.suppress(TimeoutError):
                _wait_for(lambda: http.requests, 60)
            waiting = desk.json("alert", "outbox", "list")
            metric = waiting[0]["metric"]
            assert len(desk.json("silence", metric, "--for", "1h")) == 1
            assert desk.json("alert", "route", metric)[0]["muted"]
            assert desk.json("alert", "outbox", "retry") == waiting, "what is due is left to the run"
            assert process.wait(120) == 0, process.stderr.read()
        assert desk.json("alert", "outbox", "list") == []
        assert desk.json("alert", "route", metric)[0]["suppressed_until"] > time.time()


def _wait_for(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
