"""`ridgeline run`: one bulk run, end to end, from a real Redis and from Parquet."""

import json
import re

import pyarrow.parquet as pq
import pytest
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import END, FLEET, TABLE, load, received, run, run_json, told, write_config

import ridgeline

KEYS = [
    "as_of",
    "metrics",
    "outcomes",
    "reasons",
    "repairs",
    "preparation",
    "never_judged",
    "anomalies",
    "breakdown",
    "algorithm_errors",
    "algorithm_tracebacks",
    "alerts",
    "source",
    "unmatched_patterns",
    "airgaps",
    "shed",
    "seconds",
    "metrics_per_second",
    "exit",
]


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        load(running.client)
        yield running


@pytest.fixture
def redis(server):
    """The loaded server, without what earlier runs remembered."""
    for key in server.client.scan_iter("last_alert.*"):
        server.client.delete(key)
    for key in server.client.scan_iter("ridgeline.*"):
        server.client.delete(key)
    return server


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("fleet") / "fleet.parquet"
    pq.write_table(TABLE, path)
    return path


@pytest.fixture(scope="module")
def expected():
    """What the library itself says of the fleet: metric -> verdict row, anomalous ones only."""
    rows = ridgeline.score(TABLE, as_of=END).to_pylist()
    return {row["metric"]: row for row in rows if row["anomalous"]}


def test_one_object_says_it_all(redis, tmp_path, capsys, expected):
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, redis.url, http=http))
    assert (code, errors) == (0, "")
    assert list(found) == KEYS
    assert found["as_of"] == END
    assert found["metrics"] == len(FLEET.metrics) == sum(found["outcomes"].values())
    assert found["exit"] == 0
    assert {row["metric"] for row in found["anomalies"]} == set(expected)
    assert len(expected) >= 9
    for row in found["anomalies"]:
        verdict = expected[row["metric"]]
        low, high = row.pop("expected")
        assert low < high
        assert row == {
            "metric": verdict["metric"],
            "value": verdict["datapoint"],
            "timestamp": verdict["timestamp"],
            "votes": verdict["votes"],
            "algorithms": [name for name in found["breakdown"] if verdict[name]],
            "first_seen": verdict["timestamp"],
            "ongoing": False,
            "negatives": False,
            "channels": None,
            "rule_score": None,
        }
    assert sum(found["breakdown"].values()) == sum(row["votes"] for row in found["anomalies"])
    shares = ["list", "compile", "scan", "alert", "bookkeeping", "write"]
    assert list(found["seconds"]) == [*shares, "load", "decode", "score", "total"]
    assert all(seconds > 0 for seconds in found["seconds"].values())
    assert sum(found["seconds"][share] for share in shares) == pytest.approx(found["seconds"]["total"], abs=1e-5)
    assert found["algorithm_errors"] == {}
    assert found["source"]["full_reads"] == len(FLEET.metrics)
    assert found["source"]["delta_reads"] == 0
    assert found["source"]["bytes"] == sum(redis.client.strlen(f"metrics.{name}") for name in FLEET.metrics)
    assert found["unmatched_patterns"] == []
    assert found["metrics_per_second"] == pytest.approx(found["metrics"] / found["seconds"]["total"], rel=0.01)
    assert found["alerts"] == told(sent=len(expected), messages=1)
    assert sorted(received(http)) == sorted(expected)


@pytest.mark.parametrize("match", [None, "eu-west"])
def test_metrics_to_skip_are_listed_but_not_read(redis, tmp_path, capsys, expected, match):
    listed = [name for name in FLEET.metrics if match is None or match in name]
    skipped = [name for name in listed if "cpu" in name or "host01" in name]
    assert 0 < len(skipped) < len(listed)
    with http_server() as http:
        path = write_config(tmp_path, redis.url, http=http)
        path.write_text(path.read_text() + '[analysis]\nskip = ["cpu", ".*host01", "no.such.thing"]\n')
        code, found, _ = run_json(capsys, path, *(["--match", match] if match else []))
    assert code == 0
    assert found["metrics"] == len(listed)
    assert found["outcomes"]["skipped"] == found["reasons"]["skip"] == len(skipped)
    kept = [name for name in listed if name not in skipped]
    assert found["source"]["bytes"] == sum(redis.client.strlen(f"metrics.{name}") for name in kept)
    assert sorted(received(http)) == sorted(name for name in expected if name in kept)
    assert found["unmatched_patterns"] == ([] if match else ["no.such.thing"])


