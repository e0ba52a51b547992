"""The agent through ten minutes of a hard life, on a clock of the test's own.

A real Redis that goes away and comes back, an endpoint that hangs, a configuration that is changed, broken and mended, a
SIGTERM in the midst of a run; then a backtest of what it archived meanwhile.
"""

import contextlib
import os
import signal
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from rigs.archives import ALL, METRICS, STEP, anomalous, archived, fleet, replayed, rows
from rigs.http import Answer, http_server
from rigs.redis import redis_server
from rigs.runs import END, load, received, write_config

from ridgeline.engine.agent.loop import Agent
from ridgeline.engine.agent.watched import Watched
from ridgeline.engine.cli.agent import guard
from ridgeline.engine.config.load import load_config
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.state import open_run_state
from ridgeline.io.state.outbox import read_outbox

FIRST, LAST = -6, 5  # minutes from END on
WIDE, BROKEN, GONE, BACK, SURGE = -4, -2, 0, 2, 4
SURGING = "app.m01"


class Server:
    """A Redis at one address that can be stopped and started again with what it held."""

    def __init__(self, folder):
        self.folder, self.address, self.running, self.client = (
            folder,
            folder / "redis.sock",
            contextlib.ExitStack(),
            None,
        )

    def start(self):
        server = self.running.enter_context(redis_server(arguments=("--dir", str(self.folder))))
        self.address.unlink(missing_ok=True)
        self.address.symlink_to(server.url.removeprefix("unix://"))
        self.client = server.client

    def stop(self):
        if self.client is not None:
            self.client.shutdown(save=True)
            self.client = None
        self.running.close()


class Life:
    """Minutes that pass while the agent rests: points come, and what has to happen does."""

    def __init__(self, config, server, happenings):
        self.config, self.server, self.happenings = config, server, happenings
        self.seconds, self.said, self.reports, self.consensus = FIRST * STEP, [], {}, {}
        self.arrive(FIRST)

    def arrive(self, minute):
        self.happenings.get(minute, lambda: None)()
        if self.server.client is not None:
            load(self.server.client, points(minute))

    def agent(self):
        watched = Watched(self.config, self.said.append)
        return Agent(
            watched, guard, self.said.append, once=self.once, clock=lambda: float(self.seconds), wall=self.wall, rest=self.rest
        )  # fmt: skip

    def wall(self):
        return END + self.seconds

    def once(self, request):
        at = self.wall()
        self.consensus[at] = request.config.analysis.consensus
        # State and outbox live by the wall clock, which passes as quickly.
        report = run_once(replace(request, as_of=at), now=lambda: time.time() + self.seconds)
        self.reports[at] = report
        return report

    def rest(self, seconds):
        passed = range(self.seconds // STEP + 1, int(self.seconds + seconds) // STEP + 1)
        self.seconds += int(seconds)
        for minute in passed:
            if minute > LAST:
                raise SystemExit(0)
            self.arrive(minute)


def points(minute):
    """The fleet as Redis holds it at a minute: one of its quiet metrics surges late."""
    table = fleet(ALL, END + minute * STEP)
    surging = (np.array(table["metric"]) == SURGING) & (np.array(table["timestamp"]) >= END + SURGE * STEP)
    return table.set_column(2, "value", pa.array(np.array(table["value"]) + 200.0 * surging))


def test_a_hard_life(tmp_path):
    server, interrupted = Server(tmp_path), []

    def hang(request):
        """What the endpoint does once the surge is told: nothing, while the agent is told to end."""
        if SURGING not in request.body.decode() or interrupted:
            return Answer()
        interrupted.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGTERM)
        return Answer(silent=True)

    with contextlib.closing(server.running), http_server(hang) as http:
        server.start()
        extra = f'[archive]\ndirectory = "{tmp_path / "archive"}"\n[agent]\nrun_every = 60\n[analysis]\nconsensus = 6'
        config = write_config(tmp_path, f"unix://{server.address}", http=http, deadline=120, extra=extra)
        whole, write = config.read_text().replace("[run]", "connect_budget = 1\n[run]"), config.write_text
        write(whole)
        wide = whole.replace("run_every = 60", "run_every = 120").replace("consensus = 6", "consensus = 7")
        life = Life(config, server, {
            WIDE: partial(write, wide),
            BROKEN: partial(write, f"{whole}\n[nothing]\n"),
            GONE: server.stop,
            BACK: lambda: (server.start(), write(whole)),
        })  # fmt: skip

        with pytest.raises(SystemExit) as stop:
            life.agent().live()
        took = time.monotonic() - interrupted[0]
        assert stop.value.code == 143
        assert took < 5
        with open_run_state(load_config(config)) as state:
            assert [metric for _, metric in read_outbox(state)] == [SURGING]

        life.arrive(LAST)
        life.seconds = LAST * STEP
        with pytest.raises(SystemExit):
            life.agent().live()
        with open_run_state(load_config(config)) as state:
            assert read_outbox(state) == {}
        server.stop()

    began = {(at - END) // STEP: consensus for at, consensus in life.consensus.items()}
    assert began == {-6: 6, -5: 6, -3: 7, -1: 7, 1: 7, 3: 6, 4: 6, 5: 6}
    ended = {(at - END) // STEP: report.exit for at, report in life.reports.items()}
    assert ended == dict.fromkeys((-6, -5, -3, -1, 3, 5), 0)
    told = "\n".join(life.said)
    assert told.count("has changed and is in force") == 2
    assert told.count("there is no such key") == told.count("stays in force") == 1
    assert told.count("cannot reach Redis") == 1

    steps = replayed(tmp_path / "archive", tmp_path / "backtest", END + FIRST * STEP)
    for at, report in life.reports.items():
        found = {one.metric: one.votes for one in report.anomalies}
        assert found == anomalous(steps[at], life.consensus[at])
    assert archived(tmp_path / "archive") == rows(points(LAST))

    alerted = {one.metric for report in life.reports.values() for one in report.anomalies}
    assert len(alerted) > METRICS // 4
    once = received(http)
    once.remove(SURGING)  # the first one hung
    assert sorted(once) == sorted(alerted)
