"""What one run hands to siblings and takes from them, gathered until it is settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ridgeline.engine.run.handoffs.arrived import BatchAlerts, Unanswered
from ridgeline.io.shard import node

if TYPE_CHECKING:
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.run.handoffs.arrived import Last
    from ridgeline.engine.run.handoffs.findings import Finding, Findings, Identity
    from ridgeline.engine.run.handoffs.routing import Routing
    from ridgeline.engine.score.anomaly import Anomaly
    from ridgeline.engine.score.scorer import Scorer


@dataclass(slots=True)
class HandOffs:
    """`None` of the parts is there for a sibling that the configuration does not name.

    findings    the sink that keeps anomalous rows
    routing     the sink that knows `batch`'s metrics
    unanswered  what Mirage did not answer in time
    batch       what `batch` wants alerted on
    mirage      the metrics that are Mirage's
    withheld    anomalies that nobody is alerted on now
    settled     fields of `batch`'s that this run settles once its alerts are safe; None: where none are sent, all
    safe        whether no crash can lose this run's alerts any more
    counts      by what was handed over or came in
    configured  whether the configuration names a sibling at all
    told        the siblings that are to be told of anomalies one by one
    host        this machine, as siblings are told
    """

    findings: Findings | None = None
    routing: Routing | None = None
    unanswered: Unanswered = field(default_factory=Unanswered)
    batch: BatchAlerts = field(default_factory=BatchAlerts)
    mirage: set[str] = field(default_factory=set)
    withheld: set[Identity] = field(default_factory=set)
    settled: Sequence[str] | None = None
    safe: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    configured: bool = False
    told: tuple[str, ...] = ()
    host: str = field(default_factory=node)

    @classmethod
    def of(cls, config: Config, scorer: Scorer) -> Self:
        """What the configuration asks for."""
        handoff, later = config.handoff, config.second_stage is not None
        places = {
            "mirage": handoff.mirage_checks,
            "panorama": handoff.panorama_checks,
            "crucible": handoff.crucible_checks,
        }
        told = tuple(name for name, place in places.items() if place is not None)
        host = config.shards.name or node()
        if not told and not later and handoff.web_ui is None:
            return cls(configured=bool(config.batch.match), host=host)
        from ridgeline.engine.run.handoffs.findings import Findings, room_for

        findings = Findings(scorer, room_for(config.run.max_memory), judged="crucible" in told, cleaned=later)
        return cls(findings, configured=True, told=told, host=host)

    @property
    def sent(self) -> dict[str, int]:
        """How many checks were written, by those siblings that are configured."""
        return {name: self.counts[name] for name in self.told}

    @property
    def anomalous(self) -> list[Finding]:
        """The anomalous rows of this run."""
        return [] if self.findings is None else list(self.findings.by_metric.values())

    def to_alert(self, anomalies: Sequence[Anomaly], rows: Sequence[AlertRow], last: Last) -> list[Anomaly]:
        """The run's own anomalies but those withheld, and what came from siblings; of one metric its own, or the first.

        `last` tells what was alerted on before.
        """
        own = [found for found in anomalies if (found.metric, found.timestamp) not in self.withheld]
        late, self.settled = self.batch.due(rows, self.withheld, last)
        self.counts["batch_alerts"] += len(late)
        chosen = {found.metric: found for found in (*late, *self.unanswered.arrivals(), *own)}
        return list(chosen.values())
