"""`[[external_alerts]]`: rules that somebody else's service keeps. A hostile one costs a run nothing but a sentence."""

import json
import re
import time

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.delivery import START, Scripted, anomaly
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import END, TABLE, load, run_json, write_config

from ridgeline.engine.alerts import strategy
from ridgeline.engine.alerts.external import (
    LONGEST_EXPIRATION,
    MOST_EXPRESSIONS,
    MOST_ROWS,
    ExternalAlerts,
    in_order,
    read_rows,
)
from ridgeline.engine.alerts.external_source import FRESH, LARGEST, ask, last_known, read_kept
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.cli.main import main
from ridgeline.io.errors import InputError
from ridgeline.io.secret import Secret
from ridgeline.io.state.in_memory import MemoryState

KNOWN = {"http", "http_alerter-x", "smtp", "console"}
RULE = {"alerter": "http", "namespace": "demo", "expiration": 600, "second_order_resolution": 0}


def reply(**rules):
    return {"data": {identity: {**RULE, **told} for identity, told in rules.items()}}


def body(value):
    return Answer(body=json.dumps(value).encode())


def service(server, name="team", **more):
    return ExternalAlerts(name, Secret(f"{server.url}rules?key=SENTINEL"), **more)


def asked(sources, state=None, now=START, seconds=5.0, known=KNOWN):
    """What a run finds; what is to be kept is kept."""
    state = state or MemoryState(lambda: now)
    found = ask(sources, known, read_kept(sources, state), now, time.monotonic() + seconds)
    state.apply(found.batch)
    return found


# What is taken of a reply ---------------------------------------------------------------------------------------------


def test_a_rule_in_skylines_json():
    (row,) = read_rows(
        reply(i7={"namespace_prefix": "org,eu", "namespace": "web", "second_order_resolution": 604800}), KNOWN
    ).rows
    assert row == AlertRow("org.eu.web", ("http",), 600, second_order_hours=168, external_id="i7")


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"namespace": "a,b.c"}, "a.b.c"),
        ({"namespace": "a.b", "namespace_prefix": "a.b"}, "a.b"),
        ({"namespace": "a.b", "namespace_prefix": ""}, "a.b"),
        ({"namespace": "a.b", "namespace_prefix": None}, "a.b"),
        ({"namespace": "b", "namespace_prefix": "a"}, "a.b"),
    ],
)  # fmt: skip
def test_namespaces(told, match):
    assert [row.match for row in read_rows(reply(a=told), KNOWN).rows] == [match]


@pytest.mark.parametrize(
    ("alerter", "strategies"),
    [
        ("smtp|http", ("smtp", "http")),
        ("http_alerter-x", ("http_alerter-x",)),
        ("http_alerter-other", ("http",)),
        ("http|http_alerter-other", ("http",)),
    ],
)
def test_the_strategy_is_that_of_the_name_else_that_of_its_kind(alerter, strategies):
    assert [row.strategies for row in read_rows(reply(a={"alerter": alerter}), KNOWN).rows] == [strategies]


def test_recipients_and_all_else_of_a_reply_are_not_looked_at():
    told = {"recipients": ["evil@example.com"], "severity": "x", "schedule": 5, "group": [], "learn_days": "z"}
    assert read_rows(reply(a=told), KNOWN).rows == read_rows(reply(a={}), KNOWN).rows
    assert "evil" not in json.dumps(read_rows(reply(a=told), KNOWN).data)


def test_rules_of_boundary_are_passed_over():
    reading = read_rows(reply(a={"boundary": {"x": 1}}, b={}), KNOWN)
    assert ([row.external_id for row in reading.rows], reading.refused) == (["b"], ())


