"""What travels through the stages of delivery."""

from __future__ import annotations

from dataclasses import dataclass

from ridgeline.alerters import Alert, Status
from ridgeline.engine.alerts.rule import AlertRow

Pair = tuple[str, str]  # strategy, and the metric or what stands for it


@dataclass(frozen=True, slots=True)
class Item:
    """One alert for one strategy on its way.

    row       the rule that chose it; None for alerts about Ridgeline itself, and where the rule is no longer there
    subject   what it is suppressed and kept by, where that is not its metric
    since     epoch seconds when it was first due
    attempts  the runs that tried to send it
    due       epoch seconds before which it is not tried again
    reason    why the last attempt failed
    stored    whether it comes from the outbox
    storm     whether it stands for the end of a whole storm
    backdated whether its expiration goes by its own timestamp: the anomaly was found late
    partial   whether some of its recipients have it already; those of the alert are the others
    """

    alert: Alert
    row: AlertRow | None = None
    status: Status = "firing"
    subject: str = ""
    since: float = 0.0
    attempts: int = 0
    due: float = 0.0
    reason: str = ""
    stored: bool = False
    partial: bool = False
    storm: bool = False
    backdated: bool = False

    @property
    def pair(self) -> Pair:
        """The strategy, and the metric or what stands for it."""
        return self.alert.strategy, self.subject or self.alert.metric

    @property
    def external(self) -> bool:
        """Whether an external alert configuration chose it."""
        return self.row is not None and self.row.external_id is not None

    @property
    def ours(self) -> bool:
        """Whether it is about Ridgeline itself: never grouped, never told of again when it cannot be sent."""
        return bool(self.alert.message)
