"""`ridgeline batch --input`: what is new in files that grow is judged once, however often and wherever passes end."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partial
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from rigs import killed_files
from rigs.http import http_server

from ridgeline.engine.batch import block, growing, results
from ridgeline.engine.batch.growing import Growing, batch_files
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.io.errors import InputError, LockHeld, OutputError, SourceUnavailable, UnsafeTarget
from ridgeline.io.parquet.source import ParquetSource

NOW = 1_700_000_000
HOUR, DAY = 3600, 86400
COLUMNS = ["metric", "timestamp", "outcome", "anomalous", "votes"]


def series(metric, step, points, seed, spikes=()):
    stamps = NOW - step * np.arange(points)[::-1]
    values = np.random.default_rng(seed).normal(100, 5, points)
    values[[-1 - at for at in spikes]] = 900
    return pa.table({"metric": [metric] * points, "timestamp": stamps, "value": values})


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    """A folder of files that grow, a configuration, a state and results."""

    def __init__(self, path):
        self.path = path
        self.data, self.state, self.output = path / "data", path / "s.db", path / "results"
        self.data.mkdir()
        self.config = path / "ridgeline.toml"
        self.configure()

    def configure(self, extra=""):
        text = f'[source]\nkind = "parquet"\npath = "{self.data}"\n[run]\nthreads = 1\n[output]\ndirectory = "{self.path}"\n'
        self.config.write_text(
            text + '[[override]]\nmatch = "hourly"\nfull_duration = "14d"\n'
            '[[override]]\nmatch = "daily"\nfull_duration = "200d"\nresolution_aware = true\n' + extra
        )

    def put(self, *tables, name="points.parquet", until=NOW):
        table = pa.concat_tables(tables)
        pq.write_table(table.filter(pa.compute.field("timestamp") <= until), self.data / name)

    def batch(self, now=NOW, path=None, **options):
        request = Request(load_config(self.config), **options)
        return batch_files(request, Growing(str(path or self.data), self.state, self.output), now=lambda: float(now))

    def verdicts(self, output=None):
        table = ds.dataset(output or self.output, format="parquet").to_table()
        return sorted(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))


def counts(found):
    return found.metrics, found.points, found.anomalies, found.exit


FLEET = (
    series("minutes", 60, 700, 1, spikes=(3, 200)),
    series("hourly", HOUR, 400, 2, spikes=(30,)),
    series("daily", DAY, 250, 3, spikes=(5,)),
    series("bursts", 20, 900, 4, spikes=(450,)),
)


def test_what_is_new_is_judged_once_and_kept(place):
    place.put(*FLEET, until=NOW - 7000)
    first = place.batch(NOW - 7000)
    assert first.points == sum((table["timestamp"].to_numpy() <= NOW - 7000).sum() for table in FLEET)
    assert counts(place.batch(NOW - 7000)) == (4, 0, 0, 0)
    place.put(*FLEET)
    second = place.batch()
    assert first.points + second.points == sum(map(len, FLEET)) == len(place.verdicts())
    assert first.anomalies + second.anomalies == sum(row[3] is True for row in place.verdicts()) >= 5
    assert {row[2] for row in place.verdicts() if row[0] == "daily"} == {"analysed", "too_short"}
    assert len(list(place.output.iterdir())) == 2


def clean(place):
    """The verdicts of one pass over everything."""
    other = Growing(str(place.data), place.path / "clean.db", place.path / "clean")
    batch_files(Request(load_config(place.config)), other, now=lambda: float(NOW))
    return place.verdicts(place.path / "clean")


@pytest.mark.parametrize("seed", range(3))
def test_however_the_work_is_cut_into_passes_the_verdicts_are_those_of_one(place, seed):
    rng = np.random.default_rng(seed)
    for cut in np.sort(rng.integers(0, 30 * DAY, 6))[::-1].tolist():
        place.put(*FLEET, until=NOW - cut)
        assert place.batch(NOW - cut).exit == 0
    place.put(*FLEET)
    place.batch()
    assert place.verdicts() == clean(place)


def killed(place, passes):
    arguments = [place.config, place.path / "whole.parquet", place.state, place.output, *passes]
    command = [sys.executable, "-P", killed_files.__file__, *map(str, arguments)]
    ended = subprocess.run(command, check=False, timeout=600, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("steps", [5, pytest.param(60, marks=pytest.mark.long)])
def test_a_pass_that_is_killed_at_any_step_loses_and_doubles_nothing(place, steps):
    place.put(*FLEET)
    pq.write_table(pa.concat_tables(FLEET), place.path / "whole.parquet")
    rng = np.random.default_rng(steps)
    until = np.sort(rng.integers(NOW - 20 * DAY, NOW, steps)).tolist()
    # What a killed pass left is met by one that sees more points, is killed itself, and so on.
    killed(place, [*(f"{when}:{step}" for step, when in enumerate(until, 1)), f"{NOW}:0"])
    assert place.verdicts() == clean(place)


def test_points_that_came_late_are_counted_and_judged_on_request(place):
    whole = series("m", 60, 600, 1, spikes=(100,))
    stamps = whole["timestamp"].to_numpy()
    missing = (stamps > NOW - 7200) & (stamps <= NOW - 5400)
    place.put(whole.filter(pa.array(~missing)))
    assert place.batch().late == 0
    place.put(whole)
    assert (place.batch().late, place.batch().late) == (30, 0)
    again = place.batch(reprocess=NOW - 7200)
    assert (again.points, again.anomalies) == (121, 1)
    assert place.verdicts() == clean(place), "every point once, as it is judged with all of them there"


def test_without_its_state_it_judges_all_again_and_doubles_nothing(place):
    place.put(*FLEET)
    place.batch()
    before = place.verdicts()
    place.state.write_bytes(b"not a database" * 100)
    place.put(*FLEET, until=NOW - 600)
    assert place.batch(NOW - 600).points > 1000
    place.put(*FLEET)
    place.batch()
    assert place.verdicts() == before


def test_what_lies_in_the_future_waits_for_its_time(place):
    place.put(
        series("m", 60, 300, 1),
        pa.table({"metric": ["m"], "timestamp": [NOW + 30 * 365 * DAY], "value": [1.0]}),
        until=2**62,
    )
    assert place.batch().points == 300
    place.put(series("m", 60, 300, 1), until=2**62)
    assert place.batch(NOW + 60).points == 0
    assert counts(place.batch(NOW + 60, reprocess=NOW)) == (1, 1, 0, 0)


@contextmanager
def alerting(place, expiration=HOUR, answers=()):
    with http_server(*answers) as http:
        place.configure(
            f'[[alert]]\nmatch = "."\nstrategy = "http"\nexpiration = {expiration}\n[alerters.http]\nurl = "{http.url}"\n'
        )
        yield http


def told(http):
    return [(alert["metric"], alert["timestamp"]) for request in http.requests for alert in request.json["alerts"]]


def test_alerts_go_by_the_timestamps_of_anomalies(place):
    spikes = (10, 30, 110, 400)  # minutes ago: the second lies within an hour of the third's, and so on
    place.put(series("m", 60, 700, 1, spikes=spikes))
    with alerting(place) as http:
        found = place.batch()
        assert found.exit == 0, found.problems
        assert told(http) == [("m", NOW - 60 * at) for at in (400, 110, 30)]
        place.batch()
        assert len(told(http)) == 3, "told once"


def test_what_nobody_took_is_sent_by_a_later_pass(place):
    place.put(series("m", 60, 300, 1, spikes=(3,)))
    from rigs.http import Answer

    with alerting(place, answers=(Answer(503),)) as http:
        found = place.batch(now=time.time())
        assert found.exit == 70
        assert "http" in found.problems[-1]
        http.answers[:] = [Answer(200)]
        http.requests.clear()
        place.batch(now=time.time() + 4000)
        place.batch(now=time.time() + 8000)
        assert told(http) in ([("m", NOW - 180)], [])


def test_reprocessing_alerts_nobody(place):
    place.put(series("m", 60, 300, 1, spikes=(3,)))
    with alerting(place) as http:
        place.batch(reprocess=NOW - DAY)
        assert not http.requests


def test_a_metric_that_fails_keeps_none_waiting_and_is_left_alone_in_the_end(place, capsys):
    place.put(series("bad", 60, 200, 1), series("good", 60, 200, 2))
    judge = block.judge

    def failing(matrix, *arguments, **options):
        if "bad" in matrix.metrics.to_pylist():
            raise ZeroDivisionError("a bug")
        return judge(matrix, *arguments, **options)

    with mock.patch.object(block, "judge", failing), alerting(place) as http:
        assert place.batch().points == 200
        assert counts(place.batch(NOW + 10))[:2] == (1, 0), "it rests"
        found = [place.batch(NOW + 10_000 * k) for k in range(1, 6)]
        assert [metric for metric, _ in told(http)] == ["ridgeline.batch_parked"]
    assert found[-1].parked == 1
    assert {row[0] for row in place.verdicts()} == {"good"}
    capsys.readouterr()
    assert main(["batch", "list", "--json", "--state", str(place.state), "-c", str(place.config)]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["metric"], one["watermark"], one["attempts"]) == ("bad", None, 5)
    assert place.batch(NOW, match="bad").points == 200
    assert not place.batch().parked


def test_results_and_state_must_not_lie_among_the_data(place):
    place.put(series("m", 60, 200, 1))
    place.output = place.data / "results"
    with pytest.raises(UnsafeTarget):
        place.batch()
    place.output, place.state = place.path / "results", place.data / "state.db"
    with pytest.raises(UnsafeTarget):
        place.batch()
    assert [path.name for path in place.data.iterdir()] == ["points.parquet"]


def test_two_passes_over_one_state_do_not_meet(place):
    place.put(series("m", 60, 200, 1))
    with mock.patch.object(growing, "_judge", side_effect=lambda *_: place.batch()), pytest.raises(LockHeld):
        place.batch()


def test_a_dry_run_writes_nothing(place):
    place.put(series("m", 60, 200, 1, spikes=(3,)))
    assert counts(place.batch(dry_run=True)) == (1, 200, 1, 0)
    assert sorted(path.name for path in place.path.iterdir()) == ["data", "ridgeline.toml"]


def test_a_pass_out_of_time_goes_on_next_time(place):
    place.put(*FLEET)
    with mock.patch.object(block, "pieces_of", partial(block.pieces_of, most=300)):
        ticks = iter(range(1000))
        request = Request(load_config(place.config), deadline=20)
        found = batch_files(
            request, Growing(str(place.data), place.state, place.output), now=lambda: NOW, clock=lambda: next(ticks) * 4
        )
    assert found.exit == 70
    assert "deadline" in found.problems[0]
    assert place.batch().exit == 0
    assert place.verdicts() == clean(place)


def test_files_that_are_lost_on_the_way_keep_nothing_from_being_told(place):
    place.put(*FLEET)
    read = ParquetSource.chunks

    def lost(source):
        yield from read(source)
        raise SourceUnavailable("nothing came within 0.0 s")

    with mock.patch.object(ParquetSource, "chunks", lost):
        found = place.batch()
    assert (found.exit, found.problems) == (70, ["the pass is partial: nothing came within 0.0 s"])
    assert (found.metrics, place.verdicts()) == (len(FLEET), clean(place))
    with (
        mock.patch.object(ParquetSource, "chunks", side_effect=SourceUnavailable("gone")),
        pytest.raises(SourceUnavailable),
    ):
        place.batch()


def test_a_file_that_cannot_be_read_is_said_and_the_rest_is_judged(place):
    place.put(series("m", 60, 200, 1))
    (place.data / "half.parquet").write_bytes(b"PAR1 half of it")
    found = place.batch()
    assert counts(found) == (1, 200, 0, 70)
    assert "half.parquet" in found.problems[0]


def test_where_results_cannot_be_written_the_points_stay_to_be_judged(place):
    place.put(series("m", 60, 200, 1, spikes=(3,)))
    with mock.patch("ridgeline.engine.batch.results.write_atomic", side_effect=OutputError("no room")):
        found = place.batch()
    assert found.exit == 74
    assert "no room" in found.problems[-1]
    assert counts(place.batch()) == (1, 200, 1, 0)


def test_of_a_piece_that_is_written_in_part_nothing_is_recorded_and_nothing_stays(place):
    """Metrics that are judged one by one, because one of them fails, are written one by one."""
    place.put(series("bad", 60, 200, 1), series("good", 60, 200, 2), series("other", 60, 200, 3))
    judge, write = block.judge, results.write_atomic
    left = iter([True, False])

    def failing(matrix, *arguments, **options):
        if "bad" in matrix.metrics.to_pylist():
            raise ZeroDivisionError("a bug")
        return judge(matrix, *arguments, **options)

    def writing(*arguments):
        if not next(left):
            raise OutputError("no room")
        write(*arguments)

    with mock.patch.object(block, "judge", failing), mock.patch.object(results, "write_atomic", writing):
        assert place.batch().exit == 74
    assert place.batch(match=".").points == 600
    assert place.verdicts() == clean(place)


def test_the_command_and_its_json(place, capsys):
    place.put(series("m", 60, 200, 1, spikes=(3,)))
    arguments = ["batch", "--input", str(place.data), "--state", str(place.state), "-c", str(place.config)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("seconds") > 0
    assert found == {"metrics": 1, "points": 200, "anomalies": 1, "late": 0, "parked": 0, "exit": 0}
    assert place.verdicts(place.path / "batch")[-4][3] is True
    assert main([*arguments, "--reprocess", str(NOW - 300), "--output", str(place.output)]) == 0
    assert capsys.readouterr().out.startswith("1 metrics, 6 points, 1 anomalies in ")
    assert main(["batch", "--input", str(place.data), "-c", str(place.config)]) == 2
    assert "--state" in capsys.readouterr().err
    assert main(["batch", "--state", "x", "-c", str(place.config)]) == 2
    assert main(["batch", "list", "--state", str(place.path / "none.db"), "-c", str(place.config)]) == 2


def test_it_needs_no_configuration(place, monkeypatch, capsys):
    monkeypatch.chdir(place.path)
    place.config.unlink()
    (place.data / "points.csv").write_text(
        "metric,timestamp,value\n" + "".join(f"m,{NOW + 60 * k},{k % 7}\n" for k in range(150))
    )
    assert main(["batch", "--input", "data", "--state", "s.db", "--output", "results", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == 150
    assert len(place.verdicts()) == 150


@pytest.mark.parametrize("name", ["points.csv", "points.jsonl"])
def test_a_line_that_is_being_written_is_left_until_it_is_ended(place, name):
    line = "m,{},{}\n" if name.endswith("csv") else '{{"metric": "m", "timestamp": {}, "value": {}}}\n'
    text = "metric,timestamp,value\n" * name.endswith("csv") + "".join(
        line.format(NOW + 60 * k, 1000 + k % 7) for k in range(150)
    )
    judged = []
    for cut in (len(text) - 1, len(text) - 3, len(text) - 30, len(text)):  # of the last line, then all of it
        (place.data / name).write_text(text[:cut])
        judged.append(place.batch(NOW + DAY).points)
    assert judged == [149, 0, 0, 1]
    values = ds.dataset(place.output).to_table()["value"].to_pylist()
    assert set(values) == {1000.0 + k for k in range(7)}


def test_an_empty_folder_is_an_error_in_one_sentence(place):
    with pytest.raises(InputError):
        place.batch()
