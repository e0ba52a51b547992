"""`ridgeline silence`: what it says, and that a run holds its alerts for as long as it lasts."""

import os
import sys
import time

import pytest
from rigs.delivery import START, Clock, World, counts
from rigs.desk import PLACES, Desk, loaded_places
from rigs.http import Answer, http_server
from rigs.runs import told

from ridgeline.engine.alerts.silence import MOST, SILENCES, Silence, begin_silence, end_silence, read_silences
from ridgeline.engine.cli.main import main
from ridgeline.engine.cli.silence import user
from ridgeline.io.errors import InputError
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_sqlite import SqliteState

KEYS = ["id", "match", "strategy", "until", "why", "by"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    with loaded_places(tmp_path_factory.mktemp("fleet")) as found:
        yield found


@pytest.fixture(params=PLACES)
def desk(request, places, tmp_path, capsys):
    made = Desk(places[request.param], tmp_path, capsys)
    made.configure(alerts=[("", "console", 3600)])
    return made


@pytest.fixture
def quick(places, tmp_path, capsys):
    """A desk where the place of the state makes no difference."""
    made = Desk(places["sqlite"], tmp_path, capsys)
    made.configure(alerts=[("", "console", 3600)])
    return made


# What a run makes of it -----------------------------------------------------------------------------------------------


def test_a_silence_holds_alerts_until_it_is_ended(desk):
    with http_server() as http:
        desk.configure(http=http)
        everything = len(desk.run("--dry-run")[1]["anomalies"])
        (silence,) = desk.json("silence", "", "--for", "2h", "--why", "upgrade")
        assert list(silence) == KEYS
        code, report, _ = desk.run()
        assert (code, report["alerts"]) == (0, told(muted=everything))
        assert not http.requests
        assert desk.json("alert", "outbox", "list") == [], "what is new is found again if it lasts"
        assert desk.json("silence", "end", silence["id"]) == [silence]
        assert desk.run()[1]["alerts"] == told(sent=everything, messages=1), "nothing was recorded as sent"


def test_what_waits_is_held_and_no_attempt_is_counted(desk):
    with http_server(Answer(503)) as http:
        desk.configure(http=http)
        everything = desk.run()[1]["alerts"]["queued"]
        waiting = desk.json("alert", "outbox", "retry")
        http.answers = [Answer(200)]
        http.requests.clear()
        desk.json("silence", ".*", "--for", "2h")
        assert desk.run()[1]["alerts"] == told(muted=everything)
        assert not http.requests
        held = desk.json("alert", "outbox", "list")
        assert [(one["metric"], one["attempts"]) for one in held] == [(one["metric"], 1) for one in waiting]
        desk.json("silence", "end", ".*")
        assert desk.run()[1]["alerts"] == told(sent=everything, messages=1)


def test_a_silence_of_one_strategy_or_of_some_metrics_holds_no_others(desk):
    with http_server() as http:
        desk.configure(http=http, alerts=[("", "http|console", 3600)])
        anomalies = [one["metric"] for one in desk.run("--dry-run")[1]["anomalies"]]
        desk.json("silence", anomalies[0], "--for", "2h")
        desk.json("silence", "", "--for", "2h", "--strategy", "console")
        alerts = desk.run()[1]["alerts"]
        assert alerts == told(sent=len(anomalies) - 1, messages=1, muted=len(anomalies) + 1)


@pytest.mark.parametrize("make", [MemoryState, lambda clock: SqliteState(clock.folder / "s.db", clock)])
def test_a_silence_expires_by_the_wall_clock(tmp_path, make):
    clock = Clock()
    clock.folder = tmp_path
    world = World(state=make(clock), clock=clock)
    begin_silence(world.state, Silence("web", START + 100), START)
    assert counts(world.run(["web.1"])) == {"muted": 1}
    assert counts(world.run(["web.1"], after=99)) == {"muted": 1}
    assert counts(world.run(["web.1", "db"], after=1)) == {"sent": 2, "messages": 1}
    assert read_silences(world.state, clock.now) == []


# What the command says ------------------------------------------------------------------------------------------------


def test_begun_listed_ended(desk, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ana")
    began = time.time()
    (web,) = desk.json("silence", "web", "--for", "1h30m", "--strategy", "console", "--why", "disk\nswap")
    assert (web["match"], web["strategy"], web["why"], web["by"]) == ("web", "console", "disk\nswap", "ana")
    assert began + 5400 <= web["until"] <= time.time() + 5401
    assert isinstance(web["until"], int)
    (everything,) = desk.json("silence", "", "--for", "60")
    assert desk.json("silence", "list") == [everything, web], "soonest to end first"
    assert desk.json("silence", "list", "--strategy", "http") == [everything]
    code, text, err = desk.call("silence", "list")
    assert (code, err, len(text.splitlines())) == (0, "", 2)
    assert "of every metric by ana until" in text
    assert '"web" on console by ana until' in text
    assert "disk\\nswap" in text
    assert desk.call("silence", "end", "web")[1].startswith("ended: silence ")
    assert desk.json("silence", "end", "") == [everything]
    assert desk.call("silence", "list") == (0, "nothing is silent\n", "")


def test_the_same_silence_again_sets_another_end(desk):
    (first,) = desk.json("silence", "web", "--for", "2h")
    code, text, _ = desk.call("silence", "web", "--for", "1h", "--why", "shorter")
    assert (code, len(text.splitlines())) == (0, 2)
    assert "in the place of silence" in text
    (second,) = desk.json("silence", "list")
    assert (second["id"], second["why"]) == (first["id"], "shorter")
    assert second["until"] < first["until"]
    assert len(desk.json("silence", "web", "--for", "1h", "--strategy", "console")) == 1
    assert len(desk.json("silence", "list")) == 2, "one strategy's is another"
    assert len(desk.json("silence", "end", "web", "--strategy", "console")) == 1
    assert len(desk.json("silence", "end", "web")) == 1


@pytest.mark.parametrize(
    "pattern", ["a\nb", "-rf", "--for", "end", "list", "m\N{SNOWMAN}.\u202egpj", "\udc80", "'\"; rm", "x" * 9000]
)
def test_hostile_patterns_are_patterns(quick, pattern):
    (made,) = quick.json("silence", "--for", "1h", "--", pattern)
    assert made["match"] == pattern
    code, text, err = quick.call("silence", "list")
    assert (code, err, len(text.splitlines())) == (0, "", 1)
    assert text.rstrip("\n").isprintable()
    if pattern not in {"list", "end"}:
        assert quick.call("silence", "--", pattern)[0] == 2, "for how long?"
    assert quick.json("silence", "--", "end", pattern) == [made]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["web"], "say for how long web is to be silent, such as --for 2h"),
        (["web", "--for", "0"], "at least one second"),
        (["web", "--for", "100y"], "'100y' is not a duration"),
        (["web", "--for", "99999w"], "under a century"),
        (["web", "--for", "-1h"], "expected one argument"),
        (["web", "--for", "soon"], "is not a duration"),
        (["*", "--for", "1h"], "write .* for every metric"),
        (["*web*", "--for", "1h"], "write web for a part of the name"),
        (["(web", "--for", "1h"], "is no regular expression"),
        (["(a+)+$(?=x)", "--for", "1h"], "is not tried on any name"),
        (["x" * 10_001, "--for", "1h"], "is longer than 10000 characters"),
        (
            ["web", "--for", "1h", "--strategy", "htp"],
            "there is no strategy 'htp' in the configuration; it has: console",
        ),
        (["web", "--for", "1h", "--why", "x" * 501], "a reason has at most 500 characters, not 501"),
        (["end", "a\nb"], "there is no silence a\\nb to end; `ridgeline silence list` shows those in force"),
        (["end"], "write `silence PATTERN --for 2h`"),
        (["end", "web", "--for", "1h"], "write `silence PATTERN --for 2h`"),
        (["web", "db", "--for", "1h"], "write `silence PATTERN --for 2h`"),
        (["list", "--why", "x"], "write `silence PATTERN --for 2h`"),
    ],
)
def test_what_is_wrong_takes_one_line(quick, words, sentence):
    code, out, err = quick.call("silence", *words, "--json")
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert sentence in err
    assert quick.json("silence", "list") == []


