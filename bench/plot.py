"""Scaling curves: metrics a second by threads, by points per series, by keys per call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ridgeline.bench.axes import Axes
from ridgeline.bench.row import Row
from ridgeline.bench.scenarios import kernels, load
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.errors import InputError

POINTS = (180, 360, 720, 1440, 2880, 5760)
CHUNKS = (10, 25, 50, 100, 250, 1000)
SHOWN = ("all nine votes", "early exit", "all nine scores")


def draw(axes: Axes, folder: Path) -> list[Path]:
    """Measure and draw three pictures into `folder`; needs the extra `plot`."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("--plot needs matplotlib: pip install 'ridgeline[plot]'") from error
    folder.mkdir(parents=True, exist_ok=True)
    quick = replace(axes, runs=min(axes.runs, 3), yardsticks=False)
    threads = [row for row in kernels.measure(quick) if row.work in SHOWN]
    points = [
        row
        for length in POINTS
        for row in kernels.measure(
            replace(quick, points=length, metrics=max(quick.metrics * 360 // length, 50), threads=(1,))
        )
        if row.work in SHOWN
    ]
    chunks = [row for row in load.measure(replace(quick, chunk=CHUNKS)) if "Redis" in row.work]
    drawn = []
    for name, axis, label, rows in (
        ("threads", "threads", "threads", threads),
        ("points", "points", "points per series", points),
        ("chunk", "chunk", "keys per MGET", chunks),
    ):
        figure = Figure(figsize=(7, 4.2), dpi=110, layout="constrained")
        _curves(figure.subplots(), rows, axis, label)
        drawn.append(folder / f"{name}.png")
        write_atomic(drawn[-1], partial(figure.savefig, format="png"))
    return drawn


def _curves(axes: Any, rows: Sequence[Row], axis: str, label: str) -> None:
    for work in dict.fromkeys(row.work for row in rows):
        chosen = [row for row in rows if row.work == work]
        x = [row.parameters[axis] for row in chosen]
        axes.plot(x, [row.metrics_per_second for row in chosen], marker="o", label=work)
    if axis != "threads":
        axes.set_xscale("log")
    if axis == "points":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    ticks = sorted({row.parameters[axis] for row in rows})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
    axes.set_ylabel("metrics a second")
    axes.grid(color="#e6eaed")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
