"""The recorded scenario once more, with Ridgeline in Skyline's place: what it did, run after run."""

import contextlib
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from unittest import mock

from rigs.golden import left
from rigs.golden.frozen import FrozenClock
from rigs.golden.receivers import receivers
from rigs.golden.settings import configuration
from rigs.golden.siblings import act, list_metrics, write_series
from rigs.redis import redis_server

from ridgeline.engine.alerts import lane
from ridgeline.engine.alerts.pipeline import deliver
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run import delivering, once
from ridgeline.engine.run.turn import Request

FOLDERS = (
    "MIRAGE_CHECK_PATH",
    "PANORAMA_CHECK_PATH",
    "CRUCIBLE_CHECK_PATH",
    "CRUCIBLE_DATA_FOLDER",
    "ANOMALY_DUMP_DIR",
)
HEALED = 6  # from this run on the HTTP endpoint answers 200 for every metric


@dataclass
class Seen:
    """What one run did.

    report     what it said
    verdicts   by metric: its verdict as a dict, `points` (of the prepared series), `first` and `last` pairs
    keys       every key but the series after it, as `Trace.keys` has them
    rewritten  metrics whose series are not what they were
    files      by path, folders called as in the recordings: content (bytes) of each file that is new or another, None if gone
    posts, syslog, mails, lines      what arrived
    commands   the commands that Redis was sent
    """

    run: int
    report: Report
    verdicts: dict
    keys: dict
    rewritten: list
    files: dict
    posts: list
    syslog: list
    mails: list
    lines: list
    commands: list


@dataclass
class Recorder:
    """A sink that keeps everything."""

    verdicts: dict = field(default_factory=dict)
    wants_series: bool = True
    wants_all: bool = True

    def take(self, matrix, verdicts):
        rows = {} if matrix is None else _rows(matrix.prepared)
        for verdict in verdicts.to_pylist():
            self.verdicts[verdict["metric"]] = verdict | rows.get(verdict["metric"], {})

    def finish(self, turn):
        pass


def play(trace, series):
    """Each run of the recording, as Ridgeline does it; `series` are the stored ones (`stored_series`)."""
    with (
        tempfile.TemporaryDirectory(prefix="golden-") as name,
        redis_server() as server,
        contextlib.closing(FrozenClock(server)) as frozen,
        receivers(Path(name)) as (everybody, places),
    ):
        folder = Path(name) / "folders"
        for place in FOLDERS:
            (folder / place).mkdir(parents=True)
        places |= {"redis": server.url.removeprefix("unix://"), "folder": folder}
        config, _ = configuration(trace.name, places, Path(name))
        before = None
        for run in trace.runs:
            if before is not None:
                frozen.jump(trace.clock(run) - trace.clock(before))
            before = run
            everybody.failing = run < HEALED
            write_series(server.client, series[run])
            list_metrics(server.client, trace, run)
            act(server.client, frozen, trace, run, series)
            yield _run(trace, run, server.client, config, frozen, everybody, folder)


def _run(trace, run, client, config, frozen, everybody, folder):
    recorder, files = Recorder(), left.files(folder)
    stages = list(once.STAGES)
    stages.insert(0, ("scan", lambda turn: turn.sinks.append(recorder)))
    before = left.series(client)
    steady = partial(deliver, jitter=lambda: 1.0)  # the same turns for what waits, in every test
    with (
        frozen.standing(),
        mock.patch.object(once, "STAGES", tuple(stages)),
        mock.patch.object(delivering, "deliver", steady),
        left.node(),
        mock.patch.object(lane, "FIRST_PAUSE", 0.01),  # seconds; between attempts at an endpoint that fails
    ):
        report = once.run_once(Request(config), now=lambda: float(trace.clock(run)))
    return Seen(
        run,
        report,
        recorder.verdicts,
        left.keys(client, frozen),
        left.rewritten(before, left.series(client)),
        left.changed(files, left.files(folder)),
        *everybody.drain(),
        frozen.commands,
    )


def _rows(prepared):
    """By metric the prepared series' length and ends."""
    found = {}
    for at, metric in enumerate(prepared.metrics.to_pylist()):
        one = prepared.judged(at)
        stamps, values = one.timestamps, one.values
        first, end = one.offsets.tolist()
        ends = (
            {}
            if first == end
            else {
                "first": (int(stamps[first]), float(values[first])),
                "last": (int(stamps[end - 1]), float(values[end - 1])),
            }
        )
        found[metric] = {"points": end - first, **ends}
    return found
