"""Runs that go on from what the one before knew: point by point of a growing fleet, each beside MGET alone of the same."""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from ridgeline.bench.axes import Axes
from ridgeline.bench.duties import BARE, CONFIG, WHOLE
from ridgeline.bench.growing import Growing, growing
from ridgeline.bench.measure import Timing, process, spent_by_children
from ridgeline.bench.past import teach
from ridgeline.bench.redis_fleet import mget_alone
from ridgeline.bench.row import Row
from ridgeline.engine.config.load import load_config
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.run.once import run_once
from ridgeline.engine.run.turn import Request

LATEST: Final = 360  # seconds of simulated time up to which commands, which ask the real clock, can be measured too
PATIENT: Final = "[analysis]\nstale_period = 86400\n"  # time passes while the fleet is written
PLAIN: Final = BARE.replace("[analysis]\n", PATIENT)
FORGETFUL: Final = f"{PLAIN}memory = false\n"
COUNTERS: Final = f'{PLAIN}[preparation]\ncounters = "auto"\n'
BUSY: Final = WHOLE.replace("[analysis]\n", PATIENT)
VOTES: Final = "votes and alerts only"
DUTIES: Final = "all duties"
CRON: Final = "votes and alerts only, a process from cron"


def measure(axes: Axes) -> Iterator[Row]:
    """Yield the rows of warm runs, without counters and with them, and of first ones."""
    works = {VOTES: PLAIN, DUTIES: BUSY, CRON: PLAIN}
    if axes.rule != CONSENSUS:
        works[f"votes and alerts only, rule {axes.rule}"] = PLAIN.replace(
            "[analysis]\n", f'[analysis]\nrule = "{axes.rule}"\n'
        )
    if axes.step * axes.delta * (axes.runs + 1) > LATEST:
        del works[CRON]
    with _course(axes, works, counters=0.0) as course:
        yield from _first(axes, course)
        course.go(axes)
        yield from course.rows(axes, 0.0)
    with _course(axes, {VOTES: COUNTERS}, counters=axes.counters) as course:
        course.first(axes)
        course.go(axes)
        yield from course.rows(axes, axes.counters)


@dataclass(slots=True)
class _Work:
    """A way to run; what each run took: seconds, those of CPU, here and of the server, bytes that the server sent."""

    do: Callable[[], object]
    cpu: Callable[[], float]
    seconds: list[float] = field(default_factory=list)
    spent: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def time(self, client: Any) -> None:
        """Do it once and note what it took."""
        served, sent = _server(client)
        spent, began = self.cpu(), time.perf_counter()
        report = self.do()
        self.seconds.append(time.perf_counter() - began)
        self.spent.append(self.cpu() - spent)
        after = _server(client)
        self.served.append(after[0] - served)
        self.sent.append(after[1] - sent)
        if isinstance(report, Report):
            self.reports.append(report)


@dataclass(slots=True)
class _Course:
    """A growing fleet and the works that follow it."""

    fleet: Growing
    works: dict[str, _Work]
    alone: _Work

    def first(self, axes: Axes) -> None:
        """Do each work twice, uncounted: the first run begins a memory, the second sees where the keys begin."""
        for again in (False, True):
            if again:
                self.fleet.grow(axes.delta)
            for work in self.works.values():
                work.do()

    def go(self, axes: Axes) -> None:
        """Let the fleet grow, and do all works in turn, as often as is asked for."""
        for _ in range(axes.runs):
            self.fleet.grow(axes.delta)
            for work in (self.alone, *self.works.values()):
                work.time(self.fleet.client)

    def rows(self, axes: Axes, counters: float) -> Iterator[Row]:
        """Seconds of each work against MGET alone, then seconds of CPU."""
        metrics, points = len(self.fleet), len(self.fleet) * self.fleet.points
        counted = f", {counters:.0%} counters" if counters else ""
        parameters = {
            "points": axes.points, "step": axes.step, "delta": axes.delta, "spikes": axes.spikes, "counters": counters,
        }  # fmt: skip
        limit = Timing(tuple(self.alone.seconds)).median
        for name, work in self.works.items():
            label = f"warm run{counted}, {name}"
            against = ("MGET alone", limit)
            yield Row("run", label, Timing(tuple(work.seconds)), metrics, points, 0, None, against, parameters,
                      (f"{label}: {self._told(work)}",))  # fmt: skip
            yield Row("run", f"{label}; CPU", Timing(tuple(work.spent)), metrics, points, 0, None, None, parameters)

    def _told(self, work: _Work) -> str:
        metrics = len(self.fleet)
        served = statistics.median(work.served) / metrics * 1e6
        sent = statistics.median(work.sent) / metrics
        whole = statistics.median(self.alone.sent) / metrics
        each = ", ".join(f"{seconds:.2f}" for seconds in work.seconds)
        told = f"{served:.1f} us of the server's CPU and {sent:,.0f} bytes a metric ({whole:,.0f} by MGET alone); runs of {each} s"
        held = self.fleet.client.info("memory")["used_memory"]
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        told += f"; {held / 1e9:.2f} GB in the server, {own / 1e9:.2f} GB here at the most"
        if not work.reports:
            return told
        full = statistics.median((report.reads or {}).get("full_reads", 0) for report in work.reports)
        learning = work.reports[-1].learning
        unripe = "" if learning is None else f", {learning / metrics:.1%} still learning"
        return f"{full / metrics:.1%} of the metrics read in full{unripe}, {told}"


