"""Scaling curves: metrics a second by threads, by points per series, by keys per call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ridgeline.bench.axes import Axes
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import kernels, load
from ridgeline.engine.report.plot import figure_class
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import make_folder

POINTS = (180, 360, 720, 1440, 2880, 5760)
CHUNKS = (10, 25, 50, 100, 250, 1000)
SHOWN = ("all nine votes", "early exit", "all nine scores")
INK, FAINT = "#22303c", "#7a8b99"


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture: rows over one of their parameters."""

    name: str
    title: str
    axis: str
    label: str
    rows: Sequence[Row]


def draw(axes: Axes, folder: Path, machine: str = "") -> list[Path]:
    """Measure and draw three pictures into `folder`, `machine` written under each; needs the extra `plot`."""
    make_folder(folder)
    quick = replace(axes, runs=min(axes.runs, 5), yardsticks=False)
    drawn = []
    for chart in _charts(quick):
        figure = figure_class()(figsize=(7, 4.6), dpi=110, layout="constrained")
        _curves(figure.subplots(), chart)
        figure.supxlabel(
            f"{machine}\nmedian of {quick.runs} runs, bars from the quickest to the slowest".strip(),
            fontsize=8,
            color=FAINT,
        )
        drawn.append(folder / f"{chart.name}.png")
        write_atomic(drawn[-1], partial(figure.savefig, format="png"))
    return drawn


def _charts(axes: Axes) -> list[Chart]:
    threads = [row for row in kernels.measure(axes) if row.work in SHOWN]
    points = []
    for length in POINTS:
        sized = replace(axes, points=length, metrics=max(axes.metrics * 360 // length, 50), threads=(1,))
        points += [row for row in kernels.measure(sized) if row.work in SHOWN]
    chunks = [row for row in load.measure(replace(axes, chunk=CHUNKS)) if "Redis" in row.work]
    of = f"{axes.points} points a series"
    return [
        Chart("threads", f"Scoring by threads, {of}", "threads", "threads", threads),
        Chart("points", "Scoring by length of series, one thread", "points", "points per series", points),
        Chart("chunk", f"Loading from Redis by chunk, {of}", "chunk", "keys per MGET", chunks),
    ]


def _curves(axes: Any, chart: Chart) -> None:
    for work in dict.fromkeys(row.work for row in chart.rows):
        chosen = [row for row in chart.rows if row.work == work]
        x = [row.parameters[chart.axis] for row in chosen]
        rates = [row.metrics / row.median for row in chosen]
        slow = [rate - row.metrics / max(row.timing.seconds) for rate, row in zip(rates, chosen, strict=True)]
        fast = [row.metrics / min(row.timing.seconds) - rate for rate, row in zip(rates, chosen, strict=True)]
        axes.errorbar(x, rates, yerr=[slow, fast], marker="o", capsize=3, label=work)
    _limit(axes, chart)
    if chart.axis != "threads":
        axes.set_xscale("log")
    if chart.axis == "points":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    ticks = sorted({row.parameters[chart.axis] for row in chart.rows})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_title(chart.title, loc="left", color=INK, fontweight="bold")
    axes.set_xlabel(chart.label)
    axes.set_ylabel("metrics a second")
    axes.grid(color="#e6eaed")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _limit(axes: Any, chart: Chart) -> None:
    """The machine's own limit, where it is the same piece of work on one thread: a dashed line."""
    known = {row.parameters[chart.axis]: row for row in chart.rows if row.limit is not None}
    if chart.axis == "threads" or not known:
        return
    limits = [
        (x, row.metrics / row.limit[1], row.limit[0]) for x, row in sorted(known.items()) if row.limit is not None
    ]
    axes.plot(
        [x for x, _, _ in limits],
        [rate for _, rate, _ in limits],
        linestyle="--",
        color=FAINT,
        label=f"limit: {limits[0][2]}",
    )
