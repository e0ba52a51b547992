"""`ridgeline backtest`: same bytes however it is run, honest about bad data, resumable."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import ridgeline
from ridgeline.engine.backtest import groups, plan
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet import files, portion
from ridgeline.io.parquet.source import ParquetSource

END = 1_700_000_000
DATA_FILES = "scores/*.parquet"


@pytest.fixture(scope="module")
def history():
    """Eight metrics, 500 points each, incidents at the end."""
    return build_fleet(8, points=500, end=END, incidents=3, seed=3).table()


@pytest.fixture(scope="module")
def dataset(history, tmp_path_factory):
    path = tmp_path_factory.mktemp("history") / "history.parquet"
    pq.write_table(history, path, row_group_size=700)  # metrics straddle row groups
    return path


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of one or two metrics, so that a small dataset has several."""
    monkeypatch.setattr(plan.scan, "__defaults__", (600,))


def backtest(dataset, output, *options):
    return main(["backtest", str(dataset), "--output", str(output), *map(str, options)])


def data_files(output):
    files = [*sorted(output.glob(DATA_FILES)), output / "anomalies.parquet", output / "pages.parquet"]
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


def steps(output):
    return pa.concat_tables([pq.read_table(path) for path in sorted(output.glob(DATA_FILES))])


@pytest.fixture(scope="module")
def reference(dataset, tmp_path_factory):
    output = tmp_path_factory.mktemp("reference") / "out"
    before = plan.scan.__defaults__
    plan.scan.__defaults__ = (600,)
    try:
        assert backtest(dataset, output, "--threads", 1) == 0
    finally:
        plan.scan.__defaults__ = before
    return output


def test_output_is_as_documented(reference, history):
    out = steps(reference)
    assert out.column_names[:6] == ["metric", "timestamp", "value", "outcome", "anomalous", "votes"]
    assert [str(out.schema.field(n).type) for n in out.column_names[:6]] == [
        "string", "int64", "double", "string", "bool", "int8",
    ]  # fmt: skip
    assert out.column_names[-4:] == ["ks_test_d", "ks_test_adf", "consensus_score", "mean_score"]
    assert {str(t) for t in out.schema.types[6:]} == {"float"}
    assert out.num_rows == history.num_rows
    assert out["metric"].to_pylist() == history["metric"].to_pylist()
    assert len(list(reference.glob(DATA_FILES))) > 2
    manifest = json.loads((reference / "manifest.json").read_text())
    assert manifest["steps"] == out.num_rows == sum(manifest["outcomes"].values())
    assert not (reference / ".parts").exists()
    assert not list(reference.rglob("*.tmp"))
    incidents = pq.read_table(reference / "anomalies.parquet")
    assert incidents.column_names == ["metric", "start", "end", "peak_timestamp", "peak_value", "points", "algorithms"]
    assert sum(incidents["points"].to_pylist()) == pc.sum(out["anomalous"]).as_py() == manifest["anomalous"]


def test_every_step_is_what_score_says_at_that_minute(reference, history):
    out = steps(reference).to_pylist()
    metric = history["metric"].cast(pa.string())
    for row in out[99::137]:
        verdict = ridgeline.score(
            history.filter(pc.equal(metric, row["metric"])), as_of=row["timestamp"], all_votes=True
        ).to_pylist()[0]
        assert (verdict["outcome"], verdict["anomalous"], verdict["votes"]) == (
            row["outcome"],
            row["anomalous"],
            row["votes"],
        )
        if row["outcome"] == "analysed":
            for name in ("grubbs", "histogram_bins", "least_squares", "median_absolute_deviation"):
                assert (row[f"{name}_score"] > 1) == verdict[name]


@pytest.mark.usefixtures("small_parts")
def test_threads_give_the_same_bytes(dataset, reference, tmp_path):
    assert backtest(dataset, tmp_path / "out", "--threads", 3) == 0
    assert data_files(tmp_path / "out") == data_files(reference)


