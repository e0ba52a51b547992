"""Draws one metric's backtest: the series, anomalies marked, labels shaded, votes as lanes under it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ridgeline.engine.backtest.incidents import Steps
from ridgeline.engine.report.picture import Lanes, Picture
from ridgeline.engine.report.plot import draw
from ridgeline.io.disk.atomic import write_atomic


def draw_backtest(steps: Steps, names: Sequence[str], labels: Sequence[tuple[int, int]], target: Path) -> None:
    """Write a PNG of one metric to `target`; labels are windows of epoch seconds. Needs the extra `plot`."""
    parts = [f"{len(steps.timestamps):,} steps", f"{int(steps.anomalous.sum()):,} anomalous"]
    if labels:
        parts.append(f"{len(labels)} labelled windows")
    picture = Picture(
        steps.metric,
        steps.timestamps,
        steps.values,
        steps.anomalous,
        median=float(np.median(steps.values)),
        note=", ".join(parts),
        lanes=Lanes(tuple(names), steps.fired),
        labels=tuple(labels),
    )
    write_atomic(target, partial(draw, picture))
