"""Delivery: many anomalies through rules, state, groups and an endpoint; and beside a channel that hangs."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from ridgeline.alerters import Alerter, Message, Outcome
from ridgeline.bench.axes import Axes
from ridgeline.bench.measure import Timing, repeat
from ridgeline.bench.patterns import metric_name, one_at_a_time, pattern_text
from ridgeline.bench.receiver import HOST, receiver
from ridgeline.bench.row import Row
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.config.model import Config
from ridgeline.engine.rules.pattern import pattern_of
from ridgeline.engine.run.plan import delivery_plan
from ridgeline.engine.run.state import open_recorder, open_run_state
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.score.plan import ScorePlan

SUMMARY: Final = "1,000 and 10,000 anomalies through rules, state, groups and a local endpoint; beside one that hangs"
SMALL: Final = 1000  # metrics below which a hundredth is measured
HANGS_FOR: Final = 2  # seconds: the timeout of the channel that hangs
DEADLINE: Final = 600.0
CONFIG: Final = """\
[source]
url = "redis://{host}"
[output]
directory = "{folder}"
state = "{folder}/state.db"
[alerters.http]
url = "{url}"
[alerters.well]
kind = "http"
url = "{url}"
[alerters.hanging]
kind = "http"
url = "{hanging}"
timeout = "{timeout}s"
"""
RULE: Final = "[[alert]]\nmatch = '{match}'\nstrategy = \"{strategy}\"\n"


@dataclass(frozen=True, slots=True)
class _Watched:
    """An alerter that notes when its last message had arrived, seconds of the monotonic clock."""

    alerter: Alerter
    ended: list[float]

    @property
    def timeout(self) -> float:
        return self.alerter.timeout

    @property
    def concurrency(self) -> int:
        return self.alerter.concurrency

    def send(self, message: Message, deadline: float) -> Outcome:
        outcome = self.alerter.send(message, deadline)
        self.ended.append(time.monotonic())
        return outcome


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where alerts go: an endpoint that takes them, and one that never answers."""

    url: str
    hanging: str

    def config(self, rules: Sequence[str], strategy: str, folder: str) -> Config:
        """A configuration with these rules, the last of which is for all that the others leave."""
        text = CONFIG.format(host=HOST, folder=folder, url=self.url, hanging=self.hanging, timeout=HANGS_FOR)
        alerts = "".join(RULE.format(match=match, strategy=strategy) for match in (*rules, ""))
        return parse_config((text + alerts).encode(), Path("bench.toml"))

    def delivered(self, rules: Sequence[str], anomalies: Sequence[Anomaly], strategy: str) -> tuple[float, float]:
        """Deliver once, by a configuration just read and fresh state.

        Returns the seconds of this process' processors, and the seconds until the endpoint had all.
        """
        pattern_of.cache_clear()  # what reading compiles is known to delivery, and nothing more
        with tempfile.TemporaryDirectory(prefix="ridgeline-bench-") as folder:
            config, ended = self.config(rules, strategy, folder), [0.0]
            plan = delivery_plan(config)
            http = plan.strategies["http"]
            watched = replace(http, alerter=_Watched(http.alerter, ended))
            plan = replace(plan, strategies={**plan.strategies, "http": watched})
            began, worked = time.monotonic(), time.process_time()
            with open_run_state(config) as state, open_recorder(config) as recorder:
                summary = deliver(
                    anomalies, plan, Store(state, recorder), Times(began + DEADLINE), fleet=len(anomalies)
                )
            took = time.process_time() - worked
            if summary.sent < len(anomalies):
                raise RuntimeError(f"only {summary.sent} of {len(anomalies)} alerts arrived: {summary.problems()}")
            return took, ended[-1] - began


def measure(axes: Axes) -> Iterator[Row]:
    """Yield rows in seconds of CPU for two sizes, one of matching alone, and two in seconds until all has arrived.

    A hundredth of the anomalies where the axes ask for a tiny fleet.
    """
    share = 1 if axes.metrics >= SMALL else 100
    random = np.random.default_rng(axes.seed)
    with receiver() as url, socket.create_server((HOST, 0)) as silent:
        bench = _Bench(url, f"http://{HOST}:{silent.getsockname()[1]}/")
        for count, size in ((100, 1000), (1000, 10_000)):
            rules = [pattern_text(random, at) for at in range(count)]
            anomalies = [_anomaly(metric_name(random, at), axes.end) for at in range(size // share)]
            bench.delivered(rules, anomalies[:1], "http|well")  # once uncounted: modules are imported
            yield from _sizes(axes, bench, rules, anomalies)
            if count == 100:
                yield from _hanging(axes, bench, rules, anomalies)


def _sizes(axes: Axes, bench: _Bench, rules: Sequence[str], anomalies: Sequence[Anomaly]) -> Iterator[Row]:
    names = [anomaly.metric for anomaly in anomalies]
    parameters = {"rules": len(rules) + 1, "anomalies": len(anomalies)}
    what = f"{len(anomalies):,} anomalies, {len(rules) + 1:,} rules"
    alone = ("one pattern at a time", one_at_a_time(rules, names, time.process_time))
    spent = Timing(tuple(bench.delivered(rules, anomalies, "http")[0] for _ in range(axes.runs)))
    yield Row(
        "alerts", f"{what}: rules, state, groups, endpoint; CPU", spent, len(names), 0, 0, None, alone, parameters
    )
    plan = delivery_plan(bench.config(rules, "http", tempfile.gettempdir()))
    matching = repeat(partial(_match, anomalies, plan), runs=axes.runs, clock=time.process_time)
    yield Row(
        "alerts",
        f"{what}: compiling and asking the rules alone; CPU",
        matching,
        len(names),
        0,
        0,
        None,
        alone,
        parameters,
    )


def _hanging(axes: Axes, bench: _Bench, rules: Sequence[str], anomalies: Sequence[Anomaly]) -> Iterator[Row]:
    """Until one channel has sent all, beside another that is well and one that hangs, in turn: a ratio of 1 is no delay."""
    seconds: dict[str, list[float]] = {"well": [], "hanging": []}
    for _ in range(axes.runs):
        for other, found in seconds.items():
            found.append(bench.delivered(rules, anomalies, f"http|{other}")[1])
    well, hanging = (Timing(tuple(found)) for found in seconds.values())
    what = f"{len(anomalies):,} anomalies, {len(rules) + 1:,} rules: until all arrived, another channel"
    parameters = {"rules": len(rules) + 1, "anomalies": len(anomalies)}
    yield Row("alerts", f"{what} is well", well, len(anomalies), parameters=parameters)
    against = ("the same where the other is well", well.median)
    yield Row("alerts", f"{what} hangs", hanging, len(anomalies), 0, 0, None, against, parameters)


def _match(anomalies: Sequence[Anomaly], plan: Plan) -> None:
    pattern_of.cache_clear()
    match_rules(anomalies, plan, 0.0)


def _anomaly(metric: str, timestamp: int) -> Anomaly:
    algorithms = ScorePlan().names
    return Anomaly(
        metric, 1523.0, timestamp, 6, algorithms[:6], algorithms, timestamp - 720, True, False, (900.0, 1100.0)
    )
