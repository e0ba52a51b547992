"""Draws one metric's backtest: the series, votes as lanes under it, anomalies marked, labels shaded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from ridgeline.engine.backtest.incidents import Steps
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

INK: Final = "#22303c"
SERIES: Final = "#4a6f8a"
ANOMALY: Final = "#c8372d"
LABEL: Final = "#f2c14e"
LANE: Final = "#7a8b99"
MAX_DRAWN: Final = 20_000
LONGEST_NAME: Final = 110  # characters that the width of the picture holds


def draw(steps: Steps, names: Sequence[str], labels: Sequence[tuple[int, int]], target: Path) -> None:
    """Write a PNG of one metric to `target`; labels are windows of epoch seconds. Needs the extra `plot`."""
    try:
        from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("--plot needs matplotlib: pip install 'ridgeline[plot]'") from error
    figure = Figure(figsize=(13, 7), dpi=110, layout="constrained")
    series, lanes = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    times = steps.timestamps.astype("datetime64[s]")
    _series(series, times, steps)
    _lanes(lanes, times, steps, names)
    for axes in (series, lanes):
        for start, end in _visible(labels, steps):
            axes.axvspan(_moment(start), _moment(end), color=LABEL, alpha=0.45, linewidth=0, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK)
    locator = AutoDateLocator(maxticks=9)
    lanes.xaxis.set_major_locator(locator)
    lanes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    _title(series, steps, labels)
    write_atomic(target, partial(figure.savefig, format="png"))


def _visible(labels: Sequence[tuple[int, int]], steps: Steps) -> list[tuple[int, int]]:
    """The labelled windows, short ones widened so far that they can be seen."""
    least = int(steps.timestamps[-1] - steps.timestamps[0]) // 250 if len(steps.timestamps) else 0
    lacking = [max(0, least - (end - start)) // 2 for start, end in labels]
    return [(start - more, end + more) for (start, end), more in zip(labels, lacking, strict=True)]


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None)


def _series(axes: Any, times: Any, steps: Steps) -> None:
    """The values as an envelope of minimum and maximum per pixel column where there are too many to draw singly."""
    stride = max(1, len(times) // MAX_DRAWN)
    if stride > 1:
        cut = len(times) // stride * stride
        blocks = steps.values[:cut].reshape(-1, stride)
        axes.fill_between(times[:cut:stride], blocks.min(axis=1), blocks.max(axis=1), color=SERIES, linewidth=0.4)
    else:
        axes.plot(times, steps.values, color=SERIES, linewidth=0.8)
    hit = steps.anomalous
    axes.scatter(times[hit], steps.values[hit], color=ANOMALY, s=16, zorder=3, linewidths=0, label="anomalous")
    axes.set_ylabel("value", color=INK)


def _lanes(axes: Any, times: Any, steps: Steps, names: Sequence[str]) -> None:
    for lane in range(len(names)):
        fired = steps.fired[:, lane]
        for anomalous, colour in ((False, LANE), (True, ANOMALY)):
            chosen = fired & (steps.anomalous == anomalous)
            axes.scatter(
                times[chosen], np.full(int(chosen.sum()), lane), marker="|", s=60, color=colour, linewidths=0.8
            )
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(axis="y", color="#e6eaed", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("time (UTC)", color=INK)


def _title(axes: Any, steps: Steps, labels: Sequence[tuple[int, int]]) -> None:
    count = int(steps.anomalous.sum())
    parts = [f"{len(steps.timestamps):,} steps", f"{count:,} anomalous (red)"]
    if labels:
        parts.append(f"{len(labels)} labelled windows (shaded)")
    # Right above the axes on the left matplotlib writes the offset of large values, so the counts go to the right.
    axes.set_title(
        f"{_fitting(steps.metric)}\n", loc="left", color=INK, fontsize=13, fontweight="bold", parse_math=False
    )
    axes.text(1, 1.02, "   ".join(parts), transform=axes.transAxes, color=INK, fontsize=10, ha="right")


def _fitting(name: str) -> str:
    """The name on one line, its middle left out where it is too long for the picture."""
    shown = escape(name)
    if len(shown) <= LONGEST_NAME:
        return shown
    half = (LONGEST_NAME - 3) // 2
    return f"{shown[:half]}...{shown[-half:]}"
