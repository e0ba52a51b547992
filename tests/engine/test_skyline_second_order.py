"""`is_anomalously_anomalous`: Skyline's rule, remembered where a run keeps its state."""

import json

import pytest
from rigs.redis import redis_server

from ridgeline.io.errors import InputError
from ridgeline.skyline.algorithms import is_anomalously_anomalous, run_selected_algorithm

pytestmark = pytest.mark.usefixtures("nowhere")
NOW = 1_700_000_000
VOTES = [True] * 6 + [False] * 3
REGULAR = [True] + [False] * 12


@pytest.fixture(scope="module")
def server():
    with redis_server() as found:
        yield found


def configure(tmp_path, url, text=""):
    (tmp_path / "ridgeline.toml").write_text(f'[source]\nkind = "redis"\nurl = "{url}"\nconnect_budget = "1s"\n{text}')


def trigger_all(clock, times, name="metrics.app.x"):
    found = []
    for at, time in enumerate(times):
        clock(NOW + time)
        found.append(is_anomalously_anomalous(name, VOTES, float(at)))
    return found


def test_only_what_breaks_the_rhythm_counts(clock, tmp_path):
    steady = [600 * i + (i % 3) for i in range(13)]
    assert trigger_all(clock, steady) == REGULAR
    assert trigger_all(clock, [steady[-1] + 90_000]) == [True]
    assert trigger_all(clock, [0], "metrics.app.y") == [True], "each metric has a rhythm of its own"
    assert (tmp_path / "state" / "ridgeline" / "state.db").is_file()


def test_the_same_datapoint_within_five_minutes_never_counts(clock):
    for time, value, passes in ((0, 7.0, True), (300, 7.0, False), (300, 7.0, False), (301, 7.0, False)):
        clock(NOW + time)
        assert is_anomalously_anomalous("a", VOTES, value) is passes


def test_state_is_that_of_runs_by_a_key_of_its_own(clock, server, tmp_path):
    server.client.flushall()
    configure(tmp_path, server.url)
    assert is_anomalously_anomalous("metrics.app.x", VOTES, 7.0) is True
    assert server.client.keys() == [b"ridgeline.triggers.app.x"]
    assert json.loads(server.client.get("ridgeline.triggers.app.x")) == [[NOW], 7.0, True]
    assert 604_000 < server.client.ttl("ridgeline.triggers.app.x") <= 604_800
    for damaged in ("nonsense", "[]", "[[], 1.0, true]", '[["a"], 1, 1]', "{}", "null", "[[1e400], 1.0, true]"):
        server.client.set("ridgeline.triggers.app.x", damaged)
        assert is_anomalously_anomalous("app.x", VOTES, 7.0) is True


def test_a_state_that_is_down_lets_alerts_through(clock, tmp_path, capsys):
    configure(tmp_path, "redis://127.0.0.1:1")
    assert is_anomalously_anomalous("metrics.app.x", VOTES, 7.0) is True
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ridgeline: ")


@pytest.mark.parametrize("datapoint", [None, "text", float("nan"), float("inf"), [], 10**400])
def test_what_is_no_datapoint_is_refused(clock, datapoint):
    with pytest.raises(InputError, match="the datapoint is"):
        is_anomalously_anomalous("a", VOTES, datapoint)


def test_the_ensemble_asks_for_it_only_where_configured(clock, server, tmp_path):
    server.client.flushall()
    series = [(NOW - 60 * (500 - i), 100.0 + i % 7) for i in range(498)] + [(NOW - 60 * i, 900.0) for i in (2, 1, 0)]
    arguments = series, "metrics.app.x", [], [], False, False, {}
    configure(tmp_path, server.url)
    assert [run_selected_algorithm(*arguments)[0] for _ in range(2)] == [True, True]
    assert not server.client.keys()
    configure(tmp_path, server.url, "[analysis]\nsecond_order = true\n")
    first, second = run_selected_algorithm(*arguments), run_selected_algorithm(*arguments)
    assert (first[0], second[0]) == (True, False)
    assert first[1:] == second[1:]