def test_the_next_run_alerts_nobody_twice_and_lists_everything(redis, tmp_path, capsys, expected):
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http)
        run_json(capsys, config)
        code, found, _ = run_json(capsys, config)
        assert sorted(received(http)) == sorted(expected)
    assert code == 0
    assert found["alerts"] == told(suppressed=len(expected))
    assert len(found["anomalies"]) == len(expected)
    stored = redis.client.get(f"last_alert.http.{next(iter(expected))}")
    assert int(stored) == END


def test_the_outputs_agree_with_the_object(redis, tmp_path, capsys):
    with http_server() as http:
        _, found, _ = run_json(capsys, write_config(tmp_path, redis.url, http=http))
    out = tmp_path / "out"
    *files, lock = sorted(file.name for file in out.iterdir())
    assert files == ["anomalies.json", "anomalies.jsonp", "anomalies.parquet"]
    assert re.fullmatch(r"run-[0-9a-f]{16}\.lock", lock)
    assert json.loads((out / "anomalies.json").read_text()) == found["anomalies"]
    assert pq.read_table(out / "anomalies.parquet").to_pylist() == found["anomalies"]
    dump = (out / "anomalies.jsonp").read_text()
    assert dump.startswith("handle_data(")
    listed = json.loads(dump.removeprefix("handle_data(").removesuffix(")"))
    by_name = sorted(found["anomalies"], key=lambda row: row["metric"])
    assert listed == [[row["value"], row["metric"], row["timestamp"]] for row in by_name]


def test_outputs_are_written_when_nothing_is_anomalous(redis, tmp_path, capsys):
    config = write_config(tmp_path, redis.url, alerts=(), extra="[analysis]\nconsensus = 9")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "anomalies.json").write_text("old")
    orphan = tmp_path / "out" / ".anomalies.json.ridgeline-x1x1x1x1.tmp"
    orphan.write_text("half")
    draft = tmp_path / "out" / "thesis-draft.tmp"
    draft.write_text("a year of work")
    code, found, _ = run_json(capsys, config)
    assert (code, found["anomalies"]) == (0, [])
    assert json.loads((tmp_path / "out" / "anomalies.json").read_text()) == []
    assert (tmp_path / "out" / "anomalies.jsonp").read_text() == "handle_data([])"
    assert pq.read_table(tmp_path / "out" / "anomalies.parquet").num_rows == 0
    assert not orphan.exists()
    assert draft.read_text() == "a year of work"


def test_parquet_and_redis_give_the_same_anomalies(redis, parquet, tmp_path, capsys):
    with http_server() as http:
        config = write_config(tmp_path, parquet, http=http)
        code, found, _ = run_json(capsys, config)
        _, again, _ = run_json(capsys, config)
        _, other, _ = run_json(capsys, write_config(tmp_path, redis.url, alerts=()), "--dry-run")
    assert code == 0
    by_name = {row["metric"]: row for row in found["anomalies"]}
    unasked = {"first_seen": None, "ongoing": None}  # a dry run looks at nothing that is remembered
    assert {name: {**row, **unasked} for name, row in by_name.items()} == {
        row["metric"]: row for row in other["anomalies"]
    }
    assert found["outcomes"] == other["outcomes"]
    assert found["alerts"]["sent"] == again["alerts"]["suppressed"] == len(by_name)
    assert (tmp_path / "out" / "state.db").exists()


@pytest.mark.parametrize("settings", ["chunk_keys = 1", "chunk_keys = 7", "chunk_keys = 1000"])
def test_chunks_and_threads_change_nothing(redis, tmp_path, capsys, settings):
    config = write_config(tmp_path, redis.url, alerts=())
    _, expected, _ = run_json(capsys, config, "--dry-run")
    config.write_text(config.read_text().replace("chunk_keys = 10", settings).replace("threads = 2", "threads = 3"))
    _, found, _ = run_json(capsys, config, "--dry-run")
    for volatile in ("seconds", "metrics_per_second"):
        del found[volatile], expected[volatile]
    assert found == expected