WRONG = [
    ({"alerter": "slack"}, '"slack" is no strategy of the configuration'),
    ({"alerter": "http|slack"}, '"slack" is no strategy of the configuration'),
    ({"alerter": "ana@example.com"}, '"ana@example.com" is no strategy'),
    ({"alerter": "\x1b[2J"}, r'"\x1b[2J" is no strategy'),
    ({"alerter": ""}, "alerter names no strategy"),
    ({"alerter": "http||smtp"}, "alerter names no strategy"),
    ({"alerter": ["http"]}, "alerter names no strategy"),
    ({"alerter": None}, "alerter names no strategy"),
    ({"expiration": "600"}, "expiration is no number"),
    ({"expiration": True}, "expiration is no number"),
    ({"expiration": None}, "expiration is no number"),
    ({"expiration": 0}, "expiration must lie between 1 and 86400"),
    ({"expiration": -5}, "expiration must lie between 1 and 86400"),
    ({"expiration": LONGEST_EXPIRATION + 1}, "expiration must lie between 1 and 86400"),
    ({"expiration": 10**400}, "expiration"),
    ({"expiration": 1e308}, "expiration must lie between 1 and 86400"),
    ({"namespace": ""}, "namespace names no metrics"),
    ({"namespace": 7}, "namespace names no metrics"),
    ({"namespace": None}, "namespace names no metrics"),
    ({"namespace_prefix": []}, "namespace names no metrics"),
    ({"namespace": "(a"}, '"(a" is no regular expression'),
    ({"namespace": "*"}, '"*" is no pattern'),
    ({"namespace": "a" * 201}, "namespace is longer than 200 characters"),
    ({"namespace": "(" * 200}, "is no"),
    ({"second_order_resolution": "x"}, "second_order_resolution is no number"),
    ({"second_order_resolution_hours": 1e12}, "second_order_resolution_hours must lie between"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "why"), WRONG)
def test_a_rule_that_cannot_be_used_costs_itself_alone(told, why):
    reading = read_rows(reply(bad=told, good={}), KNOWN)
    assert [row.external_id for row in reading.rows] == ["good"]
    (refused,) = reading.refused
    assert refused.startswith("bad: ")
    assert why in refused
    assert refused.isprintable()
    with pytest.raises(ValueError, match="none of its rules can be used"):
        read_rows(reply(bad=told), KNOWN)


@pytest.mark.parametrize("told", [None, 5, "x", [], [{}]])
def test_a_rule_that_is_none(told):
    assert read_rows({"data": {"a": told, "b": RULE}}, KNOWN).refused == ("a: is no object",)


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"data": None}, {"data": []}, {"data": "x"}, {"rows": {}}])
def test_what_is_no_reply_is_nonsense(value):
    with pytest.raises(ValueError, match="its answer is not"):
        read_rows(value, KNOWN)


def test_no_rules_are_an_answer():
    assert read_rows({"data": {}}, KNOWN).rows == ()


def test_only_so_many_are_used():
    reading = read_rows(reply(**{f"i{n}": {} for n in range(MOST_ROWS + 500)}), KNOWN)
    assert (len(reading.rows), len(reading.refused)) == (MOST_ROWS, 500)
    reading = read_rows(reply(**{f"i{n}": {"namespace": f"a[{n}]+"} for n in range(MOST_EXPRESSIONS + 9)}), KNOWN)
    assert (len(reading.rows), len(reading.refused)) == (MOST_EXPRESSIONS, 9)
    assert len(reading.data) == MOST_EXPRESSIONS


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(told=st.dictionaries(st.text(), st.fixed_dictionaries({}, optional=dict.fromkeys(RULE, JSON)) | JSON))
def test_whatever_is_told_it_is_rules_or_refused(told):
    try:
        reading = read_rows({"data": told}, KNOWN)
    except ValueError:
        return
    assert all(refused.isprintable() for refused in reading.refused)
    for row in reading.rows:
        assert set(row.strategies) <= KNOWN
        assert (row.recipients, row.schedule, row.severity) == ((), None, "")
        assert 1 <= row.expiration <= LONGEST_EXPIRATION
    assert read_rows({"data": reading.data}, KNOWN).rows == reading.rows, "what is kept says the same"


# Order and recipients -------------------------------------------------------------------------------------------------


def test_our_own_mail_comes_before_external_rules_and_these_before_our_own_others():
    rows = [AlertRow("a", ("http", "smtp"), 1), AlertRow("b", ("smtp",), 2), AlertRow("c", ("http",), 3)]
    external = [AlertRow("x", ("smtp", "http"), 4, external_id="i")]
    found = in_order(rows, external, {"smtp"})
    assert [(row.match, row.strategies) for row in found] == [
        ("a", ("smtp",)), ("b", ("smtp",)), ("x", ("smtp", "http")), ("a", ("http",)), ("c", ("http",)),
    ]  # fmt: skip
    assert in_order(rows, [], {"smtp"}) == tuple(rows)


