"""`import ridgeline`: every job in one call, errors that can be caught, help that can be read."""

import inspect
import json
import pydoc

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.engine.report.files import dumps
from ridgeline.engine.rules.user_algorithms import UserAlgorithm
from ridgeline.io.parquet.write import write_parquet

END = 1_700_000_000


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    write_parquet(build_fleet(12, points=300, end=END, incidents=3).table(), folder / "fleet.parquet")
    return folder / "fleet.parquet"


def config(folder, fleet, extra=""):
    path = folder / "ridgeline.toml"
    path.write_text(f'[source]\nkind = "parquet"\npath = "{fleet}"\n[output]\ndirectory = "{folder / "out"}"\n{extra}')
    return path


def test_everything_public_is_there_and_explains_itself():
    for name in ridgeline.__all__:
        found = getattr(ridgeline, name)
        if inspect.isfunction(found):
            text = pydoc.render_doc(found)
            assert "Raises" in text or name == "algorithm", name
            assert found.__doc__.splitlines()[0].endswith((".", ",")), name
    assert "ridgeline.backtest(" in pydoc.render_doc(ridgeline)


def test_the_error_tree_is_public():
    family = [value for name in ridgeline.__all__ if inspect.isclass(value := getattr(ridgeline, name))]
    codes = {error.__name__: error.exit_code for error in family if issubclass(error, ridgeline.RidgelineError)}
    assert codes == {
        "AuthenticationFailed": 77, "InputError": 2, "LockHeld": 75, "NoData": 66, "OutputError": 74,
        "RidgelineError": 1, "SourceUnavailable": 69, "UnsafeTarget": 2,
    }  # fmt: skip


def test_run_does_what_the_command_does(tmp_path, fleet, capsys):
    path = config(tmp_path, fleet)
    report = ridgeline.run(path, as_of=END)
    assert capsys.readouterr().out == ""
    assert report.exit == 0
    assert main(["run", "--config", str(path), "--as-of", str(END), "--json"]) == 0
    found = pq.read_table(tmp_path / "out" / "anomalies.parquet")
    assert [anomaly.metric for anomaly in report.anomalies] == found["metric"].to_pylist()
    assert found.num_rows == 2
    assert "12 metrics" in repr(report)
    assert len(repr(report).splitlines()) < 15


def test_a_dry_run_of_a_match_writes_nothing(tmp_path, fleet):
    name = build_fleet(12, points=300, end=END, incidents=3).metrics[0]
    report = ridgeline.run(str(config(tmp_path, fleet)), as_of=END, match=name, dry_run=True)
    assert report.metrics == 1
    assert not (tmp_path / "out").exists()


def test_what_is_wrong_is_one_sentence(tmp_path, fleet):
    with pytest.raises(ridgeline.InputError):
        ridgeline.run(tmp_path / "absent.toml")
    with pytest.raises(ridgeline.InputError, match="must be before"):
        ridgeline.backtest(fleet, tmp_path / "b", start=5, end=5)
    with pytest.raises(ridgeline.InputError):
        ridgeline.backtest(fleet, tmp_path / "b", profile="nope")
    with pytest.raises(ridgeline.InputError, match="choose nab, events, fleet, ranges, vus"):
        ridgeline.evaluate(fleet, {}, metric="vibes")
    for threshold in (float("nan"), float("inf")):
        with pytest.raises(ridgeline.InputError, match="give a finite number"):
            ridgeline.evaluate(fleet, {}, threshold=threshold)
    with pytest.raises(ridgeline.UnsafeTarget):
        ridgeline.backtest(fleet, fleet.parent)
    assert list(tmp_path.iterdir()) == []