def test_only_what_matches(redis, tmp_path, capsys):
    config = write_config(tmp_path, redis.url, alerts=())
    _, found, _ = run_json(capsys, config, "--match", "eu-west")
    assert found["metrics"] == sum("eu-west" in name for name in FLEET.metrics)
    assert all("eu-west" in row["metric"] for row in found["anomalies"])


def test_a_dry_run_sends_and_writes_nothing(redis, tmp_path, capsys):
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http)
        before = sorted(redis.client.keys())
        code, found, _ = run_json(capsys, config, "--dry-run")
        assert http.requests == []
    assert code == 0
    assert found["anomalies"]
    assert found["alerts"] == told()
    assert [path.name for path in tmp_path.iterdir()] == ["ridgeline.toml"]
    assert sorted(redis.client.keys()) == before
    assert run(config, "--dry-run") == 0
    assert capsys.readouterr().out.endswith("dry run: nothing was sent or written\n")


def test_series_are_only_read(redis, tmp_path):
    names = [b"metrics.unique_metrics", *(f"metrics.{name}".encode() for name in FLEET.metrics)]
    before = {name: redis.client.dump(name) for name in names}
    with http_server() as http:
        assert run(write_config(tmp_path, redis.url, http=http)) == 0
    assert {name: redis.client.dump(name) for name in names} == before


def test_the_summary_for_people(redis, tmp_path, capsys, expected):
    with http_server() as http:
        assert run(write_config(tmp_path, redis.url, http=http)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{len(FLEET.metrics)} metrics as of 2023-11-14 22:13:20 UTC: ")
    assert f"{len(expected)} anomalies:" in lines
    shown = (
        f"alerts: {len(expected)} sent, 1 messages, 0 suppressed, 0 muted, 0 unmatched, 0 queued, 0 failed, 0 dropped"
    )
    assert shown in lines
    assert lines[-1].endswith(" s)")
    assert "metrics/s" in lines[-1]
    most = max(row["votes"] for row in expected.values())
    assert f"  {most} votes: " in lines[lines.index(f"{len(expected)} anomalies:") + 1]


def test_with_json_the_console_alerter_leaves_standard_output_alone(redis, tmp_path, capsys, expected):
    config = write_config(tmp_path, redis.url, alerts=[(".", "console", 60)])
    _, found, errors = run_json(capsys, config)
    assert found["alerts"]["sent"] == len(expected)
    assert all(f"ANOMALY {name} at " in errors for name in expected)


def test_overrides_are_the_library_s(redis, tmp_path, capsys):
    extra = """
[[override]]
match = "eu-west"
consensus = 9
[[override]]
match = "us-east"
consensus = 3
algorithms = ["grubbs", "stddev_from_average", "histogram_bins"]
thresholds = { grubbs = 0.001 }
"""
    _, found, _ = run_json(capsys, write_config(tmp_path, redis.url, alerts=(), extra=extra))
    overrides = [
        {"match": "eu-west", "consensus": 9},
        {"match": "us-east", "consensus": 3, "algorithms": ["grubbs", "stddev_from_average", "histogram_bins"], "thresholds": {"grubbs": 0.001}},
    ]  # fmt: skip
    rows = ridgeline.score(TABLE, as_of=END, overrides=overrides).to_pylist()
    anomalous = {row["metric"]: row["votes"] for row in rows if row["anomalous"]}
    assert {row["metric"]: row["votes"] for row in found["anomalies"]} == anomalous
    assert not any("eu-west" in name for name in anomalous)


def test_overrides_that_meet_on_one_metric_and_cannot_be_reached(redis, tmp_path, capsys):
    extra = '[[override]]\nmatch = "eu-west"\nalgorithms = ["grubbs", "ks_test"]\nconsensus = 2\n[[override]]\nmatch = "0"\nconsensus = 3\n'
    with http_server() as http:
        assert run(write_config(tmp_path, redis.url, http=http, extra=extra)) == 0
        assert http.requests, "the others are alerted on all the same"
    assert (
        'overrides "eu-west", "0" together ask for 3 votes where 2 can be cast, of eu-west.' in capsys.readouterr().err
    )


def test_now_is_the_wall_clock(redis, tmp_path, capsys):
    code, found, errors = run_json(capsys, write_config(tmp_path, redis.url, alerts=()), as_of=None)
    assert code == found["exit"] == 66  # the fleet ended in 2023
    assert found["outcomes"]["stale"] > 100
    assert "could be judged" in errors


def test_failed_alerts_are_counted_left_unrecorded_and_sent_by_the_next_run(redis, tmp_path, capsys, expected):
    with http_server(Answer(status=400)) as http:
        config = write_config(tmp_path, redis.url, http=http)
        code, found, errors = run_json(capsys, config)
        assert code == found["exit"] == 70
        assert found["alerts"] == told(failed=len(expected))
        assert "400" in errors
        http.answers[:] = [Answer()]
        code, found, _ = run_json(capsys, config)
    assert code == 0
    assert found["alerts"]["sent"] == len(expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[run]", "[runn]"), 'runn: there is no such key; did you mean "run"?'),
        (("threads = 2", "threads = -1"), "run.threads: must lie between 1 and 1024"),
    ],
)
def test_a_wrong_configuration_sends_nothing(redis, tmp_path, capsys, change, message):
    with http_server() as http:
        config = write_config(tmp_path, redis.url, http=http)
        config.write_text(config.read_text().replace(*change))
        assert run(config) == 2
        assert http.requests == []
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["ridgeline.toml"]


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("no.parquet", 2, "no.parquet"),
        ("redis://127.0.0.1:1/0", 69, "connection refused"),
        ("redis://name.invalid/0", 69, "name.invalid"),
    ],
)
def test_bad_input_takes_one_sentence(tmp_path, capsys, source, code, words):
    assert run(write_config(tmp_path, source, alerts=())) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    assert words in line.lower()