@pytest.mark.usefixtures("small_parts")
def test_a_dataset_over_many_files_gives_the_same_bytes(history, reference, tmp_path):
    folder = tmp_path / "days"
    folder.mkdir()
    for day, start in enumerate(range(0, history.num_rows, 900)):
        pq.write_table(history.slice(start, 900), folder / f"{day:02d}.parquet")
    assert backtest(folder, tmp_path / "out") == 0
    assert data_files(tmp_path / "out") == data_files(reference)


@pytest.mark.usefixtures("small_parts")
def test_scattered_and_duplicate_points_are_grouped_and_counted(history, reference, tmp_path, capsys):
    plain = history.set_column(0, "metric", history["metric"].cast(pa.string()))
    order = np.argsort(np.tile(np.arange(500), 8), kind="stable")
    scattered = plain.take(order)
    pq.write_table(pa.concat_tables([scattered, scattered.slice(0, 40)]), tmp_path / "in.parquet", row_group_size=333)
    assert backtest(tmp_path / "in.parquet", tmp_path / "out") == 0
    assert "grouping the dataset by metric" in capsys.readouterr().err
    assert steps(tmp_path / "out").equals(steps(reference))
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["data"]["clustered"] is False
    assert manifest["repairs"]["duplicate_timestamp"] == 40
    assert not (tmp_path / "out/.shuffled").exists()


