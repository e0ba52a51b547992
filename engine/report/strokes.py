"""What is drawn within the axes of a picture: the series and all around it, votes in lanes, and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.report.axis import Axis, label
from ridgeline.engine.report.envelope import envelope, gaps
from ridgeline.engine.report.picture import Picture

INK, FAINT, GROUND, FRAME, GRID = "#22303c", "#5f6f7b", "#fcfcfb", "#b9c3ca", "#e6eaed"
SERIES, BAND, EDGE, ANOMALY, LABEL = "#2f6690", "#d8e8dc", "#86b093", "#c8372d", "#f2c14e"
MANY: Final = 50  # anomalous points, from which on their marks are small
LEAST: Final = 1 / 250  # of the width: a labelled window that is shorter is widened so far that it can be seen
ALONE: Final = 1800  # seconds around a series without extent


def draw_values(axes: Any, picture: Picture, axis: Axis, columns: int) -> None:
    """The series over `columns` pixels, the points to mark, and what would have been nothing remarkable."""
    times, shown = _moments(picture.timestamps), axis.shown(picture.values)
    if picture.expected is not None:
        low, high = axis.shown(np.array(picture.expected))
        axes.axhspan(low, high, facecolor=BAND, edgecolor=EDGE, linewidth=0.8, zorder=0, label="expected")
    if picture.median is not None:
        middle = axis.shown(np.array([picture.median]))[0]
        axes.axhline(middle, color=FAINT, linewidth=1, dashes=(5, 3), zorder=1, label="median")
    _shade(axes, picture)
    _line(axes, picture, times, shown, columns)
    if picture.anomalous.any():
        hit = picture.anomalous
        style = {"s": 38 if hit.sum() < MANY else 14, "linewidths": 0.8, "edgecolors": GROUND, "clip_on": False}
        axes.scatter(times[hit], shown[hit], color=ANOMALY, zorder=3, label="anomalous", **style)
    axes.set_ylim(axis.bottom, axis.top)
    axes.locator_params(axis="y", nbins=7, steps=[1, 2, 5, 10])
    axes.yaxis.set_major_formatter(lambda value, _at: label(value))
    _grid(axes)


def draw_lanes(axes: Any, picture: Picture, names: Sequence[str]) -> None:
    """A stroke for each vote, in a lane for each algorithm; `names` as they are to be shown."""
    assert picture.lanes is not None
    times = _moments(picture.timestamps)
    _shade(axes, picture)
    for lane in range(len(names)):
        fired = picture.lanes.fired[:, lane]
        for anomalous, colour in ((False, FAINT), (True, ANOMALY)):
            at = times[fired & (picture.anomalous == anomalous)]
            axes.scatter(at, np.full(len(at), lane), marker="|", s=60, color=colour, linewidths=0.8)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    _grid(axes)


def draw_time(axes: Any, picture: Picture, *, labelled: bool = True) -> None:
    """The axis of time, in UTC."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    if not len(picture.timestamps):
        axes.set_xticks([])
        return
    first, last = picture.timestamps[[0, -1]]
    room = max((last - first) // 100, 1) if last > first else ALONE
    axes.set_xlim(*_moments(np.array([first - room, last + room])))
    locator = AutoDateLocator(maxticks=9, tz=UTC)
    formatter = ConciseDateFormatter(locator, tz=UTC)
    formatter.offset_formats = [f"{each} UTC".lstrip() for each in formatter.offset_formats]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.xaxis.get_offset_text().set(color=FAINT, fontsize=9, visible=labelled)
    axes.tick_params(axis="x", labelbottom=labelled)


def _shade(axes: Any, picture: Picture) -> None:
    """Windows that stand out: labelled ones, and the time since which it is anomalous."""
    if not len(picture.timestamps):
        return
    first, last = (int(end) for end in picture.timestamps[[0, -1]])
    least = int((last - first) * LEAST)
    for start, end in picture.labels:
        more = max(0, least - (end - start)) // 2
        window = _moments(np.array([start - more, end + more]))
        axes.axvspan(*window, color=LABEL, alpha=0.45, linewidth=0, zorder=0, label="labelled")
    if picture.since is not None and picture.since < last:
        window = _moments(np.array([max(picture.since, first), last]))
        axes.axvspan(*window, color=ANOMALY, alpha=0.1, linewidth=0, zorder=0, label="ongoing")


def _line(axes: Any, picture: Picture, times: NDArray[Any], shown: NDArray[np.float64], columns: int) -> None:
    """A line that breaks where nothing was measured; a point without neighbours is a dot."""
    kept = envelope(picture.timestamps, picture.values, columns)
    breaks = gaps(picture.timestamps, kept)
    at, line = np.insert(times[kept], breaks, times[kept[breaks]]), np.insert(shown[kept], breaks, np.nan)
    axes.plot(at, line, color=SERIES, linewidth=1, zorder=2)
    missing = np.isnan(np.concatenate(([np.nan], line, [np.nan])))
    lone = missing[:-2] & missing[2:]
    axes.scatter(at[lone], line[lone], color=SERIES, s=9, linewidths=0, zorder=2)


def _grid(axes: Any) -> None:
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _moments(timestamps: NDArray[np.int64]) -> Any:
    """Epoch seconds in the unit of the axis of time."""
    from matplotlib.dates import date2num

    return date2num(timestamps.astype("datetime64[s]"))
