"""Pages of a fleet and faults found in it: hand-worked, against plain loops, and through the command."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.cli.main import main
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.fleet import score_fleet
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.write import write_parquet

DAY = 86400
T0 = 1_700_000_400 // 600 * 600
HOURS = 24 * 9 + 1


def hourly(metric, alarms):
    """Nine days of one metric, hour by hour; alarms: hours at which it scores 1."""
    scores = np.zeros(HOURS)
    scores[list(alarms)] = 1.0
    return Detections(metric, T0 + 3600 * np.arange(HOURS), scores)


def test_pages_are_those_after_four_days_that_expiration_lets_through():
    metric = hourly("a.b", [0, 95, 96, 97, 150, 151, 152])
    scored = score_fleet([metric], Labels({}), 0.5, 7200)
    assert (scored.metrics, scored.metric_days) == (1, 5.0)
    assert scored.pages_per_day_per_2000_metrics == 3 * 2000 / 5  # hours 96, 150 and 152
    assert score_fleet([metric], Labels({}), 0.5, 3600).pages_per_day_per_2000_metrics == 5 * 2000 / 5


def test_pages_of_one_service_within_ten_minutes_are_one():
    fleet = [hourly("a.x", [130, 140]), hourly("a.y", [130]), hourly("b.x", [130])]
    scored = score_fleet(fleet, Labels({}), 0.5, 3600)
    assert scored.pages_per_day_per_2000_metrics == pytest.approx(4 * 2000 / 15)
    assert scored.grouped_per_day_per_2000_metrics == pytest.approx(3 * 2000 / 15)


@pytest.mark.parametrize(("end", "found"), [(T0 + 3600 * 130 - 301, 0), (T0 + 3600 * 130 - 300, 1), (T0 + 10**9, 1)])
def test_a_window_is_found_within_it_or_five_minutes_after(end, found):
    scored = score_fleet([hourly("a.x", [130])], Labels({"a.x": ((T0 + 60, end),), "gone": ((T0, T0),)}), 0.5, 3600)
    assert (scored.windows, scored.found, scored.recall) == (2, found, found / 2)
    assert (scored.metrics, scored.pages_per_day_per_2000_metrics) == (0, None)


def test_a_fault_is_found_although_a_page_came_shortly_before():
    scored = score_fleet([hourly("a.x", [129, 130])], Labels({"a.x": ((T0 + 3600 * 130,) * 2,)}), 0.5, DAY)
    assert scored.found == 1


def test_nothing_to_judge_is_said():
    with pytest.raises(InputError, match="first four days"):
        score_fleet([Detections("a", np.array([T0, T0 + 4 * DAY]), np.ones(2))], Labels({}), 0.5, 3600)


@given(
    st.lists(st.lists(st.integers(0, HOURS - 1), max_size=30), min_size=1, max_size=4), st.sampled_from([0, 3600, 9000])
)
def test_pages_are_the_plain_loops(alarms, expiration):
    fleet = [hourly(f"s{number % 2}.m{number}", hours) for number, hours in enumerate(alarms)]
    pages, groups = 0, set()
    for one in fleet:
        last = None
        for when, score in zip(one.timestamps.tolist(), one.scores.tolist(), strict=True):
            if score and when >= T0 + 4 * DAY and (last is None or when - last >= expiration):
                pages, last = pages + 1, when
                groups.add((one.metric[:2], when // 600))
    scored = score_fleet(fleet, Labels({}), 0.5, expiration)
    assert scored.pages_per_day_per_2000_metrics == pytest.approx(pages * 2000 / (5 * len(fleet)))
    assert scored.grouped_per_day_per_2000_metrics == pytest.approx(len(groups) * 2000 / (5 * len(fleet)))


def test_the_command_tells_both_as_text_and_as_json(tmp_path, capsys):
    one, other = hourly("a.x", [130]), hourly("a.y", [140])
    rows = {"metric": ["a.x"] * HOURS + ["a.y"] * HOURS, "timestamp": np.tile(one.timestamps, 2),
            "score": np.concatenate([one.scores, other.scores])}  # fmt: skip
    write_parquet(pa.table(rows), tmp_path / "scores.parquet")
    (tmp_path / "labels.csv").write_text(f"metric,start,end\na.y,{T0 + 3600 * 140},{T0 + 3600 * 141}\n")
    given_ = [
        "evaluate",
        str(tmp_path / "scores.parquet"),
        "--labels",
        str(tmp_path / "labels.csv"),
        "--metric",
        "fleet",
    ]
    assert main(given_) == 0
    assert "400.0 a day per 2,000 metrics" in capsys.readouterr().out
    assert main([*given_, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pages_per_day_per_2000_metrics"], told["recall"]) == (400.0, 1.0)