def test_backtest_is_replay_in_a_folder(tmp_path, fleet):
    table = pq.read_table(fleet)
    options = {"window": "1h", "start": END - 3600, "end": END - 60, "every": "5m", "consensus": 4}
    result = ridgeline.backtest(fleet, tmp_path / "out", **options)
    steps = ridgeline.replay(table, **options)
    assert (
        result.scores().select(steps.column_names).equals(steps.cast(result.scores().select(steps.column_names).schema))
    )
    assert result.manifest["steps"] == steps.num_rows
    assert result.manifest["incidents"] == result.anomalies.num_rows
    metric = steps["metric"][0].as_py()
    assert result.scores(metric).num_rows == steps.filter(pa.compute.equal(steps["metric"], metric)).num_rows
    assert f"{steps.num_rows:,} steps of 12 metrics" in repr(result)


def test_every_option_of_backtest_reaches_the_replay(tmp_path, fleet):
    def loud(t, x, as_of, scratch):
        return 2.0

    mine = ridgeline.algorithm(summary="always votes", min_points=1)(loud)
    assert isinstance(mine, UserAlgorithm)
    result = ridgeline.backtest(
        fleet,
        tmp_path / "out",
        profile="earthgecko",
        algorithms=["grubbs", mine],
        consensus=1,
        overrides=[{"match": ".", "stale_period": 7}],
        keep_scores=False,
        threads=1,
    )
    described = result.manifest["configuration"]
    assert described["policy"]["consensus"] == 1
    assert described["policy"]["algorithms"] == ("grubbs", "loud")
    assert described["overrides"][0]["stale_period"] == 7
    assert described["scores"] is False
    assert result.manifest["threads"] == 1
    assert result.manifest["anomalous"] == result.manifest["outcomes"]["analysed"], "the loud one votes at every step"
    with pytest.raises(ridgeline.InputError, match="already holds a backtest"):
        ridgeline.backtest(fleet, tmp_path / "out", keep_scores=False)


def test_replay_keeps_its_bounds_and_its_consensus(fleet):
    table = pq.read_table(fleet)
    whole = ridgeline.replay(table)
    cut = ridgeline.replay(table, end=END - 600)
    assert np.max(cut["timestamp"].to_numpy()) < END - 600 <= np.max(whole["timestamp"].to_numpy())
    counts = [ridgeline.replay(table, consensus=k)["anomalous"].to_pylist().count(True) for k in (1, 6, 9)]
    assert counts[0] > counts[1] > counts[2]
    assert ridgeline.replay(table, start=END - 600)["timestamp"].to_numpy().min() >= END - 600


def test_overrides_that_together_ask_too_much_are_warned_of():
    table = pa.table({"metric": ["a.b"], "timestamp": [1_700_000_000], "value": [1.0]})
    overrides = [{"match": "a.", "algorithms": ["grubbs"], "consensus": 1}, {"match": "b", "consensus": 2}]
    for judge in (ridgeline.score, ridgeline.replay):
        with pytest.warns(
            UserWarning, match="ask for 2 votes where 1 can be cast, of a.b for one: there, every"
        ) as caught:
            judge(table, overrides=overrides)
        assert caught[0].filename == __file__


def test_tuning_and_a_fleet_are_one_call_each(tmp_path, capsys):
    fleet = build_fleet(16, points=2000, end=END, incidents=8)
    write_parquet(fleet.table(), tmp_path / "fleet.parquet")
    labels = {one.metric: [[one.start, one.end]] for one in fleet.incidents}
    result = ridgeline.backtest(tmp_path / "fleet.parquet", tmp_path / "out")
    tuned = ridgeline.tune(result, labels, folds=6, output=tmp_path / "tuned.toml")
    assert "[analysis]" in (tmp_path / "tuned.toml").read_text()
    found = json.loads((tmp_path / "out" / "tune.json").read_text())
    assert found == json.loads(dumps(tuned.as_json()))
    assert found["folds"] == 6
    by_path = ridgeline.tune([tmp_path / "out"], labels, folds=6)
    assert (by_path.setting, by_path.recommended) == (tuned.setting, tuned.recommended)
    with pytest.raises(ridgeline.InputError, match="at least a budget"):
        ridgeline.tune(result)
    scored = ridgeline.evaluate(result, labels, metric="fleet")
    assert scored.windows == len(labels)
    assert capsys.readouterr().out == ""
