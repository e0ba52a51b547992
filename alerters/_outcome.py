"""How one attempt to send ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ridgeline.io.text import redact


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt to send a message ended.

    `sent`: the receiver has it. `retry`: it may succeed later, not before `retry_after` seconds if that is given.
    `unknown`: as retry, but it may have arrived, so the receiver may see it twice. `rejected`: trying the same again is
    useless. `reason` is one sentence without any secret.

    A mail to three people may reach one: `delivered` have it, `deferred` are tried again alone, `refused` never.
    A channel that sends the members of a message one by one says how many of the first `arrived` before it failed.
    """

    kind: Literal["sent", "retry", "unknown", "rejected"]
    reason: str = ""
    retry_after: float | None = None
    delivered: tuple[str, ...] = ()
    deferred: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    arrived: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", redact(self.reason))

    @property
    def again(self) -> bool:
        """Whether another attempt makes sense."""
        return self.kind in {"retry", "unknown"}


SENT = Outcome("sent")
