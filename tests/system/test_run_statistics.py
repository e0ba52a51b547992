"""What a run tells of itself: textfile, Graphite, heartbeat and log, whether it goes well, badly, or not at all."""

import json
import os
import signal

import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rigs.carbon import carbon
from rigs.http import Answer, http_server
from rigs.redis import proxy, redis_server
from rigs.runs import END, FLEET, TABLE, received, run, run_json, start, write_config
from rigs.waiting import until

from ridgeline.io.disk import atomic

SENTINEL = "s3nt1nel-0f-the-heart"
MONTH = 30 * 86400


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    path = tmp_path_factory.mktemp("fleet") / "fleet.parquet"
    pq.write_table(TABLE, path)
    return path


def telling(tmp_path, *, log="text", canary=FLEET.metrics[3], **more):
    """`[statistics]` and `[log]` into files of this folder; `more`: further keys of `[statistics]`."""
    keys = {"prometheus_textfile": tmp_path / "ridgeline.prom", "canary": canary, "name": "golden", **more}
    lines = ["[statistics]", *(f'{key} = "{value}"' for key, value in keys.items())]
    return "\n".join([*lines, f'[log]\nfile = "{tmp_path / "run.log"}"\nformat = "{log}"'])


def samples(tmp_path):
    """The textfile as Prometheus reads it: {name or (name, label): value}."""
    text = (tmp_path / "ridgeline.prom").read_text()
    read = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, *one.labels.values()) if one.labels else one.name: one.value for one in read}


def logged(tmp_path):
    return [json.loads(line) for line in (tmp_path / "run.log").read_text().splitlines()]


def test_textfile_graphite_and_log_say_what_the_run_said(fleet, tmp_path, capsys, monkeypatch):
    with carbon() as graphite, http_server() as heart:
        monkeypatch.setenv("RIDGELINE_TEST_HEART", f"{heart.url}ping/{SENTINEL}")
        extra = telling(tmp_path, log="json", graphite=graphite.setting, heartbeat_url_env="RIDGELINE_TEST_HEART")
        code, found, errors = run_json(capsys, write_config(tmp_path, fleet, alerts=(), extra=extra))
        assert (code, errors) == (0, "")
        until(lambda: graphite.batches)
        assert len(graphite.batches) == 1
        numbers = graphite.numbers()
        assert [request.line for request in heart.requests] == [f"GET /ping/{SENTINEL} HTTP/1.1"]

    file = samples(tmp_path)
    assert {label[1]: n for label, n in file.items() if label[0] == "ridgeline_metrics" and n} == found["outcomes"]
    assert {label[1]: n for label, n in file.items() if label[0] == "ridgeline_algorithm_votes"} == found["breakdown"]
    assert {label[1]: n for label, n in file.items() if label[0] == "ridgeline_alerts"} == found["alerts"]
    assert file["ridgeline_anomalies"] == len(found["anomalies"]) > 0
    assert file["ridgeline_last_run_timestamp_seconds"] == file["ridgeline_last_success_timestamp_seconds"] == END
    assert file["ridgeline_exit_code"] == file["ridgeline_outbox_entries"] == 0
    assert file["ridgeline_run_seconds", "scan"] == found["seconds"]["scan"]
    assert file["ridgeline_run_seconds", "total"] <= found["seconds"]["total"]

    assert {stamp for _, stamp in numbers.values()} == {END}
    value = {name.removeprefix("skyline.analyzer.golden."): number for name, (number, _) in numbers.items()}
    assert value["total_metrics"] == found["metrics"]
    assert value["total_analyzed"] == found["outcomes"]["analysed"]
    assert value["exceptions.Boring"] == found["outcomes"]["boring"]
    assert value["total_anomalies"] == len(found["anomalies"])
    assert {name: value[f"anomaly_breakdown.{name}"] for name in found["breakdown"]} == found["breakdown"]
    assert value["duration"] == 299 / 60
    assert value["projected"] == pytest.approx(24 * value["run_time"] / value["duration"], abs=0.1)
    runs = {name: number for name, number in value.items() if name.endswith(".timing.times_run")}
    assert max(runs.values()) == found["outcomes"]["analysed"]
    assert min(runs.values()) >= len(found["anomalies"])

    (entry,) = logged(tmp_path)
    assert (entry["level"], entry["event"], entry["exit"], entry["as_of"]) == ("info", "run", 0, END)
    assert {key: entry[key] for key in ("metrics", "outcomes", "alerts")} == {
        key: found[key] for key in ("metrics", "outcomes", "alerts")
    }
    assert SENTINEL not in (tmp_path / "run.log").read_text() + (tmp_path / "ridgeline.prom").read_text()


def test_nothing_but_values_of_this_run_is_sent(fleet, tmp_path, capsys):
    with carbon() as graphite:
        config = write_config(tmp_path, fleet, alerts=(), extra=telling(tmp_path, graphite=graphite.setting))
        assert run(config) == 0
        until(lambda: len(graphite.batches) == 1)
        assert run(config, as_of=END + 60) == 0
        until(lambda: len(graphite.batches) == 2)
        assert [{stamp for _, stamp in graphite.numbers(at).values()} for at in (0, 1)] == [{END}, {END + 60}]


