"""What became of each recipient of one message, and of the message as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ridgeline.alerters._outcome import Outcome


@dataclass(slots=True)
class Fates:
    """Gathers an outcome for each recipient."""

    delivered: list[str] = field(default_factory=list)
    deferred: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    worst: Outcome | None = None

    def add(self, recipient: str, outcome: Outcome) -> None:
        """Take in how it went with one recipient."""
        fate = self.delivered if outcome.kind == "sent" else self.deferred if outcome.again else self.refused
        fate.append(recipient)
        if outcome.kind != "sent" and (self.worst is None or (outcome.again and not self.worst.again)):
            self.worst = outcome

    def outcome(self) -> Outcome:
        """One outcome for all: to be tried again where somebody was deferred."""
        found = self.worst or Outcome("sent")
        if self.delivered and not self.deferred:
            found = replace(found, kind="sent")
        return replace(
            found, delivered=tuple(self.delivered), deferred=tuple(self.deferred), refused=tuple(self.refused)
        )