def test_external_mail_goes_to_those_configured_for_the_metric_and_else_to_nobody():
    mail = Strategy(
        "smtp", Scripted(), takes_recipients=True, recipients=(("db", ("dba@x",)),), default_recipients=("all@x",), kind="smtp"
    )  # fmt: skip
    chat = Strategy("slack", Scripted(), takes_recipients=True, default_recipients=("#all",), kind="slack")
    own, rows = AlertRow("own", ("smtp",)), [AlertRow("", ("smtp", "slack"), external_id="i")]
    plan = Plan(in_order([own], rows, {"smtp"}), {"smtp": mail, "slack": chat})
    items, _ = match_rules([anomaly(name) for name in ("own.db", "db", "web", "own")], plan, START)
    found = {(item.alert.metric, item.alert.strategy): item.alert.recipients for item in items}
    assert found == {
        ("own.db", "smtp"): ("dba@x",), ("db", "smtp"): ("dba@x",), ("web", "smtp"): ("no_email",), ("own", "smtp"): ("all@x",),
        **{(name, "slack"): ("#all",) for name in ("own.db", "db", "web", "own")},
    }  # fmt: skip
    assert {item.alert.external_id for item in items if item.alert.metric == "db"} == {"i"}
    assert {
        item.alert.external_id for item in items if (item.alert.metric, item.alert.strategy) == ("own", "smtp")
    } == {None}


# Fetching, keeping ----------------------------------------------------------------------------------------------------


def test_an_answer_is_used_for_five_minutes_and_then_asked_for_again():
    with http_server(body(reply(a={})), body(reply(b={}))) as server:
        state = MemoryState(lambda: START)
        source = service(server, token=Secret("t0k3n"))
        ids = []
        for now in (START, START + FRESH - 1, START + FRESH, START + FRESH - 1):
            found = asked([source], state, now)
            ids.append([row.external_id for row in found.rows])
            assert found.problems == ()
    assert ids == [["a"], ["a"], ["b"], ["b"]], "a clock that goes back asks again"
    first = server.requests[0]
    assert (first.line, first.headers["authorization"]) == ("GET /rules?key=SENTINEL HTTP/1.1", "Bearer t0k3n")
    assert len(server.requests) == 3
    kept = json.dumps(state.get("external.team"))
    assert "SENTINEL" not in kept
    assert "t0k3n" not in kept


def test_by_post_it_is_asked_with_an_empty_object():
    with http_server(body(reply(a={}))) as server:
        assert len(asked([service(server, method="POST")]).rows) == 1
    assert (server.requests[0].line.split()[0], server.requests[0].body) == ("POST", b"{}")


NONSENSE = {
    "refused": (Answer(403), "answered 403"),
    "broken": (Answer(500), "answered 500"),
    "redirect": (Answer(302, {"Location": "http://169.254.169.254/"}), "answered 302"),
    "empty": (Answer(), "is no JSON"),
    "html": (Answer(body=b"<html>"), "is no JSON"),
    "nan": (Answer(body=b'{"data": {"a": {"expiration": NaN}}}'), "is no JSON"),
    "deep": (Answer(body=b"[" * 200_000), "is no JSON"),
    "number": (Answer(body=b"9" * 100_000), "is no JSON"),
    "bytes": (Answer(body=b"\xff\xfe\x00"), "is no JSON"),
    "other": (body([1]), 'is not {"data": {...}}'),
    "bad": (body(reply(a={"alerter": "slack"})), 'none of its rules can be used: a: "slack" is no strategy'),
    "huge": (Answer(body=b" " * (LARGEST + 1)), "larger than 1 MiB"),
    "endless": (Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000), "larger than 1 MiB"),
    "cut": (Answer(headers={"Content-Length": 500}, body=b'{"data": {}}'), "broke off"),
    "no http": (Answer(raw=b"SSH-2.0-x\r\n"), "not HTTP"),
    "silent": (Answer(silent=True), ""),
    "drip": (Answer(body=json.dumps(reply(a={})).encode(), drip=0.05), ""),
}  # fmt: skip