def test_bounds_and_buckets_write_fewer_steps_with_the_same_verdicts(dataset, reference, tmp_path):
    full = steps(reference)
    start = END - 200 * 60
    assert backtest(dataset, tmp_path / "bounded", "--from", start, "--to", END) == 0
    inside = pc.and_(pc.greater_equal(full["timestamp"], start), pc.less(full["timestamp"], END))
    assert steps(tmp_path / "bounded").equals(full.filter(inside).combine_chunks())
    assert backtest(dataset, tmp_path / "every", "--every", "5m") == 0
    stamps = full["timestamp"].to_numpy()
    metrics = np.array(full["metric"].to_pylist())
    last = np.append((stamps[1:] // 300 != stamps[:-1] // 300) | (metrics[1:] != metrics[:-1]), True)
    assert steps(tmp_path / "every").equals(full.filter(pa.array(last)).combine_chunks())


def test_no_scores_leaves_the_incidents(dataset, reference, tmp_path):
    assert backtest(dataset, tmp_path / "out", "--no-scores") == 0
    assert not list((tmp_path / "out").glob(DATA_FILES))
    assert (tmp_path / "out/anomalies.parquet").read_bytes() == (reference / "anomalies.parquet").read_bytes()


def test_json_is_the_only_thing_on_stdout(dataset, tmp_path, capsys):
    assert backtest(dataset, tmp_path / "out", "--json", "--every", "1h") == 0
    assert json.loads(capsys.readouterr().out)["steps"] > 0


def test_a_finished_folder_is_not_overwritten(dataset, reference, capsys):
    assert backtest(dataset, reference) == 2
    assert "already holds a backtest" in capsys.readouterr().err


@pytest.mark.usefixtures("small_parts")
def test_a_stopped_backtest_resumes_where_it_was(dataset, reference, tmp_path, monkeypatch, capsys):
    from ridgeline.engine.backtest import runners

    whole, computed = runners.run_part, []

    def stops(job, part, threads=1):
        if len(computed) == 2:
            raise KeyboardInterrupt
        computed.append(part.number)
        return whole(job, part, threads)

    monkeypatch.setattr(runners, "run_part", stops)
    assert backtest(dataset, tmp_path / "out", "--threads", 1) == 130
    assert not (tmp_path / "out/manifest.json").exists()
    again = []
    monkeypatch.setattr(
        runners, "run_part", lambda job, part, threads=1: again.append(part.number) or whole(job, part, threads)
    )
    assert backtest(dataset, tmp_path / "out", "--threads", 1) == 2
    assert "--resume" in capsys.readouterr().err
    assert backtest(dataset, tmp_path / "out", "--threads", 1, "--resume", "--consensus", 5) == 2
    assert "configuration changed" in capsys.readouterr().err
    assert backtest(dataset, tmp_path / "out", "--threads", 1, "--resume") == 0
    assert 0 < len(again) < 4
    assert data_files(tmp_path / "out") == data_files(reference)


def stopped_after(parts, monkeypatch):
    """Let a backtest be interrupted after so many parts."""
    from ridgeline.engine.backtest import runners

    whole, computed = runners.run_part, []

    def stops(job, part, threads=1):
        if len(computed) == parts:
            raise KeyboardInterrupt
        computed.append(part.number)
        return whole(job, part, threads)

    monkeypatch.setattr(runners, "run_part", stops)


DAMAGE = {
    "a changed number": lambda text: text.replace('"points": ', '"points": 1', 1),
    "another metric": lambda text: text.replace('"metric": "', '"metric": "x', 1),
    "cut": lambda text: text[: len(text) // 2],
    "nonsense": lambda _: "[" * 100_000,
    "no seal": lambda text: json.dumps(json.loads(text)["document"]),
    "a list": lambda _: "[]",
    "empty": lambda _: "",
}


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_journal_changes_no_result(dataset, reference, tmp_path, damage):
    with pytest.MonkeyPatch.context() as patched:
        stopped_after(3, patched)
        assert backtest(dataset, tmp_path / "out", "--threads", 1) == 130
    records = sorted((tmp_path / "out/.parts").glob("part-*.json"))
    assert records
    for record in records:
        record.write_text(DAMAGE[damage](record.read_text()))
    assert backtest(dataset, tmp_path / "out", "--threads", 1, "--resume") == 0
    assert data_files(tmp_path / "out") == data_files(reference)


@pytest.mark.usefixtures("small_parts")
def test_scores_that_were_changed_meanwhile_are_computed_again(dataset, reference, tmp_path):
    with pytest.MonkeyPatch.context() as patched:
        stopped_after(3, patched)
        assert backtest(dataset, tmp_path / "out", "--threads", 1) == 130
    changed, gone, *_ = sorted((tmp_path / "out").glob(DATA_FILES))
    pq.write_table(pq.read_table(changed).slice(1), changed)
    gone.unlink()
    assert backtest(dataset, tmp_path / "out", "--threads", 1, "--resume") == 0
    assert data_files(tmp_path / "out") == data_files(reference)


PAGING = """
[source]
kind = "redis"
url = "unix:///none"
[[alert]]
match = "."
strategy = "console"
expiration = 120
schedule = { from = "00:00", to = "24:00", timezone = "Europe/Madrid" }
"""


@pytest.fixture(scope="module")
def paging(dataset, tmp_path_factory):
    """A configuration that pages, and the backtest of it in one part."""
    folder = tmp_path_factory.mktemp("paging")
    (folder / "ridgeline.toml").write_text(PAGING)
    assert backtest(dataset, folder / "out", "--config", folder / "ridgeline.toml") == 0
    assert pq.read_table(folder / "out/pages.parquet").num_rows > 5
    return folder / "ridgeline.toml", folder / "out"


def policy(output):
    return json.loads((output / "manifest.json").read_text())["policy"], (output / "pages.parquet").read_bytes()


@pytest.mark.usefixtures("small_parts")
def test_pages_are_the_same_in_parts_and_after_a_kill(dataset, paging, tmp_path):
    config, reference = paging
    with pytest.MonkeyPatch.context() as patched:
        stopped_after(3, patched)
        assert backtest(dataset, tmp_path / "out", "--config", config, "--threads", 1) == 130
    first, second, *_ = sorted((tmp_path / "out/.parts").glob("trail-*"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-9])
    assert backtest(dataset, tmp_path / "out", "--config", config, "--threads", 2, "--resume") == 0
    assert policy(tmp_path / "out") == policy(reference)


def test_without_a_rule_the_summary_says_that_nobody_would_have_been_paged(dataset, tmp_path, capsys):
    assert backtest(dataset, tmp_path / "out", "--no-scores") == 0
    assert "nobody would have been paged" in capsys.readouterr().out


def test_of_several_rules_the_first_that_matches_decides_how_often_it_pages(dataset, tmp_path, capsys):
    config = tmp_path / "ridgeline.toml"

    def pages(*expirations):
        rows = "".join(f'[[alert]]\nmatch = "."\nstrategy = "console"\nexpiration = {each}\n' for each in expirations)
        config.write_text(f'[source]\nkind = "redis"\nurl = "unix:///none"\n{rows}')
        output = tmp_path / "-".join(map(str, expirations))
        assert backtest(dataset, output, "--config", config, "--no-scores", "--json") == 0
        return json.loads(capsys.readouterr().out)["pages"]

    often, once = pages(1), pages(86400)
    assert often > once
    assert (pages(1, 86400), pages(86400, 1)) == (often, once)


@pytest.mark.usefixtures("small_parts")
def test_a_damaged_identity_is_refused(dataset, tmp_path, capsys):
    with pytest.MonkeyPatch.context() as patched:
        stopped_after(2, patched)
        assert backtest(dataset, tmp_path / "out", "--threads", 1) == 130
    for text in ("", "{}", '{"document": {"configuration": "x", "data": "y"}, "sha256": "z"}'):
        (tmp_path / "out/.parts/backtest.json").write_text(text)
        capsys.readouterr()
        assert backtest(dataset, tmp_path / "out", "--threads", 1, "--resume") == 2
        assert "is damaged" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["file", "link", "fifo"])
@pytest.mark.parametrize("name", [".parts", "scores"])
def test_what_stands_in_the_way_of_a_folder_is_named(dataset, tmp_path, capsys, kind, name):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("mine")
    {
        "file": (out / name).touch,
        "link": lambda: (out / name).symlink_to(elsewhere),
        "fifo": lambda: os.mkfifo(out / name),
    }[kind]()
    assert backtest(dataset, out, "--threads", 1) == 2
    assert f"{name} is in the way" in capsys.readouterr().err
    assert (elsewhere / "precious").read_text() == "mine"


def test_resuming_a_finished_backtest_does_nothing_and_refuses_changes(dataset, tmp_path, monkeypatch, capsys):
    from ridgeline.engine.backtest import runners

    out = tmp_path / "out"
    assert backtest(dataset, out, "--threads", 1) == 0
    before = data_files(out)
    monkeypatch.setattr(runners, "run_part", lambda *_: pytest.fail("replayed again"))
    capsys.readouterr()
    assert backtest(dataset, out, "--threads", 1, "--resume") == 0
    printed = capsys.readouterr()
    assert "complete already" in printed.err
    assert "steps of" in printed.out
    assert backtest(dataset, out, "--threads", 1, "--resume", "--consensus", 5) == 2
    assert "configuration changed" in capsys.readouterr().err
    for keys in (
        "cutoffs = { grubbs = 1.5 }",
        "rule_threshold = 2",
        '[[override]]\nmatch = "a"\ncutoffs = { ks_test = 3 }',
    ):
        (tmp_path / "r.toml").write_text(f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1"\n[analysis]\n{keys}\n')
        assert backtest(dataset, out, "--threads", 1, "--resume", "--config", tmp_path / "r.toml") == 2
        assert "configuration changed" in capsys.readouterr().err
    assert data_files(out) == before
    manifest = (out / "manifest.json").read_text()
    for text in ("", "[]", "{}", manifest.replace('"checksums": {', '"checksums": {"scores/gone.parquet": "00",')):
        (out / "manifest.json").write_text(text)
        assert backtest(dataset, out, "--threads", 1, "--resume") == 2
    (out / "manifest.json").write_text(manifest)
    next((out / "scores").iterdir()).write_bytes(b"damaged")
    assert backtest(dataset, out, "--threads", 1, "--resume") == 2
    assert "is not what manifest.json says" in capsys.readouterr().err


def test_a_killed_backtest_leaves_whole_files_and_resumes(history, tmp_path):
    big = build_fleet(40, points=3000, end=END, seed=5).table()
    pq.write_table(big, tmp_path / "in.parquet")
    patch = "from ridgeline.engine.backtest import plan; plan.scan.__defaults__ = (3000,)"
    code = f"import sys; {patch}; from ridgeline.engine.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "backtest", str(tmp_path / "in.parquet"), "--output", str(tmp_path / "out")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "out/.parts").glob("part-*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for path in (tmp_path / "out").glob(DATA_FILES):
        pq.read_table(path)
    assert subprocess.run([*command, "--resume"], check=False, stderr=subprocess.DEVNULL).returncode == 0
    assert (
        subprocess.run([*command[:-1], str(tmp_path / "whole")], check=False, stderr=subprocess.DEVNULL).returncode == 0
    )
    assert data_files(tmp_path / "out") == data_files(tmp_path / "whole")
    assert not list((tmp_path / "out").rglob("*.tmp"))


@pytest.mark.usefixtures("small_parts")
def test_an_unreadable_row_group_is_skipped_and_named(dataset, tmp_path, capsys):
    damaged = tmp_path / "damaged.parquet"
    raw = bytearray(dataset.read_bytes())
    meta = pq.read_metadata(dataset).row_group(2).column(2)
    start = min(filter(None, (meta.dictionary_page_offset, meta.data_page_offset)))
    raw[start : start + meta.total_compressed_size] = os.urandom(meta.total_compressed_size)
    damaged.write_bytes(raw)
    assert backtest(damaged, tmp_path / "out") == 70
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert len(manifest["unreadable"]) >= 1
    assert "row group 2" in manifest["unreadable"][0]
    assert "unreadable" in capsys.readouterr().out
    assert 0 < manifest["steps"] < 4000


def test_bad_input_is_one_sentence(dataset, tmp_path, capsys):
    for arguments, code, message in (
        ([tmp_path / "absent.parquet", tmp_path / "a"], 2, "no such file"),
        ([dataset, tmp_path / "b", "--profile", "nope"], 2, "unknown profile"),
        ([dataset, tmp_path / "c", "--from", "2024-01-02", "--to", "2024-01-01"], 2, "--from must be before --to"),
        ([dataset, tmp_path / "d", "--algorithms", "nope"], 2, "unknown algorithm"),
        ([dataset, dataset / "e"], 74, "cannot write"),
    ):
        assert backtest(arguments[0], arguments[1], *arguments[2:]) == code, message
        assert message in capsys.readouterr().err


def planted_file(path):
    path.write_text("planted")


def planted_folder(path):
    path.mkdir()
    (path / "grouped.parquet").write_text("planted")
    (path / "deep").mkdir()


def planted_link(path):
    path.with_name("victim").mkdir()
    (path.with_name("victim") / "precious").write_text("mine")
    path.symlink_to(path.with_name("victim"))


@pytest.mark.parametrize("plant", [planted_file, planted_folder, planted_link])
def test_what_lies_in_the_place_of_a_grouped_copy_is_removed_or_refused(history, tmp_path, capsys, plant):
    order = np.argsort(np.tile(np.arange(500), 8), kind="stable")
    pq.write_table(history.take(order), tmp_path / "in.parquet")
    (tmp_path / "out").mkdir()
    plant(tmp_path / "out" / ".shuffled")
    assert backtest(tmp_path / "in.parquet", tmp_path / "out") == 0
    assert steps(tmp_path / "out").num_rows == history.num_rows
    assert not (tmp_path / "out/.shuffled").exists()
    assert not (tmp_path / "out/.shuffled").is_symlink()
    if plant is planted_link:
        assert (tmp_path / "out/victim/precious").read_text() == "mine"


def test_a_full_disk_ends_with_74_and_whole_files(dataset, tmp_path, monkeypatch, capsys):
    import errno

    from ridgeline.io.disk import atomic

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    assert backtest(dataset, tmp_path / "out") == 74
    assert "No space left" in capsys.readouterr().err
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_the_picture(dataset, tmp_path, history):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    metric = history["metric"][0].as_py()
    assert backtest(dataset, tmp_path / "out", "--plot", metric) == 0
    pictures = list((tmp_path / "out").glob("*.png"))
    assert len(pictures) == 1
    assert pictures[0].read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("small_parts")
def test_parts_depend_on_the_data_alone(dataset, history, tmp_path):
    pq.write_table(history, tmp_path / "other.parquet", row_group_size=123)
    one, other = (plan.scan(ParquetSource(path)) for path in (dataset, tmp_path / "other.parquet"))
    assert [part.rows for part in one] == [part.rows for part in other]
    assert sum(len(part.portion.catalog.names) for part in one) == 8


def test_no_more_of_a_row_group_is_read_than_a_part_needs(history, tmp_path, monkeypatch):
    pq.write_table(history, tmp_path / "one.parquet", row_group_size=len(history))
    parts = plan.scan(ParquetSource(tmp_path / "one.parquet"), 1000)
    assert [part.rows for part in parts] == [1000] * 4
    monkeypatch.setattr(portion, "AT_A_TIME", 300)
    whole, read = files.DataFile.batches, []

    def batches(*given):
        for batch in whole(*given):
            read.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(files.DataFile, "batches", batches)
    for number, part in enumerate(parts):
        read.clear()
        names = [name for matrix in part.portion.matrices([]) for name in matrix.metrics.to_pylist()]
        assert names == list(dict.fromkeys(history["metric"].to_pylist()))[2 * number : 2 * number + 2]
        assert sum(read) == min(-(-1000 * (number + 1) // 300) * 300, len(history))


@pytest.mark.parametrize("batch", [150, 4000])
def test_row_groups_and_their_bytes_depend_on_the_data_alone(dataset, history, tmp_path, monkeypatch, batch):
    monkeypatch.setattr(groups, "GROUP", 900)  # a row group of two metrics, the last of one
    outputs = tmp_path / "whole", tmp_path / "in pieces"
    assert backtest(dataset, outputs[0]) == 0
    monkeypatch.setattr(portion, "AT_A_TIME", batch)
    assert backtest(dataset, outputs[1]) == 0
    assert data_files(outputs[0]) == data_files(outputs[1])
    (path,) = outputs[0].glob(DATA_FILES)
    file = pq.ParquetFile(path)
    assert [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)] == [1000] * 4
    whole = replay_matrix(MetricMatrix.from_table(history), ReplayPlan())
    assert file.read().combine_chunks().equals(whole.combine_chunks())


def test_a_dask_cluster_that_loses_a_worker_gives_the_same_bytes(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="needs ridgeline[dask]")
    import psutil

    pq.write_table(build_fleet(30, points=2000, end=END, seed=5).table(), tmp_path / "in.parquet")
    patch = "from ridgeline.engine.backtest import plan; plan.scan.__defaults__ = (2000,)"
    code = f"import sys; {patch}; from ridgeline.engine.cli.main import main\nif __name__ == '__main__': sys.exit(main(sys.argv[1:]))"
    script = tmp_path / "run.py"
    script.write_text(code)
    config = tmp_path / "ridgeline.toml"
    config.write_text(PAGING)
    arguments = ["backtest", str(tmp_path / "in.parquet"), "--config", str(config), "--output"]
    command = [sys.executable, str(script), *arguments, str(tmp_path / "dask"), "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list((tmp_path / "dask/.parts").glob("part-*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    workers = [p for p in psutil.Process(process.pid).children(recursive=True) if "spawn_main" in " ".join(p.cmdline())]
    assert workers
    workers[-1].kill()
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    monkeypatch.setattr(plan.scan, "__defaults__", (2000,))
    assert main([*arguments, str(tmp_path / "local")]) == 0
    assert data_files(tmp_path / "dask") == data_files(tmp_path / "local")
    assert policy(tmp_path / "dask") == policy(tmp_path / "local")


def test_a_picture_needs_scores_and_says_so_before_replaying(dataset, tmp_path, capsys):
    assert backtest(dataset, tmp_path / "out", "--no-scores", "--plot", "a") == 2
    assert "--plot draws from the scores" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_picture_that_cannot_be_drawn_is_refused_before_replaying(dataset, tmp_path, history, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    known = history["metric"][0].as_py()
    for options, sentence in [
        (["--plot", f"{known}x"], "check the name"),
        (["--plot", known, "--labels", tmp_path / "absent.csv"], "do not exist"),
    ]:
        assert backtest(dataset, tmp_path / "out", *options) == 2
        assert sentence in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert backtest(dataset, tmp_path / "out", "--plot", known) == 2
    assert "matplotlib" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_finished_backtest_is_drawn_without_replaying(dataset, tmp_path, history, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    from ridgeline.engine.backtest import runners

    out, metric = tmp_path / "out", history["metric"][0].as_py()
    assert backtest(dataset, out, "--threads", 1) == 0
    monkeypatch.setattr(runners, "run_part", lambda *_: pytest.fail("replayed again"))
    assert backtest(dataset, out, "--threads", 1, "--resume", "--plot", metric) == 0
    drawn = capsys.readouterr().err.partition("drawn: ")[2].strip()
    assert Path(drawn).read_bytes().startswith(b"\x89PNG")


SKIPPING = '[source]\nkind = "redis"\nurl = "unix:///none"\n[analysis]\nskip = ["{name}"]\n'


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("scattered", [False, True])
def test_skipped_metrics_are_counted_and_change_nothing_of_the_others(history, dataset, tmp_path, capsys, scattered):
    names = pc.unique(history["metric"]).to_pylist()
    config, source = tmp_path / "ridgeline.toml", dataset
    if scattered:
        source = tmp_path / "scattered.parquet"
        pq.write_table(history.take(pc.sort_indices(history, sort_keys=[("timestamp", "ascending")])), source)
    for left_out in (names[:1], names[3:5], names):
        config.write_text(SKIPPING.format(name="|".join(f"{name}$" for name in left_out)))
        output = tmp_path / f"without-{len(left_out)}"
        assert backtest(source, output, "--config", config, "--json") == 0
        printed = capsys.readouterr()
        manifest = json.loads(printed.out)
        assert (manifest["metrics"], manifest["reasons"]) == (len(names), {"skip": len(left_out)})
        assert f"left out: {len(left_out)} of the metrics" in printed.err
        kept = [name for name in names if name not in left_out]
        assert manifest["steps"] == 500 * len(kept)
        if kept:
            rest = history.filter(pc.is_in(history["metric"], pa.array(kept)))
            pq.write_table(rest, tmp_path / "rest.parquet")
            assert backtest(tmp_path / "rest.parquet", tmp_path / f"rest-{len(left_out)}") == 0
            assert steps(output).equals(steps(tmp_path / f"rest-{len(left_out)}"))
            capsys.readouterr()
    assert backtest(source, output, "--resume") == 2, "another choice of metrics is another backtest"
    assert "configuration changed" in capsys.readouterr().err


def test_what_overrides_come_to_is_said_once(history, dataset, tmp_path, capsys):
    name = history["metric"][0].as_py()
    rows = [{"match": name, "algorithms": ["grubbs"], "consensus": 1}, {"match": name[:-1], "consensus": 2}]
    with pytest.warns(UserWarning, match="together ask for 2 votes where 1 can be cast") as caught:
        ridgeline.backtest(dataset, tmp_path / "python", overrides=rows)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    config = tmp_path / "ridgeline.toml"
    config.write_text(
        '[source]\nkind = "redis"\nurl = "unix:///none"\n'
        f'[[override]]\nmatch = "{name}"\nalgorithms = ["grubbs"]\nconsensus = 1\n'
        f'[[override]]\nmatch = "{name[:-1]}"\nconsensus = 2\n'
    )
    assert backtest(dataset, tmp_path / "out", "--config", config, "--threads", 2) == 0
    assert capsys.readouterr().err.count("ridgeline: warning: overrides") == 1