def test_no_data_keeps_the_last_success(fleet, tmp_path, capsys):
    config = write_config(tmp_path, fleet, alerts=(), extra=telling(tmp_path))
    assert run(config) == 0
    assert run(config, as_of=END + MONTH) == 66
    file = samples(tmp_path)
    assert file["ridgeline_exit_code"] == 66
    assert file["ridgeline_last_success_timestamp_seconds"] == END
    assert file["ridgeline_last_run_timestamp_seconds"] == END + MONTH
    assert file["ridgeline_metrics", "stale"] == len(FLEET.metrics)
    lines = (tmp_path / "run.log").read_text().splitlines()
    assert [line.split(" :: ")[2] for line in lines] == ["run", "run", "warning"]
    assert "exit 66 as of" in lines[1]


@pytest.mark.parametrize("trouble", ["down", "password"])
def test_a_source_that_cannot_be_read_is_told_of_all_the_same(fleet, tmp_path, capsys, monkeypatch, trouble):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", SENTINEL)
    with redis_server(password="the right one") as guarded, http_server() as heart, carbon() as graphite:
        monkeypatch.setenv("RIDGELINE_TEST_HEART", heart.url)
        extra = telling(tmp_path, log="json", graphite=graphite.setting, heartbeat_url_env="RIDGELINE_TEST_HEART")
        assert run(write_config(tmp_path, fleet, alerts=(), extra=telling(tmp_path, log="json"))) == 0
        code, port = (69, 1) if trouble == "down" else (77, guarded.port)
        config = write_config(tmp_path, f"redis://127.0.0.1:{port}/0", alerts=(), extra=extra)
        config.write_text(config.read_text().replace("[run]", 'password_env = "RIDGELINE_TEST_PASSWORD"\n[run]', 1))
        assert run(config, as_of=END + 60) == code
        assert (heart.requests, graphite.batches) == ([], [])
    file = samples(tmp_path)
    assert file["ridgeline_exit_code"] == code
    assert file["ridgeline_last_success_timestamp_seconds"] == END
    assert file["ridgeline_last_run_timestamp_seconds"] == END + 60
    assert sum(n for name, n in file.items() if name[0] == "ridgeline_metrics") == 0
    _, run_entry, problem = logged(tmp_path)
    assert (run_entry["exit"], run_entry["level"], problem["level"]) == (code, "error", "warning")
    assert SENTINEL not in (tmp_path / "run.log").read_text()


def test_what_waits_to_be_sent_is_counted_and_a_run_that_cannot_know_keeps_the_count(fleet, tmp_path, capsys):
    with http_server(Answer(500)) as http:
        config = write_config(tmp_path, fleet, http=http, extra=telling(tmp_path))
        code, found, _ = run_json(capsys, config)
        assert (code, found["alerts"]["queued"]) == (70, len(found["anomalies"]))
        file = samples(tmp_path)
        assert file["ridgeline_outbox_entries"] == file["ridgeline_alerts", "queued"] == len(found["anomalies"]) > 0
        assert file["ridgeline_exit_code"] == 70
        assert file["ridgeline_last_success_timestamp_seconds"] == 0
    gone = write_config(tmp_path, "redis://127.0.0.1:1/0", alerts=(), extra=telling(tmp_path))
    assert run(gone) == 69
    assert samples(tmp_path)["ridgeline_outbox_entries"] == len(found["anomalies"])


@pytest.mark.parametrize("trouble", ["no folder", "a pipe", "a link", "no space"])
def test_a_textfile_that_cannot_be_written_comes_after_the_alerts(fleet, tmp_path, capsys, monkeypatch, trouble):
    file = tmp_path / "textfile" / "ridgeline.prom"
    if trouble != "no folder":
        file.parent.mkdir()
    if trouble == "a pipe":
        os.mkfifo(file)
    elif trouble == "a link":
        file.symlink_to(tmp_path / "elsewhere.prom")
    elif trouble == "no space":
        monkeypatch.setattr(atomic, "write_atomic", full_disk)
    with http_server() as http:
        extra = telling(tmp_path, prometheus_textfile=file)
        code, found, errors = run_json(capsys, write_config(tmp_path, fleet, http=http, extra=extra))
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert code == found["exit"] == 74
    assert str(file) in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "elsewhere.prom").exists()
    assert "exit 74" in (tmp_path / "run.log").read_text()


@pytest.mark.parametrize("trouble", ["no folder", "a pipe", "a link", "a folder"])
def test_a_log_that_cannot_be_written_costs_a_sentence(fleet, tmp_path, capsys, trouble):
    log = tmp_path / "logs" / "run.log"
    if trouble != "no folder":
        log.parent.mkdir()
    if trouble == "a pipe":
        os.mkfifo(log)
    elif trouble == "a link":
        log.symlink_to(tmp_path / "elsewhere.log")
    elif trouble == "a folder":
        log.mkdir()
    extra = f'[log]\nfile = "{log}"'
    code, found, errors = run_json(capsys, write_config(tmp_path, fleet, alerts=(), extra=extra))
    assert code == found["exit"] == 0
    (line,) = errors.splitlines()
    assert line.startswith("ridgeline: this run is not in the log: ")
    assert not (tmp_path / "elsewhere.log").exists()