@pytest.mark.parametrize("how", NONSENSE)
def test_where_a_service_fails_or_talks_nonsense_its_last_good_rules_stand(how):
    answer, why = NONSENSE[how]
    state = MemoryState(lambda: START)
    with http_server(body(reply(a={})), answer) as server:
        source = service(server)
        assert asked([source], state).problems == ()
        began = time.monotonic()
        found = asked([source], state, START + 720, seconds=1.0)
        assert time.monotonic() - began < 20
    assert [row.external_id for row in found.rows] == ["a"]
    (problem,) = found.problems
    assert problem.startswith('external alerts "team": ')
    assert why in problem
    assert problem.endswith("; its rules of 12 min ago stand")
    assert "SENTINEL" not in problem
    assert problem.isprintable()


def test_without_any_there_are_none_and_that_is_said():
    found = ask([ExternalAlerts("team", Secret("http://127.0.0.1:1/"))], KNOWN, [None], START, time.monotonic() + 5)
    assert (found.rows, found.batch.changes) == ((), [])
    assert found.problems[0].endswith("; it has no rules yet")


def test_rules_that_are_not_used_are_said_in_one_sentence():
    with http_server(body(reply(a={}, b={"alerter": "x"}, c={"alerter": "y"}))) as server:
        found = asked([service(server)])
    assert len(found.rows) == 1
    assert found.problems == (
        'external alerts "team": 2 of its rules are not used: b: "x" is no strategy of the configuration',
    )


def test_a_service_that_hangs_holds_up_no_other():
    with http_server(Answer(silent=True)) as hangs, http_server(body(reply(a={}))) as well:
        began = time.monotonic()
        found = asked([service(hangs, "one"), service(well, "two")], seconds=1.0)
        assert time.monotonic() - began < 15
    assert [row.external_id for row in found.rows] == ["a"]
    assert len(found.problems) == 1


def test_what_another_address_said_is_not_taken_for_this_ones():
    state = MemoryState(lambda: START)
    with http_server(body(reply(a={}))) as one:
        asked([service(one)], state)
    moved = ExternalAlerts("team", Secret("http://127.0.0.1:1/"))
    assert last_known([moved], KNOWN, read_kept([moved], state)) == ()


def test_a_strategy_that_is_no_longer_configured_takes_its_rules_along():
    state = MemoryState(lambda: START)
    with http_server(body(reply(a={}, b={"alerter": "smtp"}))) as server:
        source = service(server)
        asked([source], state)
        found = asked([source], state, START + 10, known={"http"})
    assert [row.external_id for row in found.rows] == ["a"]
    assert len(server.requests) == 1


@pytest.mark.parametrize("value", [5, "x", [], {}, {"of": "x"}, {"of": None, "at": "x", "data": {}}])
def test_damaged_state_counts_as_none(value):
    state = MemoryState(lambda: START)
    state.set("external.team", value, 60)
    with http_server(body(reply(a={}))) as server:
        assert len(asked([service(server)], state).rows) == 1


# Runs -----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        load(running.client)
        yield running


@pytest.fixture
def fleet(server):
    for key in [*server.client.scan_iter("last_alert.*"), *server.client.scan_iter("ridgeline.*")]:
        server.client.delete(key)
    return server


def configured(path, source, http, rules, *, alerts=(), extra=""):
    asks = f'[[external_alerts]]\nname = "team"\nurl = "{rules.url}rules?key=SENTINEL"\n'
    return write_config(path, source, alerts=alerts, http=http, extra=asks + extra)


