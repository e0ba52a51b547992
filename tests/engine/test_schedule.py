"""The hours of a rule: by the wall clock, across midnight, through the changes of daylight saving."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.schedule import DAYS, Schedule
from ridgeline.engine.config.alerting import read_alerts
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.problems import ConfigError, Problems
from ridgeline.engine.config.reader import Table

MADRID = ZoneInfo("Europe/Madrid")


def at(text, zone=MADRID, fold=0):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


OFFICE = Schedule(DAYS[:5], 8 * 60, 18 * 60, MADRID)
NIGHT = Schedule(("fri",), 22 * 60, 6 * 60, MADRID)


@pytest.mark.parametrize(
    ("schedule", "when", "is_open"),
    [
        (OFFICE, "2024-03-01T07:59:59", False),  # a Friday
        (OFFICE, "2024-03-01T08:00:00", True),
        (OFFICE, "2024-03-01T17:59:59", True),
        (OFFICE, "2024-03-01T18:00:00", False),
        (OFFICE, "2024-03-02T12:00:00", False),  # a day not listed is quiet
        (NIGHT, "2024-03-01T21:59:00", False),
        (NIGHT, "2024-03-01T22:00:00", True),
        (NIGHT, "2024-03-02T05:59:00", True),  # belongs to Friday
        (NIGHT, "2024-03-02T06:00:00", False),
        (NIGHT, "2024-03-02T22:00:00", False),
        (NIGHT, "2024-03-01T05:00:00", False),  # Thursday's night
        (Schedule(("mon",), 60, 60, MADRID), "2024-03-05T00:30:00", True),  # a whole day from 01:00
        (Schedule(("mon",), 60, 60, MADRID), "2024-03-05T01:00:00", False),
        (Schedule(), "2024-03-05T01:00:00", True),
        # Clocks go from 02:00 to 03:00 on 31 March, and from 03:00 back to 02:00 on 27 October.
        (Schedule(("sun",), 3 * 60, 4 * 60, MADRID), "2024-03-31T03:30:00", True),
        (OFFICE, "2024-04-01T08:00:00", True),
        (Schedule(("sun",), 2 * 60, 3 * 60, MADRID), "2024-10-27T02:30:00", True),
    ],
)
def test_hours(schedule, when, is_open):
    assert schedule.open_at(at(when)) is is_open


def test_an_hour_that_comes_twice_is_open_twice_and_one_that_is_left_out_never():
    twice = Schedule(("sun",), 2 * 60, 3 * 60, MADRID)
    assert [twice.open_at(at("2024-10-27T02:30:00", fold=fold)) for fold in (0, 1)] == [True, True]
    noon = at("2024-03-31T00:00:00")
    assert not any(twice.open_at(noon + 60 * minute) for minute in range(24 * 60))


def test_it_is_the_zones_clock_that_counts():
    assert OFFICE.open_at(at("2024-07-01T06:30:00", ZoneInfo("UTC"))), "08:30 in Madrid's summer"
    assert not OFFICE.open_at(at("2024-01-02T06:30:00", ZoneInfo("UTC"))), "07:30 in its winter"


@given(start=st.integers(0, 1439), end=st.integers(1, 1440), days=st.sets(st.sampled_from(DAYS), min_size=1))
def test_a_week_of_minutes_says_the_same_as_counting_windows(start, end, days):
    """In a zone without daylight saving, against windows laid out one after the other."""
    schedule = Schedule(tuple(days), start, end, ZoneInfo("UTC"))
    monday = at("2024-03-04T00:00:00", ZoneInfo("UTC"))
    length = end - start if end > start else 1440 + end - start
    windows = [(1440 * n + start, 1440 * n + start + length) for n in range(-7, 8) if DAYS[n % 7] in days]
    for minute in range(0, 7 * 1440, 17):
        expected = any(begin <= minute < over for begin, over in windows)
        assert schedule.open_at(monday + 60 * minute) is expected


# Configuration ---------------------------------------------------------------------------------------------------------


def read(**row):
    problems = Problems()
    rows = read_alerts(Table({"alert": [{"match": "a", "strategy": "http", **row}]}, (), problems))
    return [row for _, row in rows], [problem.show("") for problem in problems.found]


def test_every_key_of_an_alert():
    rows, problems = read(
        expiration="5m",
        recipients=["a@x"],
        schedule={"days": ["mon", "tue"], "from": "08:00", "to": "24:00", "timezone": "Europe/Madrid"},
        m_of_n=[2, 5],
        group=False,
        severity="critical",
        second_order_hours=168,
    )
    assert problems == []
    assert rows == [
        AlertRow(
            "a", ("http",), 300, ("a@x",), Schedule(("mon", "tue"), 480, 1440, MADRID), (2, 5), False, "critical", 168
        )
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"schedule": {"days": ["funday"]}}, 'alert[0].schedule.days[0]: there is no day "funday"'),
        ({"schedule": {"from": "25:00"}}, 'alert[0].schedule.from: "25:00" is no time of day: write "08:00"'),
        ({"schedule": {"from": "24:00"}}, 'alert[0].schedule.from: must lie before "24:00"'),
        ({"schedule": {"to": "8"}}, 'alert[0].schedule.to: "8" is no time of day'),
        ({"schedule": {"timezone": "Mars/Olympus"}}, 'alert[0].schedule.timezone: there is no time zone "Mars/Olympus" here'),
        ({"schedule": {"timezone": "../../etc/passwd"}}, "alert[0].schedule.timezone: there is no time zone"),
        ({"schedule": {"hours": 5}}, "alert[0].schedule.hours: there is no such key"),
        ({"schedule": 5}, "alert[0].schedule: must be a table"),
        ({"m_of_n": [3, 2]}, "alert[0].m_of_n: must be [m, n]"),
        ({"m_of_n": [0, 2]}, "alert[0].m_of_n: must be [m, n]"),
        ({"m_of_n": [1]}, "alert[0].m_of_n: must be [m, n]"),
        ({"m_of_n": ["a", 2]}, "alert[0].m_of_n: must be a list of whole numbers"),
        ({"m_of_n": [1, 10**6]}, "alert[0].m_of_n: must be [m, n]: m of the last n runs, n at most 1440"),
        ({"recipients": []}, "alert[0].recipients: must be a list of texts"),
        ({"group": 1}, "alert[0].group: must be true or false"),
    ],
)  # fmt: skip
def test_keys_of_an_alert_that_cannot_work(row, problem):
    _, problems = read(**row)
    assert len(problems) == 1
    assert problems[0].startswith(problem)


@pytest.mark.parametrize("table", ["analysis", "override"])
def test_m_of_n_of_all_metrics_and_of_some_is_checked_where_it_stands(table):
    text = '[source]\nkind = "redis"\nurl = "redis://h"\n'
    text += {"analysis": "[analysis]\n", "override": '[[override]]\nmatch = "a"\n'}[table]
    good = parse_config(f"{text}m_of_n = [2, 5]\n".encode(), Path("r.toml"), {})
    assert (good.analysis.m_of_n, *(one.m_of_n for one in good.overrides)) == (
        ((2, 5),) if table == "analysis" else (None, (2, 5))
    )
    place = {"analysis": "r.toml:5: analysis.m_of_n", "override": "r.toml:6: override[0].m_of_n"}[table]
    for wrong in ("[3, 2]", "[0, 2]", "[2]", "[1, 1441]"):
        with pytest.raises(ConfigError) as raised:
            parse_config(f"{text}m_of_n = {wrong}\n".encode(), Path("r.toml"), {})
        assert f"{place}: must be [m, n]: m of the last n runs, n at most 1440" in str(raised.value)
