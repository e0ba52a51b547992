"""The pictures of one run's alerts: of which series, what they say, and how long drawing may take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ridgeline.alerters import Alert, sentence
from ridgeline.engine.report.drawings import Drawings
from ridgeline.engine.report.picture import Picture
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.kept import Kept, KeptSeries
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

SPARE: Final = 4  # series kept for each picture: the top anomalies may be muted, or nobody's
SHARE: Final = 0.25  # of the time left for alerts
LONGEST: Final = 5.0  # seconds that alerts which show pictures wait for them


@dataclass(slots=True)
class Gallery:
    """Draws what was `kept`, once in a run; `left`: seconds until alerts must be out."""

    kept: KeptSeries
    left: Callable[[], float]
    wants_series: bool = True
    wants_all: bool = False
    drawings: Drawings = field(default_factory=Drawings)
    _opened: bool = False
    _drawing: bool = False

    @classmethod
    def of(cls, report: Report, scorer: Scorer, pictures: int, left: Callable[[], float]) -> Gallery:
        """A gallery for at most so many pictures."""
        return cls(KeptSeries(report, scorer, SPARE * pictures), left)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Keep what may be drawn."""
        self.kept.take(matrix, verdicts)

    def settle(self, settled: Settled) -> None:
        """None of them is anomalous."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""

    def seconds(self) -> float:
        """How long drawing may take that begins now."""
        return min(LONGEST, SHARE * max(self.left(), 0.0))

    def draw(self, alerts: Sequence[Alert], most: int) -> Mapping[str, bytes]:
        """PNG by metric of the first alerts whose series are there, at most so many. Raises nothing."""
        known = {} if self._opened else self.kept.by_metric()
        chosen = [alert for alert in alerts if alert.metric in known][:most]
        if chosen:
            self._opened = self._drawing = True
            try:
                pictures = [picture_of(alert, known[alert.metric]) for alert in chosen]
                self.drawings.draw(pictures, self.seconds())
            except Exception as error:  # noqa: BLE001 - a bug in drawing must not keep alerts back
                self.drawings.problem = f"drawing failed, a bug: {type(error).__name__}: {escape(error)}"
            self._drawing = False
        return self.drawings.drawn

    @property
    def problem(self) -> str:
        """Why pictures are missing, in one sentence; empty if none is."""
        problem = "they were not drawn in time" if self._drawing else self.drawings.problem
        return f"alerts went out without some pictures: {problem}" if problem else ""


def picture_of(alert: Alert, kept: Kept) -> Picture:
    """What the alert says, drawn on the series."""
    return Picture(
        alert.metric,
        kept.timestamps,
        kept.values,
        kept.timestamps == alert.timestamp,
        median=kept.median,
        expected=alert.expected,
        since=alert.first_seen if alert.ongoing else None,
        note=sentence(replace(alert, algorithms=(), rule="")),  # who voted stands below; rules may be several
        voted=alert.algorithms,
        silent=tuple(name for name in alert.algorithms_run if name not in alert.algorithms),
    )