@pytest.mark.parametrize("kind", ["redis", "parquet"])
def test_a_run_alerts_by_external_rules_and_remembers_them(fleet, tmp_path, capsys, kind):
    source = fleet.url if kind == "redis" else tmp_path / "fleet.parquet"
    pq.write_table(TABLE, tmp_path / "fleet.parquet")
    with http_server(body(reply(a={"namespace": ".*"})), Answer(500)) as rules, http_server() as http:
        config = configured(tmp_path, source, http, rules)
        code, first, _ = run_json(capsys, config)
        assert (code, first["alerts"]["sent"]) == (0, len(first["anomalies"]))
        assert {request.json["rule"] for request in http.requests} == {".*"}
        _, again, _ = run_json(capsys, config, as_of=END + 1)
        assert again["alerts"]["suppressed"] == len(first["anomalies"])
    assert len(rules.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(silent=True),
        Answer(body=b"[" * 1000),
        Answer(body=b" " * (LARGEST + 1)),
        Answer(drip=0.02, body=b"x" * 9999),
    ],
    ids=["silent", "nonsense", "huge", "drip"],
)
def test_a_hostile_service_costs_a_run_a_sentence(fleet, tmp_path, capsys, answer):
    with http_server(answer) as rules, http_server() as http:
        config = configured(tmp_path, fleet.url, http, rules, alerts=[("", "http", 3600)])
        began = time.monotonic()
        code, found, said = run_json(capsys, config)
        assert time.monotonic() - began < 25
    assert (code, found["alerts"]["sent"]) == (0, len(found["anomalies"]))
    assert said.count("\n") == 1
    assert said.startswith('ridgeline: external alerts "team": ')
    assert said.endswith("; it has no rules yet\n")
    assert "SENTINEL" not in json.dumps(found) + said


def test_a_service_that_names_an_alerter_that_cannot_be_built_keeps_no_rule_of_ours_from_being_followed(
    fleet, tmp_path, capsys, monkeypatch
):
    """Its own table is sound; what it needs is gone when the run comes."""
    real = strategy.build_strategies

    def build(configured, used, **more):
        if "syslog" in (names := list(used)):
            raise InputError("[alerters.syslog] is not usable")
        return real(configured, names, **more)

    monkeypatch.setattr("ridgeline.engine.run.plan.build_strategies", build)
    with http_server(body(reply(a={"alerter": "syslog", "namespace": ".*"}))) as rules, http_server() as http:
        extra = '[alerters.syslog]\naddress = "udp://127.0.0.1:9"\n'
        code, found, said = run_json(
            capsys, configured(tmp_path, fleet.url, http, rules, alerts=[("", "http", 60)], extra=extra)
        )
    assert (code, found["alerts"]["sent"]) == (0, len(found["anomalies"]))
    assert said == "ridgeline: external alerts are left out: [alerters.syslog] is not usable\n"


def test_dry_runs_ask_nobody(fleet, tmp_path, capsys):
    with http_server(body(reply(a={}))) as rules, http_server() as http:
        run_json(capsys, configured(tmp_path, fleet.url, http, rules), "--dry-run")
    assert not rules.requests


def test_the_route_of_a_metric_follows_external_rules_that_are_known(fleet, tmp_path, capsys):
    with http_server(body(reply(a={"namespace": "demo.x"}))) as rules, http_server() as http:
        config = configured(tmp_path, fleet.url, http, rules)
        run_json(capsys, config)
        assert main(["alert", "route", "demo.x.y", "--json", "--config", str(config)]) == 0
    assert [(found["rule"], found["strategy"]) for found in json.loads(capsys.readouterr().out)] == [("demo.x", "http")]
    assert len(rules.requests) == 1, "nobody is asked for it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "http://h/"', "external_alerts[0].name: is missing"),
        ('name = "a"', "external_alerts[0].url: is missing"),
        ('name = "a"\nurl = "ftp://h/"', "external_alerts[0].url: must begin with http:// or https://"),
        ('name = "a"\nurl = "http://h/"\nmethod = "PUT"', 'external_alerts[0].method: there is no method "PUT"'),
        ('name = "a"\nurl = "http://h/"\ntoken = "x"', "external_alerts[0].token: secrets do not belong in this file"),
        ('name = "a"\nurl = "http://h/"\nrecipients = ["a@x"]', "external_alerts[0].recipients: there is no such key"),
        (
            'name = "a"\nurl = "http://h/"\n[[external_alerts]]\nname = "a"\nurl = "http://h/"',
            'external_alerts[1].name: "a" is the name of another one',
        ),
    ],
)
def test_services_that_cannot_be_asked(tmp_path, capsys, text, said):
    config = write_config(tmp_path, "redis://h", alerts=(), extra=f"[[external_alerts]]\n{text}")
    assert main(["config", "check", str(config)]) == 2
    told = capsys.readouterr().err
    assert re.search(rf"ridgeline.toml:\d+: {re.escape(said)}", told)