@contextmanager
def _course(axes: Axes, texts: dict[str, str], counters: float) -> Iterator[_Course]:
    steps = (axes.runs + 1) * axes.delta
    end = int(time.time()) - steps * axes.step
    walks = any("rule =" in text for text in texts.values())
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ridgeline-bench-"))
        past = Path(folder, "past") if walks else None
        if past is not None:
            past.mkdir()
        fleet = stack.enter_context(growing(axes, steps=steps, end=end, counters=counters, past=past))
        works = {}
        for number, (name, text) in enumerate(texts.items()):
            path = configured(axes, fleet, Path(folder, str(number)), text)
            if past is not None and "rule =" in text:
                teach(path, past, fleet.end)
            if name == CRON:
                command = [sys.executable, "-m", "ridgeline", "run", "--config", str(path)]
                works[name] = _Work(process(command), spent_by_children)
            else:
                works[name] = _Work(partial(run, path, fleet), time.process_time)
        alone = _Work(partial(mget_alone, fleet.url, axes.chunk[0]), time.process_time)
        yield _Course(fleet, works, alone)


def _first(axes: Axes, course: _Course) -> Iterator[Row]:
    """First runs, each of which begins a memory, in turn with runs that keep none and with MGET alone."""
    fleet, folder = course.fleet, tempfile.TemporaryDirectory(prefix="ridgeline-bench-")
    with folder:
        forgetful = configured(axes, fleet, Path(folder.name, "none"), FORGETFUL)
        first, none, alone = (_Work(lambda: None, time.process_time) for _ in range(3))
        alone.do = course.alone.do
        none.do = partial(run, forgetful, fleet)
        for number in range(axes.runs):
            path = configured(axes, fleet, Path(folder.name, str(number)), PLAIN)
            first.do = partial(run, path, fleet)
            for work in (alone, none, first):
                work.time(fleet.client)
    course.first(axes)
    parameters = {"points": axes.points, "step": axes.step, "spikes": axes.spikes}
    metrics, points = len(fleet), len(fleet) * fleet.points
    whole = ("MGET alone", Timing(tuple(alone.seconds)).median)
    yield Row(
        "run", f"run without memory, {VOTES}", Timing(tuple(none.seconds)), metrics, points, 0, whole, None, parameters
    )
    for kind in ("seconds", "spent"):
        taken, limit = Timing(tuple(getattr(first, kind))), Timing(tuple(getattr(none, kind)))
        against = ("a run without memory", limit.median)
        unit = "" if kind == "seconds" else "; CPU"
        yield Row(
            "run", f"first run, which begins a memory{unit}", taken, metrics, points, 0, None, against, parameters
        )


def configured(axes: Axes, fleet: Growing, folder: Path, text: str) -> Path:
    """The configuration of a run that writes to a folder of its own."""
    folder.mkdir()
    path = folder / "ridgeline.toml"
    whole = (CONFIG + text).format(url=fleet.url, folder=folder, threads=axes.threads[-1], chunk=axes.chunk[0])
    path.write_text(whole, encoding="utf-8")
    return path


def run(config: Path, fleet: Growing) -> Report:
    """A run at the moment at which the newest points have come."""
    return run_once(Request(load_config(config)), now=lambda: float(fleet.end + 1))


def _server(client: Any) -> tuple[float, float]:
    """Seconds of CPU that the server has spent, and bytes that it has sent."""
    spent = client.info("cpu")
    return spent["used_cpu_user"] + spent["used_cpu_sys"], client.info("stats")["total_net_output_bytes"]
