"""How delivery went: numbers, and reasons in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ridgeline.engine.alerts.item import Item
    from ridgeline.engine.alerts.lately import Lately

COUNTED: Final = ("sent", "messages", "suppressed", "muted", "unmatched", "queued", "failed", "dropped")


@dataclass(slots=True)
class Summary:
    """All numbers count alerts (one metric for one strategy) but `messages` (what left) and `unmatched` (anomalies).

    sent        arrived, those that had waited included
    suppressed  told within the expiration, or not yet anomalous in m of n runs
    muted       by an operator, or out of the hours of their rule
    unmatched   no rule is for them
    queued      in the outbox for a later run
    failed      refused for good by the receiver
    dropped     given up after too many attempts, or too long
    waiting     alerts in the outbox by strategy, those that are held back included; None where that is not known
    arrived     those that were sent, to all or some of their recipients
    noted       records of lately anomalous metrics as they were kept with what was sent
    """

    sent: int = 0
    messages: int = 0
    suppressed: int = 0
    muted: int = 0
    unmatched: int = 0
    queued: int = 0
    failed: int = 0
    dropped: int = 0
    state_problem: str = ""
    waiting: Counter[str] | None = None
    arrived: list[Item] = field(default_factory=list)
    noted: dict[str, Lately] = field(default_factory=dict)
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def note(self, item: Item, what: str, reason: str) -> None:
        """Count an item as queued, failed or dropped, and why."""
        setattr(self, what, getattr(self, what) + 1)
        self.reasons[item.alert.strategy, what, reason] += 1

    def counts(self) -> dict[str, int]:
        """What `--json` prints under `alerts`."""
        return {name: getattr(self, name) for name in COUNTED}

    @property
    def complete(self) -> bool:
        """Whether everything was delivered and recorded; if not, the run is partial (exit code 70)."""
        return not (self.queued or self.failed or self.dropped or self.state_problem)

    def problems(self) -> list[str]:
        """What went wrong, one sentence each."""
        shown = [
            f"{strategy}: {_alerts(count)} {_FATE[what]}: {reason}"
            for (strategy, what, reason), count in self.reasons.most_common()
        ]
        return [*shown, *([self.state_problem] if self.state_problem else [])]


_FATE: Final = {
    "queued": "not sent yet and kept for later runs",
    "failed": "not sent",
    "dropped": "given up",
    "refused": "not sent to all",
    "unrenewed": "not repeated while ongoing",
}


def _alerts(count: int) -> str:
    return "1 alert" if count == 1 else f"{count:,} alerts"
