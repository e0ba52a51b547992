"""`run` under the rule `pages`: an outage that the nine sleep through, every point walked once, and what is told of it."""

import gc
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.memory import packed, pair
from rigs.redis import redis_server
from rigs.runs import received
from rigs.walking import BEGIN, DAY, NAMESPACE, PAGES, Rates, bytes_of, configured, memory_of, of_state, run

from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.engine.doctor.memory import look_at_memory
from ridgeline.engine.run.sinks import ReportSink
from ridgeline.engine.walks.kept import HOT, SECTIONS
from ridgeline.io.errors import InputError
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.header import read_header
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.kernels.paging.layout import UNRIPE
from ridgeline.kernels.walks import layout

OUTAGE = BEGIN + 8 * DAY + 12 * 3600
QUIET = "web2.requests"


@pytest.fixture(scope="module")
def rates():
    return Rates(outage=OUTAGE)


@pytest.fixture(scope="module")
def archive(rates, tmp_path_factory):
    """The first eight days."""
    path = tmp_path_factory.mktemp("archive") / "days.parquet"
    pq.write_table(rates.table(BEGIN, BEGIN + 8 * DAY), path)
    return path


def learn(config, archive, capsys):
    assert main(["memory", "learn", "--config", str(config), "--input", str(archive), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_outage_that_the_nine_sleep_through(tmp_path, rates, archive, capsys):
    with redis_server() as server, http_server() as http:
        alerts = {"alerts": (("", "http", 3600),), "http": http}
        config = configured(tmp_path, server.url, **alerts)
        learned = learn(config, archive, capsys)
        assert learned["metrics"] == learned["new"] == 8
        assert learned["points"] == 8 * 8 * 1440
        assert learned["learning"] == 0
        (tmp_path / "nine").mkdir()
        nine = configured(tmp_path / "nine", server.url, extra="", **alerts)
        found = {}
        for now in range(OUTAGE - 60, OUTAGE + 10 * 60, 60):
            rates.store(server.client, now)
            assert run(nine, now, dry_run=True).anomalies == []
            report = run(config, now)
            assert problems(report) == []
            assert report.learning == 0
            found[now] = [(one.metric, one.channels, one.expected, one.rule_score) for one in report.anomalies]
        assert received(http) == [QUIET]
        assert report.read_for["settled"] == 7
        assert report.walks == {"walked": 8, "gaps": 0, "late": 0, "rewritten": 0, "damaged": 0}
        first = next(now for now, anomalies in found.items() if anomalies)
        assert OUTAGE + 300 < first <= OUTAGE + 600
        assert {name for anomalies in found.values() for name, *_ in anomalies} == {QUIET}
        (_, channels, expected, score), *_ = found[first]
        _, scores = rates.walked(first)
        row, last = rates.names.index(QUIET), scores.shape[1] - 1
        assert channels == ("outage",)
        assert score == scores[row, last, layout.PAGES] > 1
        assert expected == tuple(scores[row, last, [layout.LOW, layout.HIGH]].tolist())
        assert 100 < expected[0] < expected[1] < 500
        told = http.requests[0].json["alerts"][0]
        assert told["channels"] == ["outage"]
        assert told["expected"] == list(expected)


@pytest.mark.parametrize("turns", [12, pytest.param(60, marks=pytest.mark.long)])
def test_points_are_walked_once_and_in_order_whatever_runs_there_are(tmp_path, rates, archive, capsys, turns):
    """Skipped runs, runs that read everything, that write nothing or that die, a late point and a lost junction between."""
    with redis_server() as server:
        config = configured(tmp_path, server.url, alerts=())
        learn(config, archive, capsys)
        chance = np.random.default_rng(2)
        now = BEGIN + 8 * DAY + 600
        late = f"{NAMESPACE}{rates.names[0]}"
        counted, settled = np.zeros(2, np.int64), 0
        for turn in range(turns):
            now += int(chance.choice([60, 60, 120, 600, 3000])) if now < OUTAGE + 10 * 3600 else 60
            rates.store(server.client, now)
            server.client.append(late, pair(now - 7200 + 30, 1e6) if turn == 10 else b"")
            if turn % 5 == 1:
                run(config, now, dry_run=True)
            if turn % 7 == 2:
                server.client.delete(f"{NAMESPACE}{rates.names[1]}")
                run(config, now)
                rates.store(server.client, now)
            report = run(config, now, full=turn % 6 == 5)
            assert report.exit == 0
            assert report.walks["gaps"] == report.walks["damaged"] == 0
            counted += np.array([report.walks["late"], report.walks["rewritten"]])
            settled += report.read_for["settled"]
            state, _ = rates.walked(now)
            assert bytes_of(config, rates.names) == of_state(state), turn
        assert counted.tolist() == [1, 1]  # it came, and with the next writing of the whole key it was gone
        assert settled > 4 * turns


def test_late_and_rewritten_points_are_counted_once_and_not_walked(tmp_path, rates, archive, capsys):
    """In the end of a series, and far from it, where only reading it in full shows them; as many as came, and as JSON and text."""
    first, second, third, *_ = (f"{NAMESPACE}{name}" for name in rates.names)
    with redis_server() as server:
        config = configured(tmp_path, server.url, alerts=())
        learn(config, archive, capsys)
        now = BEGIN + 8 * DAY + 3600
        rates.store(server.client, now)
        told = [run(config, now, full=True)]

        def history(row):
            first, end = rates.until(now - DAY), rates.until(now)
            return rates.t[first:end].copy(), rates.x[row, first:end].copy()

        t, x = history(0)
        server.client.set(first, packed(np.insert(t, [800, 900], t[[800, 900]] - 30), np.insert(x, [800, 900], 1e6)))
        t, x = history(1)
        x[1000] += 1
        server.client.set(second, packed(t, x))
        told += [run(config, now + 20), run(config, now + 30, full=True), run(config, now + 40, full=True)]
        server.client.append(third, pair(now - 90, 1e6))
        told += [run(config, now + 50), run(config, now + 55)]
        assert [(one.walks["late"], one.walks["rewritten"]) for one in told] == [
            (0, 0), (0, 0), (2, 1), (0, 0), (1, 0), (0, 0)
        ]  # fmt: skip
        assert "walks met: 2 late, 1 rewritten" in told[2].as_text()
        assert "walks met" not in told[3].as_text()
        assert told[2].as_json()["walks"] == {"walked": 0, "gaps": 0, "late": 2, "rewritten": 1, "damaged": 0}
        state, _ = rates.walked(now)
        assert bytes_of(config, rates.names) == of_state(state)


def test_what_is_learned_in_parts_is_what_is_learned_at_once(tmp_path, rates, archive, capsys):
    config = configured(tmp_path, "redis://localhost:1")
    half = tmp_path / "half.parquet"
    pq.write_table(rates.table(BEGIN, BEGIN + 4 * DAY), half)
    assert learn(config, half, capsys)["learning"] == 8
    again = learn(config, archive, capsys)
    assert (again["new"], again["points"], again["learning"]) == (0, 8 * 4 * 1440, 0)
    assert learn(config, archive, capsys)["points"] == 0
    state, _ = rates.walked(BEGIN + 8 * DAY - 60)
    assert bytes_of(config, rates.names) == of_state(state)


def test_what_was_learned_stays_whatever_ends_it(tmp_path, rates, archive, capsys, monkeypatch):
    config = configured(tmp_path, "redis://localhost:1")
    chunks = ParquetSource.chunks

    def broken(source):
        """Metric by metric, and no further than the fifth."""
        for whole in chunks(source):
            yield from (whole.slice(row, row + 1) for row in range(5))
            raise InputError("the disk is gone")

    monkeypatch.setattr(ParquetSource, "chunks", broken)
    assert main(["memory", "learn", "--config", str(config), "--input", str(archive)]) == 2
    assert "the disk is gone" in capsys.readouterr().err
    state, _ = rates.walked(BEGIN + 8 * DAY - 60)
    assert bytes_of(config, rates.names[:5]) == [
        state.hot[:5].tobytes(),
        state.slots[:5].tobytes(),
        state.leaders[:5].tobytes(),
        state.profile.reshape(layout.CELLS, 8, -1)[:, :5].tobytes(),
    ]
    monkeypatch.setattr(ParquetSource, "chunks", chunks)
    found = learn(config, archive, capsys)
    assert (found["new"], found["metrics"], found["points"]) == (0, 8, 3 * 8 * 1440)
    assert bytes_of(config, rates.names) == of_state(state)


def test_as_of_and_dry_runs_judge_and_write_nothing(tmp_path, rates, archive, capsys):
    with redis_server() as server:
        config = configured(tmp_path, server.url)
        learn(config, archive, capsys)
        now = OUTAGE + 14 * 60
        rates.store(server.client, now + 3600)
        path = memory_of(config).path
        before = path.read_bytes()
        dry, past = run(config, now, dry_run=True), run(config, now + 3600, as_of=now)
        assert [one.metric for one in dry.anomalies] == [one.metric for one in past.anomalies] == [QUIET]
        capsys.readouterr()  # what the runs alerted
        arguments = ["explain", QUIET, "--config", str(config), "--as-of", str(now)]
        capsys.readouterr()  # what was alerted
        assert main([*arguments, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["anomalous"] is True
        assert [one["name"] for one in told["channels"]] == ["outage", "pattern"]
        assert told["channels"][0]["score"] == dry.anomalies[0].rule_score
        assert (
            told["expected"]
            == [told["channels"][0]["low"], told["channels"][0]["high"]]
            == list(dry.anomalies[0].expected)
        )
        assert main(arguments) == 0
        assert "ANOMALOUS: outage" in capsys.readouterr().out
        assert path.read_bytes() == before
        report = run(config, now + 3600)
        assert report.learning == 0
        assert path.read_bytes() != before
        earlier = run(config, now + 3600, as_of=now)  # what is known is of later: nothing can be said of then
        assert earlier.anomalies == []
        assert earlier.learning == 8


def test_without_a_memory_all_is_told_as_learning(tmp_path, rates):
    with redis_server() as server:
        config = configured(tmp_path, server.url, extra=f"{PAGES}\nmemory = false")
        now = OUTAGE + 14 * 60
        rates.store(server.client, now)
        report = run(config, now)
        assert report.learning == 8
        assert report.outcomes == {"analysed": 8}
        assert report.anomalies == []
        (problem,) = problems(report)
        assert "told as learning, not judged" in problem
        assert report.as_json()["learning"] == 8
        assert "learning: 8 metrics" in report.as_text()


def test_the_doctor_says_how_far_learning_is(tmp_path, rates, archive, capsys):
    config = configured(tmp_path, "redis://localhost:1")
    place = memory_of(config)
    learn(config, archive, capsys)
    with MemoryFile.open(place.path, place.owner, SECTIONS) as memory:
        memory.gone[:6] = 0  # as a run has them that finds them listed
        memory.rows("walks").view(np.float32)[2, UNRIPE] = 1.0
        memory.commit(np.arange(8) == 2, OUTAGE)
    memory, walks = look_at_memory(load_config(config), lambda: OUTAGE)
    assert (memory.status, walks.status) == ("green", "green")
    assert walks.detail == "6 metrics walked, 1 still learning"
    with MemoryFile.open(place.path, place.owner, SECTIONS) as memory:
        memory.notes["walks"] = {"walked": 6, "gaps": 1, "late": 0, "rewritten": 0, "damaged": 0}
        memory.commit(np.zeros(8, np.bool_), OUTAGE)
    _, walks = look_at_memory(load_config(config), lambda: OUTAGE)
    assert walks.status == "yellow"


def test_a_verdict_stands_while_no_point_comes_and_goes_when_one_does(tmp_path, rates, archive, capsys):
    with redis_server() as server:
        config = configured(tmp_path, server.url)
        learn(config, archive, capsys)
        now = OUTAGE + 12 * 60
        for later in (0, 20, 40):
            rates.store(server.client, now)
            assert [one.metric for one in run(config, now + later).anomalies] == [QUIET]
        rates.store(server.client, OUTAGE + 3600)
        run(config, OUTAGE + 3600)
        rates.store(server.client, OUTAGE + 3660)
        assert run(config, OUTAGE + 3660).anomalies == []


def test_metrics_that_the_walks_judge_and_others_side_by_side(tmp_path, rates, archive, capsys):
    """An override's rule is its metrics' alone; short and boring ones are analysed by walks, and by them alone."""
    extra = '[[override]]\nmatch = "web[0-5]"\nrule = "pages"\nrule_threshold = 1000'
    with redis_server() as server:
        config = configured(tmp_path, server.url, extra=extra)
        assert learn(config, archive, capsys)["metrics"] == 6
        now = OUTAGE + 14 * 60
        rates.store(server.client, now)
        flat = rates.t[rates.until(now) - 1440 : rates.until(now)]
        for name in ("web1.requests", "web7.requests"):
            server.client.set(f"{NAMESPACE}{name}", b"".join(pair(t, 5.0) for t in flat))
        report = run(config, now)
        assert report.anomalies == []
        assert report.learning == 0
        assert report.outcomes == {"analysed": 7, "boring": 1}


def test_verdicts_say_what_spoke_also_beside_rows_that_nobody_judges(tmp_path, rates, archive, capsys, monkeypatch):
    batches = []
    monkeypatch.setattr(ReportSink, "take", lambda _, __, verdicts: batches.append(verdicts))
    with redis_server() as server:
        config = configured(tmp_path, server.url, extra=f'{PAGES}\n[batch]\nmatch = ["web0"]', alerts=())
        learn(config, archive, capsys)
        now = OUTAGE + 14 * 60
        rates.store(server.client, now)
        server.client.set("analyzer_batch", now)
        server.client.hset("analyzer.last_timestamp.base_names", rates.names[0], now - 60)
        run(config, now, full=True)
    table = pa.Table.from_batches(batches)  # all of one schema
    found = {row["metric"]: row for row in table.to_pylist()}
    assert found["web0.requests"]["outcome"] == "skipped"
    assert (found["web0.requests"]["rule_score"], found["web0.requests"]["channels"]) == (None, None)
    _, scores = rates.walked(now)
    new = rates.until(now) - rates.until(BEGIN + 8 * DAY - 60)
    for row, name in list(enumerate(rates.names))[1:]:
        last, loudest = scores[row, -1], scores[row, -new:].max(axis=0)
        assert found[name]["rule_score"] == loudest[layout.PAGES]
        assert (found[name]["expected_low"], found[name]["expected_high"]) == (last[layout.LOW], last[layout.HIGH])
        assert found[name]["channels"] == [
            channel for channel, at in (("outage", layout.OUTAGE), ("pattern", layout.PATTERN)) if loudest[at] > 1
        ]
    assert "outage" in found[QUIET]["channels"]


def test_a_day_under_consensus_keeps_what_walks_learned(tmp_path, rates, archive, capsys):
    """Also where that makes a larger file of the memory; walks go on from where they were."""
    with redis_server() as server:
        config = configured(tmp_path, server.url, alerts=())
        learn(config, archive, capsys)
        pages, now = config.read_text(), OUTAGE - 3600
        rates.store(server.client, now)
        run(config, now)
        before = bytes_of(config, rates.names)
        config.write_text(pages.replace(PAGES, ""))
        more = {f"{NAMESPACE}more{at}": pair(now, 1.0) for at in range(200)}
        server.client.mset(more)
        server.client.sadd(f"{NAMESPACE}unique_metrics", *more)
        inode = memory_of(config).path.stat().st_ino
        run(config, now + 60)
        assert memory_of(config).path.stat().st_ino != inode
        assert bytes_of(config, rates.names) == before
        config.write_text(pages)
        rates.store(server.client, OUTAGE + 14 * 60)
        report = run(config, OUTAGE + 14 * 60)
        assert report.learning == 200
        assert [one.metric for one in report.anomalies] == [QUIET]
        state, _ = rates.walked(OUTAGE + 14 * 60)
        assert bytes_of(config, rates.names) == of_state(state)


def test_a_lost_memory_is_learned_anew_and_damage_costs_what_it_hits(tmp_path, rates, archive, capsys):
    with redis_server() as server:
        config = configured(tmp_path, server.url)
        learn(config, archive, capsys)
        now = OUTAGE - 3600
        rates.store(server.client, now)
        run(config, now)
        path = memory_of(config).path
        _damage(config, row=3)
        rates.store(server.client, now + 60)
        report = run(config, now + 60)
        assert report.walks["damaged"] == 1
        assert report.learning == 1
        assert report.read_for["walks"] == 1
        path.unlink()
        rates.store(server.client, now + 120)
        report = run(config, now + 120)
        assert report.learning == 8
        assert report.anomalies == []
        rates.store(server.client, now + 180)
        assert run(config, now + 180).read_for == {"settled": 8}


def problems(report):
    """What a run complains of, but for clocks: these fleets are of years ago."""
    return [problem for problem in report.problems if "clock" not in problem]


def _damage(config, row):
    place = memory_of(config)
    with place.path.open("r+b") as file:
        header = read_header(file.fileno(), place.path, place.owner)
        file.seek(header.places.parts[HOT.name] + row * HOT.row_bytes + 100)
        file.write(b"\x55\xaa")


def test_a_warm_process_holds_no_fleet_between_runs(tmp_path, rates):
    """Whether or not the collector of garbage comes round."""
    with redis_server() as server:
        config = configured(tmp_path, server.url, alerts=())
        gc.disable()
        try:
            for now in (BEGIN + DAY, BEGIN + DAY + 60):
                rates.store(server.client, now)
                assert run(config, now).exit == 0
                assert f"{tmp_path}/out/memory-" not in Path("/proc/self/maps").read_text()
        finally:
            gc.enable()
