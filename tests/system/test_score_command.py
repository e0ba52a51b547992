"""`ridgeline score` and `ridgeline.score`: the same verdicts, the documented table, one sentence for bad input."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ridgeline
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.io.errors import InputError

END = 1_700_000_000
NINE = [
    "histogram_bins",
    "first_hour_average",
    "stddev_from_average",
    "grubbs",
    "ks_test",
    "mean_subtraction_cumulation",
    "median_absolute_deviation",
    "stddev_from_moving_average",
    "least_squares",
]


@pytest.fixture(scope="module")
def fleet():
    return build_fleet(120, points=300, end=END, incidents=8)


@pytest.fixture(scope="module")
def source(fleet, tmp_path_factory):
    path = tmp_path_factory.mktemp("fleet") / "in.parquet"
    pq.write_table(fleet.table(), path)
    return path


def test_out_has_the_documented_columns(source, tmp_path, fleet, capsys):
    target = tmp_path / "out.parquet"
    assert main(["score", str(source), str(target)]) == 0
    out = pq.read_table(target)
    head = ["metric", "outcome", "reason", "anomalous", "datapoint", "timestamp", "votes"]
    assert out.column_names == [*head, *NINE, "failed", "negatives", "resolution", "prepared"]
    types = {name: str(out.schema.field(name).type) for name in out.column_names}
    assert [types[n] for n in head] == ["string", "string", "string", "bool", "double", "int64", "int8"]
    assert {types[n] for n in NINE} == {"bool"}
    assert types["failed"].startswith("list<")
    assert [types[n] for n in ("negatives", "resolution", "prepared")] == ["bool", "int32", "string"]
    assert out["failed"].null_count == 0
    assert out["metric"].to_pylist() == fleet.metrics
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "metrics/s" in shown.err


def test_scores_follow_their_votes(source, tmp_path):
    target = tmp_path / "out.parquet"
    assert main(["score", str(source), str(target), "--scores"]) == 0
    out = pq.read_table(target)
    place = out.column_names.index
    for name in NINE:
        assert place(f"{name}_score") == place(name) + 1
        analysed = out.filter(pa.compute.equal(out["outcome"], "analysed"))
        votes, scores = analysed[name].to_pylist(), analysed[f"{name}_score"].to_pylist()
        assert None not in votes
        assert [score > 1 for score in scores] == votes
    others = out.filter(pa.compute.not_equal(out["outcome"], "analysed"))
    assert others.num_rows
    for name in ("anomalous", "votes", *NINE, *(f"{n}_score" for n in NINE)):
        assert others[name].null_count == others.num_rows


def test_the_planted_incidents_are_found(source, tmp_path, fleet, capsys):
    assert main(["score", str(source), str(tmp_path / "out.parquet"), "--json"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert printed.count("\n") == 1
    assert "alerts" not in found
    assert sum(found["outcomes"].values()) == found["metrics"] == len(fleet.metrics)
    assert {a["metric"] for a in found["anomalies"]} >= {i.metric for i in fleet.incidents}


def test_the_api_gives_what_the_command_gives(source, tmp_path, fleet):
    target = tmp_path / "out.parquet"
    main(["score", str(source), str(target), "--all-votes"])
    expected = pq.read_table(target)
    matrix = ridgeline.MetricMatrix.from_table(fleet.table())
    for data in (source, str(source), fleet.table(), matrix):
        assert ridgeline.score(data, all_votes=True).equals(expected)
    polars = pytest.importorskip("polars", reason="needs ridgeline[yardsticks], for a polars frame")
    assert ridgeline.score(polars.from_arrow(fleet.table()), all_votes=True).equals(expected)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_matter(source, threads):
    assert ridgeline.score(source, scores=True, threads=threads).equals(ridgeline.score(source, scores=True))


def test_early_exit_changes_no_anomaly(source):
    early, full = ridgeline.score(source), ridgeline.score(source, all_votes=True)
    assert early["anomalous"].equals(full["anomalous"])
    assert early["outcome"].equals(full["outcome"])
    hit = np.array(early["anomalous"].fill_null(False).to_pylist())
    for name in NINE:  # an anomalous row has all its votes
        assert not [v for v, h in zip(early[name].to_pylist(), hit, strict=True) if h and v is None]
        both = [(a, b) for a, b in zip(early[name].to_pylist(), full[name].to_pylist(), strict=True) if a is not None]
        assert all(a == b for a, b in both)


def test_a_subset_of_algorithms_leaves_the_others_null(source):
    chosen = ["grubbs", "histogram_bins"]
    out = ridgeline.score(source, algorithms=chosen, consensus=2, all_votes=True)
    for name in NINE:
        nulls = out.filter(pa.compute.equal(out["outcome"], "analysed"))[name].null_count
        assert (nulls == 0) == (name in chosen)


def test_as_of_beats_the_column_which_beats_the_newest_point(fleet):
    table = fleet.table()
    assert set(ridgeline.score(table)["outcome"].to_pylist()) >= {"analysed"}
    late = ridgeline.score(table, as_of=END + 100_000)["outcome"].to_pylist()
    assert set(late) == {"stale"}
    with_column = table.append_column("as_of", pa.array(np.full(table.num_rows, END + 100_000)))
    assert set(ridgeline.score(with_column)["outcome"].to_pylist()) == {"stale"}
    assert "stale" not in ridgeline.score(with_column, as_of=END)["outcome"].to_pylist()
    assert "stale" not in ridgeline.score(with_column, as_of="last")["outcome"].to_pylist()


def test_overrides_reach_their_metrics_only(fleet):
    table = fleet.table()
    target = fleet.incidents[0].metric
    plain = ridgeline.score(table)
    strict = ridgeline.score(
        table,
        overrides=[
            {"match": target, "thresholds": {**dict.fromkeys(NINE, 1e9), "grubbs": 1e-9, "histogram_bins": 1e-9}}
        ],
    )
    row = plain["metric"].to_pylist().index(target)
    assert plain["anomalous"][row].as_py() is True
    assert strict["anomalous"][row].as_py() is False
    others = [i for i in range(plain.num_rows) if i != row]
    assert plain.take(others).equals(strict.take(others))


def test_a_direction_keeps_the_votes_and_says_why(fleet):
    down = ridgeline.score(fleet.table(), overrides=[{"match": "", "direction": "down"}])
    gated = [r for r in down.to_pylist() if r["reason"] == "direction"]
    assert gated
    assert all(r["anomalous"] is False and r["votes"] >= 6 for r in gated)


def test_match_picks_metrics(source, tmp_path, fleet):
    target = tmp_path / "out.parquet"
    assert main(["score", str(source), str(target), "--match", "nginx.requests"]) == 0
    assert pq.read_table(target)["metric"].to_pylist() == [m for m in fleet.metrics if "nginx.requests" in m]


def test_configuration_skips_metrics(source, tmp_path, fleet, capsys):
    target, config = tmp_path / "out.parquet", tmp_path / "r.toml"
    config.write_text('[source]\nurl = "redis://h"\n[analysis]\nskip = ["nginx"]\n')
    assert main(["score", str(source), str(target), "--config", str(config), "--json"]) == 0
    kept = [name for name in fleet.metrics if "nginx" not in name]
    assert 0 < len(kept) < len(fleet.metrics)
    assert pq.read_table(target)["metric"].to_pylist() == kept
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"] == len(fleet.metrics)
    assert found["outcomes"]["skipped"] == len(fleet.metrics) - len(kept)


def test_a_poisoned_series_leaves_the_others_alone(fleet):
    table = fleet.table().cast(pa.schema([("metric", pa.string()), ("timestamp", pa.int64()), ("value", pa.float64())]))
    bad = pa.table({"metric": ["bad"] * 3, "timestamp": [END, -5, END], "value": [np.nan, 1.0, np.inf]})
    mixed = ridgeline.score(pa.concat_tables([bad, table]), all_votes=True)
    assert mixed.slice(0, 1).to_pylist()[0]["outcome"] == "rejected"
    assert mixed.slice(0, 1).to_pylist()[0]["reason"] == "no_usable_points"
    assert mixed.slice(1).equals(ridgeline.score(table, all_votes=True).slice(0))


def test_a_stale_fleet_is_a_warning_that_names_the_option(source, tmp_path, capsys):
    assert main(["score", str(source), str(tmp_path / "out.parquet"), "--as-of", str(END + 10_000)]) == 0
    assert "--as-of last" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["absent.parquet", "out.parquet"], 2, "no such file"),
        (["{in}", "no/such/folder/out.parquet"], 74, "cannot write"),
        (["{in}", "out.parquet", "--profile", "nope"], 2, "unknown profile"),
        (["{in}", "out.parquet", "--algorithms", "nope"], 2, "unknown algorithm"),
        (["{in}", "out.parquet", "--consensus", "10"], 2, "consensus of 10"),
        (["{in}", "out.parquet", "--algorithms", "grubbs", "--consensus", "2"], 2, "consensus of 2"),
        (["{in}", "out.parquet", "--as-of", "yesterday"], 2, "yesterday"),
        (["{in}", "out.parquet", "--nope"], 2, "--nope"),
        (["{in}", "out.parquet", "--config", "absent.toml"], 2, "no configuration file"),
        (["garbage.parquet", "out.parquet"], 2, "not a readable Parquet"),
        (["columns.parquet", "out.parquet"], 2, "no column"),
        (["types.parquet", "out.parquet"], 2, "must be a number"),
        (["empty.parquet", "out.parquet"], 66, "no rows"),
    ],
)
def test_bad_input_is_one_sentence(source, tmp_path, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "garbage.parquet").write_bytes(b"PAR1 nothing PAR1")
    pq.write_table(pa.table({"name": ["a"], "value": [1.0]}), "columns.parquet")
    pq.write_table(pa.table({"metric": ["a"], "timestamp": [END], "value": ["x"]}), "types.parquet")
    pq.write_table(
        pa.table(
            {
                "metric": pa.array([], pa.string()),
                "timestamp": pa.array([], pa.int64()),
                "value": pa.array([], pa.float64()),
            }
        ),
        "empty.parquet",
    )
    assert main(["score", *(a.replace("{in}", str(source)) for a in arguments)]) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    assert not (tmp_path / "out.parquet").exists()


def test_a_failed_run_leaves_the_old_file(source, tmp_path):
    target = tmp_path / "out.parquet"
    target.write_text("old")
    assert main(["score", "absent.parquet", str(target)]) == 2
    assert target.read_text() == "old"


def test_a_warm_start_imports_neither_numba_nor_scipy(source, tmp_path):
    code = (
        "import sys; from ridgeline.engine.cli.main import main;"
        f"code = main(['score', {str(source)!r}, {str(tmp_path / 'o.parquet')!r}]);"
        "print(code, [m for m in ('numba', 'llvmlite', 'scipy', 'polars', 'pandas', 'statsmodels') if m in sys.modules])"
    )
    run = lambda: subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout  # noqa: E731
    run()
    assert run().strip() == "0 []"


def test_the_api_refuses_bad_arguments(fleet):
    table = fleet.table()
    for arguments, message in (
        ({"profile": "nope"}, "unknown profile"),
        ({"algorithms": ["nope"]}, "unknown algorithm"),
        ({"as_of": "tomorrow"}, "as_of"),
        ({"consensus": 0}, "consensus"),
        ({"overrides": [{"match": "x", "colour": 1}]}, "colour"),
        ({"overrides": [{"match": "x", "consensus": 10}]}, "consensus"),
        (
            {"overrides": [{"match": "", "thresholds": {"grubbs": 4.0}}]},
            "must be a level of significance: at least 1e-300",
        ),
    ):
        with pytest.raises(InputError, match=message):
            ridgeline.score(table, **arguments)
