"""Names and texts of the files that siblings read: safe whatever a metric is called, told apart where they clash."""

import ast
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ridgeline.engine.run.handoffs.crucible import Crucible
from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.mirage import check_of, first_line
from ridgeline.engine.run.handoffs.names import check_name, data_path, sane
from ridgeline.engine.run.handoffs.panorama import check_of as panorama_check
from ridgeline.engine.run.handoffs.pythonic import in_double_quotes, series_of, timestamp_of, value_of
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.errors import OutputError
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES

BOTH = INTEGER_TIMESTAMPS | INTEGER_VALUES
STAMP = 1_700_000_000
HOSTILE = (
    "../../etc/passwd", "/etc/passwd", "..", ".", "", " ", "a\0b", "a\nb", "a" * 300, "ä" * 200, "a/b/../../c", "...",
    "-rf", "a'b", 'a"b', "a\\", "\u202e", "a\udc80", "~", "CON", "a" * 179 + "é" * 5, "a..b", "a//b", "a./.b",
)  # fmt: skip


def finding(metric, value=400.0, integers=0, stamp=STAMP):
    points = (np.array([stamp - 60, stamp]), np.array([1.0, value]))
    return Finding(Anomaly(metric, value, stamp, 1, ("grubbs",), ("grubbs", "ks_test")), stamp, integers, points)


def lines(metric):
    return panorama_check(finding(metric).anomaly, 400.0, STAMP, STAMP, "host").splitlines()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_sane_names_are_skyline_s():
    assert sane("batch.name.odd (x)/y") == "batch.name.oddxy"
    assert check_name("1", "stats.web-01_x", ".txt") == "1.stats.web-01_x.txt"
    assert data_path("stats.web.x") == ("stats", "web", "x")


@pytest.mark.parametrize("metric", HOSTILE)
def test_no_name_leaves_its_folder(tmp_path, metric):
    watched, data, checks = (tmp_path / name for name in ("watched", "data", "checks"))
    for folder in (watched, data, checks):
        folder.mkdir()
    Checks(watched).put("1", metric, f"{first_line(metric)}\n")
    found = finding(metric)
    Crucible(Checks(checks), data).hand_over(found, *found.judged)
    assert {path.name for path in tmp_path.iterdir()} == {"watched", "data", "checks"}
    assert len(names(watched)) == len(names(checks)) == 1
    files = [path for path in data.rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == [".json", ".txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
    assert all(len(part.encode()) <= 255 for path in files for part in path.parts)


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_no_name_forges_a_line(metric):
    told = lines(metric)
    assert len(told) == 10
    assert ast.literal_eval(told[0].removeprefix("metric = ")) == metric
    check = check_of(finding(metric), 168).splitlines()
    assert len(check) == 5
    assert ast.literal_eval(check[0].removeprefix("metric = ")) == metric


@given(st.text())
def test_double_quotes_hold_any_text(text):
    assert ast.literal_eval(in_double_quotes(text)) == text
    assert in_double_quotes(text)[0] == in_double_quotes(text)[-1] == '"'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text("ab./ é", max_size=4), unique=True, max_size=12))
def test_every_metric_has_its_own_check_and_its_own_data(tmp_path_factory, metrics):
    tmp_path = tmp_path_factory.mktemp("checks")
    (tmp_path / "data").mkdir()
    (tmp_path / "checks").mkdir()
    crucible = Crucible(Checks(tmp_path / "checks"), tmp_path / "data")
    for metric in metrics:
        found = finding(metric)
        crucible.hand_over(found, *found.judged)
    checks = [path.read_text().splitlines() for path in (tmp_path / "checks").iterdir()]
    told = {ast.literal_eval(one[0].removeprefix("metric = ")): one for one in checks}
    assert sorted(told) == sorted(metrics)
    for metric, one in told.items():
        folder = Path(ast.literal_eval(one[6].removeprefix("anomaly_dir = ")))
        details = [path for path in folder.iterdir() if path.suffix == ".txt"]
        assert [path.read_text().splitlines() for path in details] == [one], metric