def test_a_pattern_that_matches_nothing_is_no_error(quick):
    assert len(quick.json("silence", "nothing.like.this", "--for", "1h")) == 1
    assert quick.json("alert", "route", "web")[0]["muted"] is False


def test_there_is_an_end_to_silences():
    state = MemoryState(lambda: START)
    many = Batch()
    many.put(SILENCES, {one.id: one.as_json() for one in (Silence(f"m{at}", START + 1 + at) for at in range(MOST))})
    state.apply(many)
    with pytest.raises(InputError, match="1,000 silences are in force already"):
        begin_silence(state, Silence("one more", START + 9), START)
    before = begin_silence(state, Silence("m5", START + 99), START)
    assert before == Silence("m5", START + 6), "another end is no other silence"
    assert begin_silence(state, Silence("one more", START + 9), START + 1) is None, "the first is over"
    assert end_silence(state, "m7", START + 1, "http") == []
    assert state.size("silences") == MOST


def test_a_silence_without_an_end_is_none():
    state = MemoryState(lambda: START)
    with state.batch() as batch:
        for until in ("inf", "nan"):
            batch.put("silences", {until: {"match": "", "until": until, "strategy": "", "why": "", "by": ""}})
    assert read_silences(state, START) == []


# Who --------------------------------------------------------------------------------------------------------------------


def test_who_asks(monkeypatch):
    for name in ("SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert user() == "user number 4000000", "a number without a name"
    monkeypatch.setenv("USER", "ana")
    assert user() == "ana"
    monkeypatch.setenv("SUDO_USER", "eva\n")
    assert user() == "eva\n"


def test_a_name_of_control_characters_is_shown_escaped(quick, monkeypatch):
    monkeypatch.setenv("SUDO_USER", "\x1b[2Jeva\n")
    code, text, _ = quick.call("silence", "web", "--for", "1h")
    assert (code, len(text.splitlines())) == (0, 1)
    assert "\\x1b[2Jeva\\n" in text


def test_no_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["silence", "web", "--for", "1h"]) == 2
    assert "`ridgeline config init ridgeline.toml` writes one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_lose_nothing(places, tmp_path, capsys):
    """Two processes, each with silences of its own."""
    import subprocess

    desk = Desk(places["sqlite"], tmp_path, capsys)
    desk.configure(alerts=[("", "console", 3600)])
    command = [sys.executable, "-m", "ridgeline", "silence", "--config", str(desk.config), "--for", "1h"]
    running = [subprocess.Popen([*command, f"m{at}"], stdout=subprocess.DEVNULL) for at in range(4)]
    assert [process.wait(120) for process in running] == [0] * 4
    assert {one["match"] for one in desk.json("silence", "list")} == {"m0", "m1", "m2", "m3"}
