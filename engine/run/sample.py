"""The picture of a test alert: a day that never was, with the value of the alert at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ridgeline.alerters import Alert
from ridgeline.engine.report.drawings import Drawings
from ridgeline.engine.run.gallery import picture_of
from ridgeline.engine.run.kept import Kept

POINTS: Final = 720
STEP: Final = 120  # seconds
LONGEST: Final = 30.0  # seconds: somebody waits, and the first drawing of a machine lists its fonts


@dataclass(slots=True)
class Sample:
    """Draws one alert; afterwards `drawings.problem` says why there is no picture, if there is none."""

    drawings: Drawings = field(default_factory=Drawings)

    def draw(self, alerts: Sequence[Alert], most: int) -> Mapping[str, bytes]:
        """PNG by metric. Raises nothing."""
        self.drawings.draw([picture_of(alert, _series(alert)) for alert in alerts[:most]], LONGEST)
        return self.drawings.drawn


def _series(alert: Alert) -> Kept:
    """A wave within the expected range, and the alert's value as its last point."""
    low, high = alert.expected or (0.0, 1.0)
    values = (low + high) / 2 + (high - low) / 3 * np.sin(np.arange(POINTS) / 40)
    values[-1] = alert.value
    timestamps = alert.timestamp - STEP * np.arange(POINTS, dtype=np.int64)[::-1]
    return Kept(alert.rank, alert.metric, timestamps, values, float(np.median(values)))