def test_users_algorithms_vote_after_the_nine(redis, tmp_path, capsys, monkeypatch):
    (tmp_path / "ours_for_run.py").write_text(
        "import ridgeline\n\n"
        '@ridgeline.algorithm(summary="Always.", min_points=2)\n'
        "def always(t, x, as_of, scratch):\n    return 2.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    extra = '[analysis]\nmodules = ["ours_for_run"]\nalgorithms = ["always"]\nconsensus = 1\n'
    code, found, _ = run_json(capsys, write_config(tmp_path, redis.url, alerts=(), extra=extra))
    assert code == 0
    assert found["breakdown"] == {"always": found["outcomes"]["analysed"]}
    wrong = extra.replace("ours_for_run", "not_there_at_all")
    assert run(write_config(tmp_path, redis.url, alerts=(), extra=wrong)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert "analysis.modules: module 'not_there_at_all' cannot be imported" in lines[0]


def test_a_users_algorithm_that_raises_costs_its_own_vote_of_its_own_metric(
    redis, tmp_path, capsys, monkeypatch, expected
):
    (tmp_path / "raising_for_run.py").write_text(
        "import ridgeline\n\n"
        '@ridgeline.algorithm(summary="Raises on all that is large.", min_points=2)\n'
        "def raising(t, x, as_of, scratch):\n"
        "    if x[-1] > 1e9:\n        raise ValueError('too large')\n"
        "    return 0.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = write_config(tmp_path, redis.url, alerts=(), extra='[analysis]\nmodules = ["raising_for_run"]\n')
    code, found, errors = run_json(capsys, config)
    large = [
        row
        for row in ridgeline.score(TABLE, as_of=END).to_pylist()
        if row["outcome"] == "analysed" and row["datapoint"] > 1e9
    ]
    assert (code, errors) == (0, "")
    assert found["algorithm_errors"] == {"raising": len(large)}
    told = found["algorithm_tracebacks"]["raising"]
    assert told.startswith("Traceback (most recent call last):\n")
    assert told.endswith("ValueError: too large\n")
    assert "raising_for_run.py" in told
    assert 0 < len(large) < found["outcomes"]["analysed"]
    assert "error" not in found["outcomes"]
    assert {row["metric"]: row["votes"] for row in found["anomalies"]} == {
        name: row["votes"] for name, row in expected.items()
    }
    assert run(config) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("raising failed on ")]
    assert line.startswith(
        f"raising failed on {len(large)} metrics; algorithm 'raising' raised ValueError: too large ("
    )
    assert "raising_for_run.py, line" in line
