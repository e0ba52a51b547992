"""A source too slow for one run: over several runs every metric is judged, those with an alert rule first each time."""

import json

import msgpack
import pytest
from rigs.redis import proxy, redis_server
from rigs.runs import END, run_json, write_config

from ridgeline.engine.run.sinks import ReportSink

COVERED = [f"z.covered.{number}" for number in range(6)]
OTHERS = [f"a.other.{number:02d}" for number in range(60)]
ALL = len(COVERED) + len(OTHERS)
ALERTS = [("z.covered", "console", 3600)]
REMEMBERED = b"ridgeline.reading.*"


@pytest.fixture
def server():
    with redis_server() as running:
        for name in (*COVERED, *OTHERS):
            points = (msgpack.packb((END - 60 * age, float(age % 5))) for age in range(120, -1, -1))
            running.client.set(f"metrics.{name}", b"".join(points))
            running.client.sadd("metrics.unique_metrics", f"metrics.{name}")
        yield running


@pytest.fixture
def judged(monkeypatch):
    """The metrics that were judged since this list was emptied."""
    names = []
    take = ReportSink.take

    def noting(self, matrix, verdicts):
        names.extend(verdicts.column("metric").to_pylist())
        take(self, matrix, verdicts)

    monkeypatch.setattr(ReportSink, "take", noting)
    return names


def test_every_metric_has_its_turn(server, tmp_path, capsys, judged):
    with proxy(server.port) as between:
        between.delay = 0.2
        # The state is apart from the source, so that only reading is slow.
        apart = f'[output]\ndirectory = "{tmp_path}/out"\nstate = "{tmp_path}/state.db"'
        config = write_config(tmp_path, between.url, alerts=ALERTS, deadline=5, chunk_keys=2, output=None, extra=apart)
        seen, last = set(), {}
        for run in range(15):
            judged.clear()
            code, found, _ = run_json(capsys, config)
            assert code == 70
            shed = found["outcomes"]["shed"]
            assert found["shed"] == {"metrics": shed, "alert_covered": 0}
            assert shed == ALL - len(judged)
            assert set(COVERED) <= set(judged), "also in the first run, which could not know"
            mine = [name for name in judged if name in OTHERS]
            if run:
                assert judged[:6] == COVERED
                waited = [last.get(name, -1) for name in mine]
                assert waited == sorted(waited)
                assert all(last.get(name, -1) >= max(waited) for name in set(OTHERS) - set(mine))
            seen |= set(judged)
            last |= dict.fromkeys(mine, run)
            if seen == {*COVERED, *OTHERS}:
                break
        assert seen == {*COVERED, *OTHERS}
        between.delay = 0
        judged.clear()
        code, found, _ = run_json(capsys, config)
        assert (code, found["shed"]) == (0, {"metrics": 0, "alert_covered": 0})
        assert judged[:6] == COVERED
        judged.clear()
        run_json(capsys, config)
        assert judged == [*OTHERS, *COVERED], "in the order of names, as ever where there is time for all"


def test_the_summary_says_what_was_shed(server, tmp_path, capsys):
    from rigs.runs import run

    with proxy(server.port) as between:
        between.delay = 0.25
        config = write_config(tmp_path, between.url, alerts=[("", "console", 60)], deadline=4, chunk_keys=2)
        capsys.readouterr()
        assert run(config, "--dry-run") == 70
        printed = capsys.readouterr().out
    count = next(line for line in printed.splitlines() if line.startswith("shed: "))
    number = int(count.split()[1])
    assert 0 < number <= ALL
    assert count == f"shed: {number} metrics, {number} of them with an alert rule"
    assert server.client.keys(REMEMBERED) == [], "nothing is written in a dry run"


def test_what_another_program_left_is_no_place(server, tmp_path, capsys, judged):
    config = write_config(tmp_path, server.url, alerts=ALERTS, chunk_keys=7)
    from ridgeline.engine.config.load import load_config
    from ridgeline.io.disk.lock import source_hash

    key = f"ridgeline.reading.{source_hash(load_config(config).source.settings.identity())}"
    for stored in ("[]", "nonsense", json.dumps({"covered": 7})):
        server.client.set(key, stored)
        judged.clear()
        assert run_json(capsys, config)[0] == 0
        assert judged == [*OTHERS, *COVERED]
    server.client.set(key, json.dumps({"covered": "z.covered.3", "others": "gone"}))
    judged.clear()
    assert run_json(capsys, config)[0] == 0
    assert judged == [*COVERED[3:], *COVERED[:3], *OTHERS]
    assert server.client.get(key) is None
