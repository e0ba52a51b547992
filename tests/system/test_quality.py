"""`make quality`: the figures of a set are those of `backtest` and `evaluate`, pages are counted by plain loops, what is missing is named."""

import json

import numpy as np
import pyarrow as pa
import pytest

from ridgeline.bench.quality import fleets
from ridgeline.bench.quality.__main__ import main as quality
from ridgeline.bench.quality.sets import SETS, score_set
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.judged import judged_among
from ridgeline.engine.evaluate.choices import ABOVE_ONE
from ridgeline.io.parquet.write import write_parquet

T0 = 1_700_000_000 // 86400 * 86400


def test_alarms_of_each_metric_are_those_of_each_rule():
    steps = pa.table(
        {
            "metric": ["a", "a", "b", "c"],
            "timestamp": [T0, T0 + 60, T0, T0],
            "anomalous": pa.array([None, True, False, False]),
            "pages_score": pa.array([None, 1.0, 1.5, 0.0], pa.float32()),
        }
    )
    a, b, c = judged_among(steps)
    assert (a.metric, a.timestamps.tolist(), a.rows) == ("a", [T0, T0 + 60], slice(0, 2))
    assert {rule: hot.tolist() for rule, hot in a.alarms.items()} == {
        "consensus": [False, True],
        "pages": [False, False],
    }
    assert {rule: hot.tolist() for rule, hot in b.alarms.items()} == {"consensus": [False], "pages": [True]}
    assert b.detections("pages", 60).scores.min() >= ABOVE_ONE
    assert a.detections("pages", 60).scores.tolist() == [0.0, 0.0]
    assert c.sparse().timestamps.tolist() == [T0]


def test_sets_that_are_not_here_are_named(tmp_path, capsys):
    assert quality([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"not here, skipped: {tmp_path / one.points}" for one in SETS]


def test_a_set_scores_what_backtest_and_evaluate_say(tmp_path, capsys):
    random = np.random.default_rng(4)
    t = T0 + 300 * np.arange(900)
    names = [f"m{number}" for number in range(4)]
    values = random.normal(10, 1, (4, len(t)))
    values[:2, 700:703] += 40.0
    values[3, 500] += 40.0
    one = next(found for found in SETS if found.name == "synthetic")
    (tmp_path / "quality").mkdir()
    points = {"metric": np.repeat(names, len(t)), "timestamp": np.tile(t, 4), "value": values.ravel()}
    write_parquet(pa.table(points), tmp_path / one.points)
    labels = {"metric": names[:3], "start": [int(t[700])] * 3, "end": [int(t[705])] * 3}
    write_parquet(pa.table(labels), tmp_path / one.labels)
    cells = score_set(tmp_path, one)
    assert main(["backtest", str(tmp_path / one.points), "--output", str(tmp_path / "out"), "-q"]) == 0
    capsys.readouterr()
    told = ["evaluate", str(tmp_path / "out"), "--labels", str(tmp_path / one.labels), "--metric", "events"]
    assert main([*told, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert cells["consensus"].score == pytest.approx(found["f1"])
    assert cells["consensus"].false == pytest.approx(found["false_alarms_per_metric_week"])
    assert found["f1"] > 0.5
    assert quality([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "not here, skipped" in shown
    assert f"{cells['consensus'].score:.2f} +-{cells['consensus'].spread:.2f}" in shown


@pytest.mark.long
def test_a_fleet_is_judged_as_by_plain_loops(monkeypatch):
    monkeypatch.setattr(fleets, "DAYS", 7)
    told = []
    fleet = fleets.judge_fleet(20, 5, 2, told.append)
    assert told == [20]
    assert len(fleet.clean) == 20
    assert set(fleet.faulty) >= {"zero", "half", "triple"}
    for rule in ("consensus", "pages"):
        pages = 0
        for one in fleet.clean:
            last = -np.inf
            for when in one.timestamps[one.alarms[rule]].tolist():
                if when >= one.timestamps[0] + 4 * 86400 and when - last >= 3600:
                    pages, last = pages + 1, when
        assert fleet.pages(rule, 3600).pages_per_day_per_2000_metrics == pytest.approx(pages * 100 / 3, rel=0.01)
    assert fleet.found("pages", "zero") > 0.5 > fleet.found("consensus", "zero")
