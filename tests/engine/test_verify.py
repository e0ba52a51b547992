"""`verify` finds what differs, forgives rounding only where it is listed, and counts native's own differences."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ridgeline.engine.cli.main import main
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names
from ridgeline.engine.verify import verify
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix

START = 1_700_000_000


@pytest.fixture
def folder(tmp_path):
    """A parity folder whose answers are our own."""
    rng = np.random.default_rng(4)
    n = 300
    values = rng.normal(100, 1, (4, n))
    values[1, -3:] += 50
    values[2, -3:] -= 50
    values[3] = 7.0
    table = pa.table(
        {
            "metric": np.repeat(["quiet", "rise", "drop", "flat"], n),
            "timestamp": np.tile(START + 60 * np.arange(n), 4),
            "value": values.ravel(),
            "as_of": np.full(4 * n, START + 60 * n),
        }
    )
    pq.write_table(table, tmp_path / "tiny.parquet")
    write(tmp_path, answers(table))
    return tmp_path


def answers(table):
    plan = ScorePlan(profile=PROFILES["earthgecko"], all_votes=True)
    rows = score_matrix(MetricMatrix.from_table(table), plan).to_pylist()
    kept = ("metric", "outcome", *algorithm_names(), "anomalous", "datapoint")
    return [{key: row[key] for key in kept} | {"fragile": []} for row in rows]


def write(folder, rows):
    for row in rows:
        if row["outcome"] != "analysed":
            row["datapoint"] = None
    pq.write_table(pa.Table.from_pylist(rows), folder / "tiny.expected_analyzer.parquet")


def read(folder):
    return pq.read_table(folder / "tiny.expected_analyzer.parquet").to_pylist()


def test_the_command_ends_with_1_where_something_differs(folder, capsys):
    assert main(["verify", str(folder)]) == 0
    rows = read(folder)
    rows[0]["grubbs"] = not rows[0]["grubbs"]
    write(folder, rows)
    assert main(["verify", str(folder)]) == 1
    assert "quiet" in capsys.readouterr().out


def test_agreement_is_ok_and_the_ledger_shows_what_native_does(folder):
    report = verify(folder)
    assert report.ok
    assert [(one.name, one.profile, one.series) for one in report.comparisons] == [("tiny", "earthgecko", 4)]
    ledger = {row.field: row for row in report.ledger}
    assert (ledger["grubbs"].judged, ledger["grubbs"].only_ours) == (3, 1), "native sees the drop"
    assert ledger["outcome"].judged == 4
    assert "| tiny | earthgecko | 4 | 27 | 0 | 0 |" in report.render()


@pytest.mark.parametrize("field", ["grubbs", "ks_test", "anomalous"])
def test_a_flipped_answer_is_a_difference_unless_it_is_fragile(folder, field):
    rows = read(folder)
    rows[1][field] = not rows[1][field]
    write(folder, rows)
    report = verify(folder)
    assert not report.ok
    (found,) = report.comparisons[0].differences
    assert (found.metric, found.field) == ("rise", field)
    assert f"- tiny, earthgecko, rise: {field} is" in report.render()
    rows[1]["fragile"] = [field]
    write(folder, rows)
    report = verify(folder)
    assert report.ok
    assert len(report.comparisons[0].noise) == 1


def test_outcomes_and_missing_metrics_are_differences(folder):
    rows = read(folder)
    rows[3]["outcome"] = "stale"
    write(folder, [*rows, rows[0] | {"metric": "unknown"}])
    found = {(one.metric, one.field, one.ours) for one in verify(folder).comparisons[0].differences}
    assert found == {("flat", "outcome", "boring"), ("unknown", "outcome", "missing")}


def test_a_failure_of_the_reference_asks_for_a_failure_here(folder):
    rows = read(folder)
    rows[0]["histogram_bins"] = None
    write(folder, rows)
    (found,) = verify(folder).comparisons[0].differences
    assert (found.field, found.theirs) == ("histogram_bins", None)


def test_bad_folders_are_said(tmp_path):
    with pytest.raises(InputError, match="holds no parity set"):
        verify(tmp_path)
    (tmp_path / "odd.parquet").write_bytes(b"nonsense")
    (tmp_path / "odd.expected_analyzer.parquet").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        verify(tmp_path)