@pytest.mark.parametrize("which", ["graphite", "heartbeat"])
def test_what_nobody_takes_costs_a_sentence(fleet, tmp_path, capsys, monkeypatch, which):
    monkeypatch.setenv("RIDGELINE_TEST_HEART", f"http://127.0.0.1:1/{SENTINEL}")
    more = {"graphite": "127.0.0.1:1"} if which == "graphite" else {"heartbeat_url_env": "RIDGELINE_TEST_HEART"}
    code, found, errors = run_json(capsys, write_config(tmp_path, fleet, alerts=(), extra=telling(tmp_path, **more)))
    assert code == found["exit"] == 0
    (line,) = errors.splitlines()
    assert "Connection refused" in line
    assert SENTINEL not in line + (tmp_path / "run.log").read_text()
    assert line.removeprefix("ridgeline: ") in (tmp_path / "run.log").read_text()


@pytest.mark.parametrize("asked", [("--match", "eu-west"), ("--check-airgaps-only",), ("--dry-run",)])
def test_a_run_over_a_part_or_a_dry_one_changes_no_numbers(fleet, tmp_path, capsys, monkeypatch, asked):
    with carbon() as graphite, http_server() as heart:
        monkeypatch.setenv("RIDGELINE_TEST_HEART", heart.url)
        extra = telling(tmp_path, graphite=graphite.setting, heartbeat_url_env="RIDGELINE_TEST_HEART")
        config = write_config(tmp_path, fleet, alerts=(), extra=extra)
        assert run(config, *asked) == 0
        assert (heart.requests, graphite.batches) == ([], [])
    assert not (tmp_path / "ridgeline.prom").exists()
    entries = (tmp_path / "run.log").read_text() if (tmp_path / "run.log").exists() else ""
    assert entries.count("run :: exit 0") == (0 if "--dry-run" in asked else 1)
    assert ('only "eu-west"' in entries) == ("--match" in asked)


def test_one_that_finds_another_at_work_leaves_its_numbers_alone(fleet, tmp_path, capsys):
    with redis_server() as running, proxy(running.port) as between:
        between.delay = 0.1
        slow = write_config(tmp_path, between.url, alerts=(), extra=telling(tmp_path))
        with start(slow) as first:
            until(lambda: list(tmp_path.glob("out/run-*.lock")) and between.connections)
            assert run(slow) == 75
            assert not (tmp_path / "ridgeline.prom").exists()
            assert "exit 75" in (tmp_path / "run.log").read_text()
            between.delay = 0.0
            assert first.wait(120) == 66
    assert samples(tmp_path)["ridgeline_exit_code"] == 66


def test_a_run_that_is_told_to_stop_says_so(tmp_path, capsys):
    with redis_server() as running, proxy(running.port) as between:
        between.blackhole = True
        config = write_config(tmp_path, between.url, alerts=(), extra=telling(tmp_path))
        with start(config) as process:
            until(lambda: between.connections)
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 143
    assert samples(tmp_path)["ridgeline_exit_code"] == 143
    assert "the run was told to stop" in (tmp_path / "run.log").read_text()


def test_a_bug_is_told_with_its_traceback_in_the_log(fleet, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ridgeline.engine.run.stages.alert.Summary", None)
    assert run(write_config(tmp_path, fleet, alerts=(), extra=telling(tmp_path))) == 1
    assert samples(tmp_path)["ridgeline_exit_code"] == 1
    text = (tmp_path / "run.log").read_text()
    assert "warning :: this is a bug: TypeError: 'NoneType' object is not callable" in text
    assert "    Traceback (most recent call last):\n" in text


@pytest.mark.parametrize(("table", "key"), [("statistics", "prometheus_textfile"), ("log", "file")])
@pytest.mark.parametrize("source", ["data/fleet.parquet", "data", "**/*.parquet", "data/*.parquet"])
def test_neither_file_may_be_the_data_or_lie_among_it(tmp_path, capsys, table, key, source):
    data = tmp_path / "data" / "fleet.parquet"
    data.parent.mkdir()
    pq.write_table(TABLE, data)
    before = data.read_bytes()
    for target, code in ((data, 2), (data.parent / "x.prom", 2 if source in {"data", "**/*.parquet"} else 0)):
        config = write_config(tmp_path, tmp_path / "stand-in.parquet", alerts=(), output=None)
        text = config.read_text().replace(str(tmp_path / "stand-in.parquet"), str(tmp_path / source))
        config.write_text(f'{text}\n[{table}]\n{key} = "{target}"\n[output]\ndirectory = "{tmp_path / "out"}"\n')
        assert run(config) == code
        assert data.read_bytes() == before


def full_disk(path, content):
    from ridgeline.io.errors import OutputError

    raise OutputError(f"cannot write {path}: No space left on device")
