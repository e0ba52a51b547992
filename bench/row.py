"""One measurement: what was done, how long it took, and which share of the machine's own limit that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ridgeline.bench.measure import Timing


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: `work` says exactly what was done, `timing` how long each repetition took.

    metrics, points, size   how many series, points of all of them, bytes read; 0 where that has no meaning
    limit                   name and seconds of the machine's own limit for the same bytes, measured in the same run
    against                 name and seconds of a yardstick for the same metrics, measured in the same run
    parameters              axes of the scenario: threads, points, chunk, ...
    notes                   sentences on what was counted beside it
    """

    scenario: str
    work: str
    timing: Timing
    metrics: int = 0
    points: int = 0
    size: int = 0
    limit: tuple[str, float] | None = None
    against: tuple[str, float] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def median(self) -> float:
        """Seconds, the middle of the repetitions."""
        return self.timing.median

    @property
    def metrics_per_second(self) -> float | None:
        """Metrics by median time."""
        return self.metrics / self.median if self.metrics else None

    @property
    def ns_per_point(self) -> float | None:
        """Nanoseconds per point."""
        return self.median / self.points * 1e9 if self.points else None

    @property
    def us_per_metric(self) -> float | None:
        """Microseconds per metric."""
        return self.median / self.metrics * 1e6 if self.metrics else None

    @property
    def bytes_per_second(self) -> float | None:
        """Bytes by median time."""
        return self.size / self.median if self.size else None

    @property
    def fraction_of_limit(self) -> float | None:
        """1 means: as fast as the machine can move the bytes."""
        return self.limit[1] / self.median if self.limit else None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the yardstick."""
        return self.against[1] / self.median if self.against else None

    @property
    def key(self) -> str:
        """What must be equal for two rows of different runs to be compared."""
        axes = ",".join(f"{name}={self.parameters[name]}" for name in sorted(self.parameters))
        return f"{self.scenario}/{self.work}[{axes}]"

    def as_json(self) -> dict[str, Any]:
        """The row and what is derived from it."""
        derived = ("metrics_per_second", "ns_per_point", "bytes_per_second", "fraction_of_limit", "ratio")
        plain = asdict(self)
        del plain["timing"]
        seconds = self.timing.seconds
        times: dict[str, Any] = {"median": self.median, "low": min(seconds), "high": max(seconds), "runs": len(seconds)}
        times |= {"seconds": list(seconds), "peak": self.timing.peak}
        return {**plain, **times, **{name: getattr(self, name) for name in derived}, "key": self.key}
