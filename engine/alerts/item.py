"""What travels through the stages of delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ridgeline.alerters import Alert


@dataclass(frozen=True, slots=True)
class Item:
    """One alert for one strategy, and what has become of it. Stages pass on untouched what is no longer waiting."""

    alert: Alert
    status: Literal["waiting", "suppressed", "sent", "failed"] = "waiting"
    reason: str = ""

    def suppressed(self) -> Item:
        """Alerted already and not expired yet."""
        return replace(self, status="suppressed")

    def sent(self) -> Item:
        """The receiver has it."""
        return replace(self, status="sent")

    def failed(self, reason: str) -> Item:
        """Not delivered by this run; the next one tries again."""
        return replace(self, status="failed", reason=reason)
