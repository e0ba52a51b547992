"""The fleet of services: the same by its seed, quiet, of the kinds it says, each fault where its label says."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.services import DAY, FAULTS, KINDS, MISSING, services

END = 1_767_225_600
DAYS = 7


@pytest.fixture(scope="module")
def fleet():
    return [(t, one) for t, series in services(40, DAYS, END, 3, faults=True) for one in series]


def kind_of(one):
    return one.metric.split(".")[1]


def test_a_seed_makes_one_fleet_and_another_seed_another(fleet):
    again = [(t, one) for t, series in services(40, DAYS, END, 3, faults=True) for one in series]
    other = [(t, one) for t, series in services(40, DAYS, END, 4, faults=True) for one in series]
    for (t, one), (u, two), (_, three) in zip(fleet, again, other, strict=False):
        assert t.tobytes() == u.tobytes()
        assert one.values.tobytes() == two.values.tobytes()
        assert one.values.tobytes() != three.values.tobytes()


def test_of_a_hundred_metrics_so_many_are_of_each_kind():
    names = [one.metric for _, series in services(100, 1, END, 5, faults=False) for one in series]
    assert len(set(names)) == 100
    found = {kind: sum(name.split(".")[1] == kind for name in names) for kind in KINDS}
    assert found == {kind: share for kind, (share, _) in KINDS.items()}


def test_points_are_a_minute_apart_and_few_are_missing(fleet):
    t, _ = fleet[0]
    assert len(t) == DAYS * DAY // 60
    assert t[-1] == END
    assert set(np.diff(t).tolist()) == {60}
    missing = np.mean([np.isnan(one.values).mean() for _, one in fleet if one.fault is None])
    assert missing == pytest.approx(MISSING, rel=0.2)


def test_copies_differ_from_their_metric_in_their_fault_alone(fleet):
    clean = {one.metric: one for _, one in fleet if one.fault is None}
    faulty = [(t, one) for t, one in fleet if one.fault is not None]
    assert len(faulty) == sum(len(FAULTS.get(kind_of(one), {})) for one in clean.values())
    for t, one in faulty:
        fault, first, last = one.fault
        original = clean[one.metric.removesuffix(f".{fault}")].values
        assert t[first] >= t[0] + 4 * DAY
        outside = np.ones(len(t), bool)
        outside[first : last + 1] = False
        if fault == "stall":
            outside[last:] = False
            assert len(set(one.values[first : last + 1].tolist())) == 1
        assert one.values[outside].tobytes() == original[outside].tobytes()
        if fault in ("zero", "absent"):
            assert not np.nan_to_num(one.values[first : last + 1]).any()
        if fault == "triple":
            assert np.nansum(one.values[first : last + 1]) == 3 * np.nansum(original[first : last + 1])


def test_saved_days_are_read_back_with_their_labels(tmp_path, capsys):
    given = ["demo", "--save", str(tmp_path / "fleet"), "--days", "6", "--metrics", "20", "--faults", "--seed", "3"]
    assert main(given) == 0
    assert "20 metrics and of" in capsys.readouterr().out
    history = pq.read_table(tmp_path / "fleet" / "history.parquet")
    labels = csv.read_csv(tmp_path / "fleet" / "labels.csv").to_pylist()
    expected = [(t, one) for t, series in services(20, 6, END, 3, faults=True) for one in series]
    assert history.num_rows == sum(int((~np.isnan(one.values)).sum()) for _, one in expected)
    assert history["metric"].unique().to_pylist() == [one.metric for _, one in expected]
    assert [(row["metric"], row["start"], row["end"], row["fault"]) for row in labels] == [
        (one.metric, int(t[one.fault[1]]), int(t[one.fault[2]]), one.fault[0]) for t, one in expected if one.fault
    ]
    assert main(given) != 0
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--days", "3"], ["--faults"], ["--faults", "--save", "x"]])
def test_days_without_a_folder_are_refused(given, capsys):
    assert main(["demo", *given]) == 2
    assert "demo: --days needs --save DIR" in capsys.readouterr().err


def test_days_explain_rates_and_hide_their_outages():
    """What it was set by: the swing of a day is deep, and noise small beside it but for the smallest rates."""
    rates = [
        one for _, series in services(100, DAYS, END, 6, faults=False) for one in series if kind_of(one) == "requests"
    ]
    assert len(rates) == 30
    for one in rates:
        usual = np.nanmean(one.values)
        days = one.values[: 4 * 1440].reshape(4, 1440)  # a Thursday and Friday, a weekend
        shape = np.nanmean(days.reshape(4, 96, 15), axis=2)
        assert 0.2 < np.nanstd(shape) / usual < 0.9
        apart = np.nanstd(shape[0] - shape[1]) / usual
        assert apart < 0.15 + 1 / np.sqrt(usual)
        assert usual - 3 * np.nanstd(days[0]) < 0.25 * usual  # three sigma nearly reach zero: the nine are blind
