"""`ridgeline anomalies`: the incidents that runs have found, as the table of them remembers."""

import time

import pytest
from rigs.desk import PLACES, Desk, loaded_places
from rigs.runs import END

from ridgeline.engine.alerts.incidents import incidents
from ridgeline.engine.alerts.lately import Incident, Lately
from ridgeline.engine.alerts.lately_table import write_lately
from ridgeline.io.state.in_memory import MemoryState

KEYS = ["metric", "start", "end", "last", "peak_value", "votes", "algorithms", "ongoing", "alerted"]
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    with loaded_places(tmp_path_factory.mktemp("fleet")) as found:
        yield found


@pytest.fixture(params=PLACES)
def desk(request, places, tmp_path, capsys):
    made = Desk(places[request.param], tmp_path, capsys)
    made.configure(alerts=[])
    return made


def test_what_a_run_found_is_listed(desk):
    assert desk.json("anomalies") == []
    found = desk.run()[1]["anomalies"]
    shown = desk.json("anomalies", "--since", f"{int(time.time()) - END + 3600}s")
    assert {one["metric"] for one in shown} == {one["metric"] for one in found}
    assert all(list(one) == KEYS for one in shown)
    first, run = shown[0], {one["metric"]: one for one in found}
    same = run[first["metric"]]
    assert (first["votes"], first["algorithms"], first["peak_value"]) == (
        same["votes"],
        same["algorithms"],
        same["value"],
    )
    assert (first["start"], first["last"], first["end"], first["ongoing"], first["alerted"]) == (
        END,
        END,
        None,
        True,
        [],
    )
    assert desk.json("anomalies") == shown, "what is ongoing is shown whatever its age"
    only = desk.json("anomalies", "--match", first["metric"])
    assert only == [first]
    code, out, err = desk.call("anomalies", "--match", "no.such.metric")
    assert (code, out, err) == (0, "no run has found an anomaly of no.such.metric within 1 d\n", "")
    assert f"ONGOING  {first['metric']}  since " in desk.call("anomalies")[1]


def test_a_dry_run_is_not_remembered(desk):
    assert desk.run("--dry-run")[1]["anomalies"]
    assert desk.json("anomalies") == []


def record(*incidents, normal=0):
    return Lately(tuple(incidents), incidents[-1].last, normal)


def incident(start, last, alerted=()):
    return Incident(start, last, 5.0, 2.0, 7, ("grubbs",), alerted=alerted)


def test_incidents_are_chosen_by_their_last_point_and_ordered():
    state = MemoryState(lambda: NOW)
    with state.batch() as batch:
        write_lately(
            batch,
            {
                "over": record(incident(NOW - 900, NOW - 800), incident(NOW - 200, NOW - 100, ("http",)), normal=3),
                "ongoing": record(incident(NOW - 5000, NOW - 4000), normal=2),
                "long.over": record(incident(NOW - 5000, NOW - 4000), normal=3),
            },
        )
    found = incidents(state, NOW - 850)
    assert [(one.metric, one.start, one.end, one.ongoing) for one in found] == [
        ("ongoing", NOW - 5000, None, True),
        ("over", NOW - 200, NOW - 100, False),
        ("over", NOW - 900, NOW - 800, False),
    ]
    assert found[1].alerted == ("http",)
    assert [one.metric for one in incidents(state, NOW - 9000, "over")] == ["over", "over", "long.over"]
