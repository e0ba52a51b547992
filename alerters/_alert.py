"""One anomaly on its way to one strategy."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

Direction = Literal["up", "down", ""]


def dedup_key(strategy: str, subject: str) -> str:
    """The same for every message of one strategy about one metric or rule, so that a receiver can fold repeats."""
    identity = f"{strategy}\0{subject}".encode("utf-8", "surrogatepass")
    return f"ridgeline-{hashlib.sha256(identity).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class Alert:
    """One anomalous metric, or with `message` one sentence about Ridgeline itself, for one strategy.

    `timestamp` and `first_seen` are epoch seconds; `expected` is (low, high) in the metric's unit, None where unknown;
    `algorithms` voted True of `algorithms_run`; `channels` and `rule_score` say which walk spoke, where walks judge.
    `anomaly_id` and `external_id` are Panorama's and the external alert's, for payloads that carry them; `score` is a
    sibling's own share of votes, where it told us only that. `note` is what else people should know, in words.
    `rule` is the `match` of the `[[alert]]` that chose it, `expiration` the seconds until the next alert of this
    metric, `full_duration` those of its window. `links` are (name, address), percent-encoded; `picture` is PNG bytes.
    """

    metric: str
    value: float
    timestamp: int
    expected: tuple[float, float] | None = None
    algorithms: tuple[str, ...] = ()
    algorithms_run: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    rule_score: float | None = None
    negatives: bool = False
    first_seen: int | None = None
    ongoing: bool = False
    rule: str = ""
    strategy: str = ""
    severity: str = ""
    expiration: int = 0
    full_duration: int = 86400
    recipients: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    picture: bytes | None = None
    anomaly_id: str | None = None
    external_id: str | None = None
    score: float | None = None
    note: str = ""
    message: str = ""
    context: str = "Analyzer"
    test: bool = False

    @property
    def votes(self) -> int:
        """How many algorithms voted True."""
        return len(self.algorithms)

    @property
    def direction(self) -> Direction:
        """On which side of the middle of the expected range the value lies; empty where no range is known."""
        middle = self._middle
        if not self.value < middle and not self.value > middle:  # equal, or not a number
            return ""
        return "up" if self.value > middle else "down"

    @property
    def size(self) -> float:
        """Distance from the middle of the expected range over half its width: > 1 outside it; 0 where none is known."""
        middle = self._middle
        if self.expected is None or math.isnan(middle) or math.isnan(self.value):
            return 0.0
        half, distance = self.expected[1] / 2 - self.expected[0] / 2, abs(self.value - middle)
        if half > 0 and math.isfinite(half):
            return distance / half
        return math.inf if distance else 0.0

    @property
    def rank(self) -> tuple[float, float, str]:
        """Sorts alerts top first: by votes, then by score (the rule's, else the size), then by name."""
        score = self.size if self.rule_score is None else self.rule_score
        return (-self.votes, -score if score == score else 0.0, self.metric)  # noqa: PLR0124 - not NaN

    @property
    def age(self) -> int:
        """Seconds since the anomaly was first seen; 0 where it is new."""
        return max(self.timestamp - self.first_seen, 0) if self.ongoing and self.first_seen is not None else 0

    @property
    def dedup_key(self) -> str:
        """The key of this strategy and metric."""
        return dedup_key(self.strategy, self.metric)

    @property
    def source(self) -> str:
        """The context as siblings spell it in payloads."""
        return self.context.lower()

    @property
    def anomaly_score(self) -> float:
        """Share of the algorithms run that voted True, or `score`; 1.0 where none is known, as Skyline reports it."""
        if self.score is not None:
            return self.score
        return self.votes / len(self.algorithms_run) if self.algorithms_run else 1.0

    @property
    def _middle(self) -> float:
        return math.nan if self.expected is None else self.expected[0] / 2 + self.expected[1] / 2