def test_a_hash_only_where_two_names_are_the_same(tmp_path):
    checks = Checks(tmp_path)
    checks.put("1", "a b", "metric = 'a b'\n")
    checks.put("1", "ab", "metric = 'ab'\n")
    checks.put("2", "ab", "metric = 'ab'\n")
    clashing, *others = names(tmp_path)
    assert others == ["1.ab.txt", "2.ab.txt"]
    assert clashing.startswith("1.ab-")
    assert (tmp_path / "1.ab.txt").read_text() == "metric = 'a b'\n"


def test_the_target_of_another_metric_is_left_alone_and_that_of_the_same_replaced(tmp_path):
    Checks(tmp_path).put("1", "a b", "metric = 'a b'\nold\n")
    Checks(tmp_path).put("1", "ab", "metric = 'ab'\nnew\n")
    assert len(names(tmp_path)) == 2
    assert (tmp_path / "1.ab.txt").read_text() == "metric = 'a b'\nold\n"
    Checks(tmp_path).put("1", "a b", "metric = 'a b'\nnew\n")
    assert len(names(tmp_path)) == 2
    assert (tmp_path / "1.ab.txt").read_text() == "metric = 'a b'\nnew\n"


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_is_never_written_through(tmp_path, kind):
    place, elsewhere = tmp_path / "1.ab.txt", tmp_path / "elsewhere"
    elsewhere.write_text("metric = 'ab'\n")
    {"link": lambda: place.symlink_to(elsewhere), "folder": place.mkdir, "pipe": lambda: os.mkfifo(place)}[kind]()
    Checks(tmp_path).put("1", "ab", "metric = 'ab'\nnew\n")
    assert elsewhere.read_text() == "metric = 'ab'\n"
    assert len(list(tmp_path.glob("1.ab-*.txt"))) == 1


def test_two_of_one_metric_in_a_run_have_two_names(tmp_path):
    checks = Checks(tmp_path)
    checks.put("9", "ab", "metric = 'ab'\nfirst\n", "1")
    checks.put("9", "ab", "metric = 'ab'\nsecond\n", "2")
    assert sorted(path.read_text().split("\n")[1] for path in tmp_path.iterdir()) == ["first", "second"]


def test_only_one_s_own_check_is_withdrawn(tmp_path):
    checks = Checks(tmp_path)
    checks.put("1", "a b", "metric = 'a b'\n")
    Checks(tmp_path).withdraw("1", "ab", "metric = 'ab'")
    assert len(names(tmp_path)) == 1
    Checks(tmp_path).withdraw("1", "a b", "metric = 'a b'")
    assert names(tmp_path) == []


@pytest.mark.parametrize("where", ["stats", "stats/web", f"stats/web/{STAMP}"])
def test_a_linked_folder_below_the_data_is_refused(tmp_path, where):
    data, outside = tmp_path / "data", tmp_path / "outside"
    (tmp_path / "checks").mkdir()
    outside.mkdir()
    (data / where).parent.mkdir(parents=True)
    (data / where).symlink_to(outside)
    found = finding("stats.web")
    with pytest.raises(OutputError, match="in the way"):
        Crucible(Checks(tmp_path / "checks"), data).hand_over(found, *found.judged)
    assert names(outside) == []


def test_a_missing_folder_is_one_sentence_and_is_not_made(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        Checks(tmp_path / "none").put("1", "ab", "metric = 'ab'\n")
    found = finding("ab")
    with pytest.raises(OutputError, match="there is no such folder"):
        Crucible(Checks(tmp_path), tmp_path / "none").hand_over(found, *found.judged)
    assert names(tmp_path) == []


def test_numbers_are_as_the_source_holds_them():
    assert [str(value_of(350.0, integers)) for integers in (0, INTEGER_TIMESTAMPS, INTEGER_VALUES)] == ["350.0"] * 2 + [
        "350"
    ]
    assert str(value_of(350.5, BOTH)) == "350.5"
    assert str(value_of(1e300, BOTH)) == "1e+300"
    assert (str(timestamp_of(STAMP, 0)), str(timestamp_of(STAMP, BOTH))) == (f"{STAMP}.0", f"{STAMP}")
    stamps, values = np.array([1, 2]), np.array([3.0, 0.1])
    assert series_of(stamps, values, 0) == "((1.0, 3.0), (2.0, 0.1))"
    assert series_of(stamps, values, BOTH) == "((1, 3), (2, 0.1))"
    assert series_of(stamps[:1], values[:1], 0) == "((1.0, 3.0))"
