"""Metrics whose batch fails: tried again, later each time, then left alone until somebody asks for them by name.

`batch` keeps them; each `run` tells people of those that are left alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ridgeline.io.state.batch import from_json
from ridgeline.io.text import escape

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Books

PARKED: Final = "ridgeline.batch_parked"
MOST: Final = 100_000  # metrics that are remembered to fail
ATTEMPTS: Final = 5  # after so many it is left alone
PAUSE: Final = 60  # seconds before the second attempt; twice as long before each further one


@dataclass(frozen=True, slots=True)
class Parked:
    """One metric that fails.

    metric     its base name
    after      epoch seconds: what is newer is still to be judged
    watermark  what is recorded as judged; None: nothing is
    attempts   how often it was tried
    reason     why it failed last
    due        epoch seconds: when it is tried again
    """

    metric: str
    after: int
    watermark: int | None
    attempts: int
    reason: str
    due: int

    def rests(self, now: float) -> bool:
        """Whether it is not to be tried now."""
        return self.given_up or self.due > now

    @property
    def given_up(self) -> bool:
        """Whether it is left alone."""
        return self.attempts >= ATTEMPTS

    def as_json(self) -> dict[str, Any]:
        """What people are told."""
        return {
            "metric": self.metric, "watermark": self.watermark, "attempts": self.attempts, "reason": self.reason,
        }  # fmt: skip

    def line(self) -> str:
        """The same in a line."""
        judged = "never judged" if self.watermark is None else f"judged until {self.watermark}"
        state = "left alone" if self.given_up else "to be tried again"
        return f"{escape(self.metric)}: {judged}, {self.attempts} attempts, {state}: {escape(self.reason)}"

    def text(self) -> str:
        """Itself, as it is kept."""
        kept = asdict(self)
        del kept["metric"]
        return json.dumps(kept, separators=(",", ":"))


def failed(metric: str, after: int, watermark: int | None, reason: str, now: float, before: Parked | None) -> Parked:
    """A metric that fails `now`, and may have failed `before`."""
    attempts = 1 if before is None else before.attempts + 1
    pause = PAUSE << min(attempts - 1, ATTEMPTS)
    return Parked(metric, after, watermark, attempts, reason, int(now) + pause)


def read_parked(ledger: Books) -> dict[str, Parked]:
    """Those that fail, by metric. Raises StateError."""
    from ridgeline.io.redis.ledger import Fields

    (fields,) = ledger.ask(Fields(PARKED, MOST))
    return parked_of(fields)


def parked_of(fields: Mapping[str, str]) -> dict[str, Parked]:
    """Those of the hash's fields that make sense, by metric."""
    return {metric: one for metric, text in fields.items() if (one := _parked(metric, from_json(text))) is not None}


def _parked(metric: str, told: Any) -> Parked | None:
    if not isinstance(told, Mapping):
        return None
    after, attempts, due, mark = (told.get(name) for name in ("after", "attempts", "due", "watermark"))
    if not (isinstance(after, int) and isinstance(attempts, int) and isinstance(due, int)):
        return None
    return Parked(metric, after, mark if isinstance(mark, int) else None, attempts, str(told.get("reason")), due)
