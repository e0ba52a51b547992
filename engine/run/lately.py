"""What this run adds to the records of lately anomalous metrics: since when, and what is normal again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.lately import Lately, Seen, observe
from ridgeline.engine.alerts.plan import News, Runs
from ridgeline.engine.alerts.second_order import out_of_rhythm, worth_another
from ridgeline.engine.config.model import Config
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.kernels.score.layout import ANALYSED

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

NATIVE: Final = "native"
COLUMNS: Final = ("metric", "datapoint", "timestamp", "outcome", "anomalous")


@dataclass(slots=True)
class LatelySink:
    """Keeps what was judged, for the alerts: of metrics that were anomalous lately it matters that they are normal now."""

    wants_series: bool = False
    wants_all: bool = False
    _judged: list[pa.RecordBatch] = field(default_factory=list)
    _settled: list[Settled] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep columns that the verdicts hold already."""
        self._judged.append(verdicts.select(COLUMNS))

    def normal(self, metrics: Mapping[str, Lately]) -> list[Anomaly]:
        """Those of the metrics that were analysed and are not anomalous, each with its newest point."""
        if not metrics:
            return []
        # Lists, because Arrow's kernels import pyarrow.compute, and pandas where it is installed.
        found = [
            (metric, value, timestamp)
            for batch in self._judged
            if not metrics.keys().isdisjoint(batch.column("metric").to_pylist())
            for metric, value, timestamp, outcome, anomalous in zip(
                *(batch.column(name).to_pylist() for name in COLUMNS), strict=True
            )
            if outcome == "analysed" and anomalous is False and metric in metrics
        ]
        found += [one for settled in self._settled for one in _analysed(settled, list(metrics))]
        return [
            Anomaly(metric, value, timestamp, 0, (), first_seen=metrics[metric].first_seen, ongoing=True)
            for metric, value, timestamp in found
        ]

    def settle(self, settled: Settled) -> None:
        """Keep whom to ask."""
        self._settled.append(settled)

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: the records go with the alerts."""


def _analysed(settled: Settled, metrics: Sequence[str]) -> Iterator[tuple[str, float, int]]:
    """(metric, newest value, its timestamp) of those of the metrics that were analysed without being read whole."""
    for metric, at in zip(metrics, settled.finding(metrics).tolist(), strict=True):
        if at >= 0 and settled.outcomes[at] == ANALYSED:
            yield metric, float(settled.datapoints[at]), int(settled.timestamps[at])


def often(config: Config, metrics: Sequence[str]) -> dict[str, Runs]:
    """(m, n) of each metric that alerts only after m of n runs: the last override's that has one, else all metrics'."""
    usual = config.analysis.m_of_n
    found = {} if usual is None else dict.fromkeys(metrics, usual)
    own = [(one.match, one.m_of_n) for one in config.overrides if one.m_of_n is not None]
    hits = Patterns(match for match, _ in own).hits(metrics) if own else ()
    return found | {metric: own[some[-1]][1] for metric, some in zip(metrics, hits, strict=False) if some}


def longest(config: Config) -> int:
    """How many runs any m of n of the configuration looks back on."""
    runs = [config.analysis.m_of_n, *(one.m_of_n for one in config.overrides), *(row.m_of_n for row in config.alerts)]
    return max((one[1] for one in runs if one is not None), default=1)


def second_order(config: Config) -> News | None:
    """The rule that says what is news; None where everything is."""
    if not config.analysis.second_order:
        return None
    return worth_another if config.analysis.profile == NATIVE else out_of_rhythm


def looked_at(
    before: Mapping[str, Lately],
    anomalies: Iterable[Anomaly],
    normal: Iterable[Anomaly],
    keep: int,
    *,
    triggers: bool = False,
) -> dict[str, Lately]:
    """The records after this run, of the metrics that it judged.

    `keep`: how many runs m of n looks back on. `triggers`: whether Skyline's second order is asked for.
    """
    after: dict[str, Lately] = {}
    for anomalous, some in ((True, anomalies), (False, normal)):
        for one in some:
            record = observe(before.get(one.metric), _seen(one, anomalous=anomalous), keep=keep, triggers=triggers)
            if record is not None:
                after[one.metric] = record
    return after


def _seen(one: Anomaly, *, anomalous: bool) -> Seen:
    size = Alert(one.metric, one.value, one.timestamp, one.expected).size
    return Seen(one.timestamp, one.value, anomalous, one.votes, size, one.algorithms)
