"""What a pass of `batch` did: as text, as one JSON object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ridgeline.engine.run.turn import GRAVEST_FIRST


@dataclass(slots=True)
class Summary:
    """Counts of one pass.

    metrics    that were taken up and done; `points` that were judged, of them `anomalies`
    late       points older than what was judged already
    parked     metrics that are left alone because their batch fails
    malformed  members of the queue that asked for nothing, taken out of it
    """

    metrics: int = 0
    points: int = 0
    anomalies: int = 0
    late: int = 0
    parked: int = 0
    malformed: int = 0
    seconds: float = 0.0
    exit: int = 0
    problems: list[str] = field(default_factory=list)

    def find(self, code: int, problem: str) -> None:
        """Note what went wrong; of several exit codes the gravest stays."""
        codes = {code, self.exit}
        self.exit = next((one for one in GRAVEST_FIRST if one in codes), max(codes))
        self.problems.append(problem)

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        names = ("metrics", "points", "anomalies", "late", "parked")
        return {
            **{name: getattr(self, name) for name in names}, "seconds": round(self.seconds, 3), "exit": self.exit,
        }  # fmt: skip

    def as_text(self) -> str:
        """The same for people."""
        told = [f"{self.metrics:,} metrics", f"{self.points:,} points", f"{self.anomalies:,} anomalies"]
        told += [f"{self.late:,} late points"] if self.late else []
        told += [f"{self.parked:,} parked"] if self.parked else []
        return f"{', '.join(told)} in {self.seconds:.1f} s"
