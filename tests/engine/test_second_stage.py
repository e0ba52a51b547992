"""Anomalies judged again over many days of Parquet: confirmed, not confirmed, or unknown."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.archives import DAY, long_table, peaking
from rigs.parts import Clock
from rigs.runs import END

from ridgeline.engine.config.model import Config, SecondStage
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override
from ridgeline.engine.run.budget import Budget
from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.second_stage import candidates, judge_again, merged
from ridgeline.engine.run.stages.second_stage import ask_second_stage
from ridgeline.engine.run.turn import Request, Turn
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.parquet import reader
from ridgeline.io.parquet.dataset import find
from ridgeline.io.parquet.pruned import only_metrics

STAGE = SecondStage("", days=7)


def write(path, found, *, rows=1000, unit=None):
    table = long_table(found)
    if unit:
        table = table.set_column(1, "timestamp", table["timestamp"].cast(pa.timestamp("s")).cast(pa.timestamp(unit)))
    pq.write_table(table, path, row_group_size=rows)


def finding(metric, points):
    stamps, values = points
    day = stamps > END - DAY
    anomaly = Anomaly(metric, float(values[-1]), int(stamps[-1]), 6, ("grubbs",), ("grubbs",))
    return Finding(anomaly, int(stamps[day][1]), cleaned=(stamps[day], values[day]))


def judged(path, findings, *, stage=STAGE, overrides=(), left=lambda: 60.0):
    scorer = Scorer.of(Analysis(), overrides, as_of=END)
    return judge_again(SecondStage(str(path), stage.days), findings, scorer, END, 1 << 30, left)


ALL = {"new": peaking("new", daily=False), "daily": peaking("daily", daily=True)}


@pytest.mark.parametrize("unit", [None, "ms", "ns"])
def test_what_happens_every_day_is_not_confirmed(tmp_path, unit):
    write(tmp_path / "a.parquet", ALL, unit=unit)
    findings = [finding(name, points) for name, points in ALL.items()]
    found, problems = judged(tmp_path / "a.parquet", findings)
    assert (found, problems) == ({"new": "confirmed", "daily": "not_confirmed"}, [])


def test_an_override_s_own_window_gives_way(tmp_path):
    write(tmp_path / "a.parquet", ALL)
    found, _ = judged(
        tmp_path / "a.parquet", [finding("daily", ALL["daily"])], overrides=[Override("", full_duration=DAY)]
    )
    assert found == {"daily": "not_confirmed"}


def test_what_the_archive_lacks_or_holds_too_little_of_is_unknown(tmp_path):
    stamps, values = ALL["daily"]
    young = stamps > END - 3 * DAY
    write(tmp_path / "a.parquet", {"young": (stamps[young], values[young])})
    points = (stamps, values)
    found, problems = judged(tmp_path / "a.parquet", [finding("young", points), finding("absent", points)])
    assert (found, problems) == ({"young": "unknown", "absent": "unknown"}, [])


def test_where_both_have_a_point_the_run_s_own_counts():
    past = (np.array([1, 2, 3]), np.array([1.0, 1.0, 1.0]))
    stamps, values = merged(past, (np.array([3, 4]), np.array([2.0, 2.0])))
    assert (stamps.tolist(), values.tolist()) == ([1, 2, 3, 4], [1.0, 1.0, 2.0, 2.0])
    assert merged(past, (np.empty(0, np.int64), np.empty(0)))[0].tolist() == [1, 2, 3]


def test_only_row_groups_that_may_hold_the_metric_are_read(tmp_path, monkeypatch):
    fleet = {f"m{number:03}": ALL["new"] for number in range(50)}
    write(tmp_path / "a.parquet", fleet, rows=len(ALL["new"][0]))
    files = find(tmp_path / "a.parquet").files
    (kept,) = only_metrics(files, {"m007"}, END - 7 * DAY)
    assert [group.number for group in kept.groups] == [7]
    assert only_metrics(files, {"m007"}, END)[0].groups == ()
    assert only_metrics(files, {"x"}, 0)[0].groups == ()
    assert len(only_metrics(files, {"m007", "zzz", "aaa"}, 0)[0].groups) == 1
    read = []
    real = reader.Reader.metric_runs
    monkeypatch.setattr(reader.Reader, "metric_runs", lambda self, naming: read.append(self.rows) or real(self, naming))
    assert judged(tmp_path / "a.parquet", [finding("m007", ALL["new"])])[0] == {"m007": "confirmed"}
    assert read == [len(ALL["new"][0])]


def test_metrics_of_folders_are_found(tmp_path):
    for name, (stamps, values) in ALL.items():
        (tmp_path / f"metric={name}").mkdir()
        pq.write_table(pa.table({"timestamp": stamps, "value": values}), tmp_path / f"metric={name}" / "a.parquet")
    found, _ = judged(tmp_path, [finding("daily", ALL["daily"])])
    assert found == {"daily": "not_confirmed"}


def test_candidates_are_those_that_match():
    findings = [finding(name, points) for name, points in ALL.items()]
    assert [one.anomaly.metric for one in candidates(SecondStage("", match=("da",)), findings)] == ["daily"]
    assert len(candidates(SecondStage(""), findings)) == 2


def asked(path, findings, **stage):
    """A turn whose second stage was asked."""
    config = Config(second_stage=SecondStage(str(path), **stage))
    turn = Turn.begin(Request(config, as_of=END), Budget.begin(60.0, Clock()), lambda: END)
    turn.handoffs.findings.by_metric = {one.anomaly.metric: one for one in findings}
    ask_second_stage(turn)
    return turn


def test_what_is_not_confirmed_is_withheld_and_everything_is_said(tmp_path):
    write(tmp_path / "a.parquet", ALL)
    turn = asked(
        tmp_path / "a.parquet", [*(finding(name, points) for name, points in ALL.items()), finding("other", ALL["new"])]
    )
    assert turn.handoffs.withheld == {("daily", END)}
    said = {name: turn.report.described(name)["second_stage"] for name in ("new", "daily", "other")}
    assert said == {"new": "confirmed", "daily": "not_confirmed", "other": "unknown"}
    assert turn.handoffs.counts == {
        "second_stage_confirmed": 1, "second_stage_not_confirmed": 1, "second_stage_unknown": 1,
    }  # fmt: skip
    assert (turn.exit_code(), turn.report.problems) == (0, [])


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_an_archive_that_cannot_be_read_holds_nothing_back(tmp_path, content):
    path = tmp_path / "a.parquet"
    if content is not None:
        path.write_bytes(content)
    turn = asked(path, [finding("daily", ALL["daily"])])
    assert (turn.handoffs.withheld, turn.exit_code()) == (set(), 70)
    assert turn.report.described("daily") == {"second_stage": "unknown"}
    assert "alerted on" in turn.report.problems[0]


def test_one_bad_file_costs_its_own_points_only(tmp_path):
    write(tmp_path / "a.parquet", ALL)
    (tmp_path / "b.parquet").write_bytes(b"garbage")
    turn = asked(tmp_path, [finding("daily", ALL["daily"])])
    assert (turn.handoffs.withheld, turn.exit_code()) == ({("daily", END)}, 70)


def test_mirage_s_metrics_are_not_judged_again(tmp_path):
    config = Config(second_stage=SecondStage(str(tmp_path)))
    turn = Turn.begin(Request(config, as_of=END), Budget.begin(60.0, Clock()), lambda: END)
    turn.handoffs.findings.by_metric = {"daily": finding("daily", ALL["daily"])}
    turn.handoffs.mirage = {"daily"}
    ask_second_stage(turn)
    assert (turn.report.problems, turn.handoffs.counts) == ([], {})
