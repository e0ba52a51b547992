"""The demonstration behind `ridgeline demo`: plant incidents, run the real job, check what was found."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.demo.fleet import Fleet, build_fleet
from ridgeline.engine.demo.night import play_night
from ridgeline.engine.report.sparkline import sparkline

ENOUGH: Final = 0.9
SHOWN: Final = 6
HISTORY_METRICS: Final = 40
HISTORY_DAYS: Final = 14
SAVED: Final = ("fleet.parquet", "history.parquet", "labels.csv")
END: Final = 1_767_225_600  # 2026-01-01T00:00:00Z, whatever the clock says: the same fleet and findings on every day
CONFIG: Final = """\
[source]
kind = "redis"
url = "{url}"

[run]
deadline = 55

[[alert]]
match = "."
strategy = "http"
expiration = 3600

[alerters.http]
url = "http://127.0.0.1:{port}/alert"

[output]
directory = "{output}"
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """One demonstration; `say` receives each line."""

    metrics: int
    incidents: int
    seed: int
    say: Callable[[str], None]

    def play(self) -> int:
        """Run it; 0 when at least 90 % of the planted incidents were found, else 1."""
        from ridgeline.io.redis.embedded import embedded_redis

        fleet = build_fleet(self.metrics, end=END, seed=self.seed, incidents=self.incidents)
        with tempfile.TemporaryDirectory(prefix="ridgeline-demo-") as folder, embedded_redis() as server:
            self.say(f"started {server.description}")
            self._load(fleet, server.url)
            with _receiver() as (port, received):
                config = Path(folder, "ridgeline.toml")
                config.write_text(CONFIG.format(url=server.url, port=port, output=folder), encoding="utf-8")
                self.say("running `ridgeline run` on it: load, decode, clean, nine algorithms, consensus, alerts\n")
                outcome = _run(config)
        code = self._report(fleet, outcome, received)
        play_night(END, self.seed, self.say)
        return code

    def _load(self, fleet: Fleet, url: str) -> None:
        from ridgeline.io.matrix import MetricMatrix
        from ridgeline.io.redis.client import connect
        from ridgeline.io.redis.write import write_matrix

        began = time.perf_counter()
        write_matrix(connect(url), MetricMatrix.from_table(fleet.table()), namespace="metrics.")
        seconds = time.perf_counter() - began
        rows, points = fleet.values.shape
        self.say(
            f"loaded {rows:,} metrics x {points} points in Skyline's format in {seconds:.1f} s, {self.incidents} incidents planted"
        )

    def _report(self, fleet: Fleet, outcome: dict[str, Any], received: list[dict[str, Any]]) -> int:
        planted = {incident.metric: incident for incident in fleet.incidents}
        anomalies = {row["metric"]: row for row in outcome["anomalies"]}
        found = [metric for metric in planted if metric in anomalies]
        rows = {name: row for row, name in enumerate(fleet.metrics)}
        for metric in [*found][:SHOWN]:
            row = anomalies[metric]
            self.say(f"  {metric:<42} {sparkline(fleet.values[rows[metric]])}  {row['value']:>12,.6g}")
            self.say(f"  {planted[metric].kind:<8}{row['votes']} votes: {', '.join(row['algorithms'])}")
        if len(found) > SHOWN:
            self.say(f"  ... and {len(found) - SHOWN} more")
        self.say(f"\nfound {len(found)} of {len(planted)} planted incidents")
        self._list("missed", [f"{m} ({planted[m].kind})" for m in planted if m not in anomalies])
        self._list("false alarms", [m for m in anomalies if m not in planted])
        arrived = sum(len(message["alerts"]) for message in received)
        many = "1 message" if len(received) == 1 else f"{len(received)} messages"
        self.say(f"alerts received over HTTP: {arrived} in {many} ({outcome['alerts']['sent']} sent)")
        seconds = outcome["seconds"]
        self.say(
            f"{outcome['metrics']:,} metrics in {seconds['total']:.2f} s ({outcome['metrics_per_second']:,.0f} metrics/s): "
            f"load {seconds['load']:.2f}, decode {seconds['decode']:.2f}, score {seconds['score']:.2f}, alert {seconds['alert']:.2f} s"
        )
        return 0 if len(found) >= ENOUGH * len(planted) else 1

    def _list(self, what: str, names: list[str]) -> None:
        self.say(f"{what}: {', '.join(names) if names else 'none'}")


def save(folder: Path, metrics: int, incidents: int, seed: int, say: Callable[[str], None]) -> None:
    """Write a fleet and a history with its labels into `folder`."""
    from pyarrow import csv

    from ridgeline.io.disk.atomic import write_atomic
    from ridgeline.io.disk.target import make_folder
    from ridgeline.io.errors import UnsafeTarget
    from ridgeline.io.parquet.write import write_parquet

    make_folder(folder)
    for name in SAVED:
        if os.path.lexists(folder / name):
            raise UnsafeTarget(f"{folder / name} exists already and is left as it is: name another folder")
    fleet = build_fleet(metrics, end=END, seed=seed, incidents=incidents)
    history = build_fleet(
        HISTORY_METRICS, points=HISTORY_DAYS * 1440, end=END, seed=seed, incidents=incidents, scattered=True
    )
    write_parquet(fleet.table(), folder / SAVED[0])
    write_parquet(history.table(), folder / SAVED[1])
    write_atomic(folder / SAVED[2], lambda file: csv.write_csv(history.labels(), file))
    say(f"wrote {SAVED[0]}, {SAVED[1]} and {SAVED[2]} to {folder}")


def _run(config: Path) -> dict[str, Any]:
    """What `ridgeline run --json` prints for this configuration."""
    from ridgeline.engine.config.load import load_config
    from ridgeline.engine.run.once import run_once
    from ridgeline.engine.run.turn import Request

    return run_once(Request(load_config(config), as_of=END, json=True)).as_json()


@contextlib.contextmanager
def _receiver() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """An HTTP endpoint on loopback that keeps the alerts it is sent."""
    received: list[dict[str, Any]] = []

    class Receive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: the demo prints what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receive)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
