"""What a run or a scoring found: built up from verdict batches, shown as text or as one JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ridgeline.io.text import escape

if TYPE_CHECKING:
    import pyarrow as pa

    from ridgeline.engine.score.anomaly import Anomaly

STAGES: Final = ("load", "decode", "score", "alert", "total")
SHOWN: Final = 10
# Verdict batches are small; so many rows are counted at once.
_ENOUGH: Final = 16_384


@dataclass(slots=True, repr=False)
class Report:
    """Counts and anomalies of one run. `add` verdict batches in order; `exit` and `problems` are for the caller to set.

    `algorithms` are those in force, in the order of verdict columns. `as_of` is epoch seconds, or "last". `alerts`
    stays None where none can be sent (`score`). `seconds` by stage; load, decode and score overlap.
    """

    algorithms: Sequence[str]
    as_of: int | str | None = None
    repairs: Counter[str] = field(default_factory=Counter)
    alerts: Mapping[str, int] | None = None
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))
    problems: list[str] = field(default_factory=list)
    exit: int = 0
    _outcomes: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _anomalies: list[Anomaly] = field(default_factory=list)
    _waiting: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, verdicts: pa.RecordBatch, repairs: Mapping[str, int] | None = None) -> None:
        """Take in verdict rows, and the points dropped or repaired on the way to them."""
        self.repairs.update(repairs or {})
        self._waiting.append(verdicts)
        if sum(batch.num_rows for batch in self._waiting) >= _ENOUGH:
            self._count()

    def add_unscored(self, count: int, outcome: str, reason: str) -> None:
        """Take in metrics without a verdict row: not reached (`shed`), or failed by a bug (`error`)."""
        if count:
            self._outcomes[outcome] += count
            self._reasons[reason] += count

    @property
    def outcomes(self) -> Counter[str]:
        """Metrics by outcome."""
        self._count()
        return self._outcomes

    @property
    def reasons(self) -> Counter[str]:
        """Metrics by reason, those that have one."""
        self._count()
        return self._reasons

    @property
    def anomalies(self) -> list[Anomaly]:
        """All anomalies, in the order of the source."""
        self._count()
        return self._anomalies

    @property
    def metrics(self) -> int:
        """Every metric listed, missing and unreached ones included."""
        return self.outcomes.total()

    @property
    def breakdown(self) -> dict[str, int]:
        """Per algorithm, in how many anomalies it voted True."""
        votes = Counter(name for anomaly in self.anomalies for name in anomaly.algorithms)
        return {name: votes[name] for name in self.algorithms}

    @property
    def metrics_per_second(self) -> float:
        """Metrics by the wall clock of the whole run."""
        return self.metrics / self.seconds["total"] if self.seconds["total"] > 0 else 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints; without `alerts` where there can be none."""
        from ridgeline.engine.report.files import listing

        shown = {
            "as_of": self.as_of,
            "metrics": self.metrics,
            "outcomes": _counts(self.outcomes),
            "reasons": _counts(self.reasons),
            "repairs": _counts(self.repairs),
            "anomalies": listing(self.anomalies),
            "breakdown": self.breakdown,
            "alerts": self.alerts,
            "seconds": {stage: round(self.seconds[stage], 6) for stage in STAGES},
            "metrics_per_second": round(self.metrics_per_second, 3),
            "exit": self.exit,
        }
        if self.alerts is None:
            del shown["alerts"]
        return shown

    def __repr__(self) -> str:
        return self.as_text()

    def as_text(self, limit: int = SHOWN) -> str:
        """Return the summary for people: outcomes, top anomalies, alerts, speed."""
        top = sorted(self.anomalies, key=lambda a: (-a.votes, a.metric))
        lines = [f"{_number(self.metrics, 'metric')}{_instant(self.as_of)}{_listed(': ', self.outcomes)}"]
        if self.reasons:
            lines.append(f"reasons{_listed(': ', self.reasons)}")
        if self.repairs:
            lines.append(f"points repaired or dropped{_listed(': ', self.repairs)}")
        found = f"{len(top):,} anomalies" if len(top) != 1 else "1 anomaly"
        lines.append(f"{found}{':' if top else ''}")
        for anomaly in top[:limit]:
            votes = f"{anomaly.votes} votes: {', '.join(anomaly.algorithms)}"
            lines.append(f"  {escape(anomaly.metric)} = {anomaly.value:.6g}  {votes}")
        if len(top) > limit:
            lines.append(f"  ... and {len(top) - limit:,} more")
        if self.alerts is not None:
            lines.append(f"alerts: {', '.join(f'{count:,} {what}' for what, count in self.alerts.items())}")
        stages = STAGES if self.alerts is not None else [stage for stage in STAGES if stage != "alert"]
        parts = ", ".join(f"{stage} {self.seconds[stage]:.2f}" for stage in stages if stage != "total")
        lines.append(f"{self.seconds['total']:.2f} s, {self.metrics_per_second:,.0f} metrics/s ({parts} s)")
        return "\n".join(lines)

    def _count(self) -> None:
        """Fold the waiting batches into the counts."""
        if not self._waiting:
            return
        import pyarrow as pa

        from ridgeline.engine.score.anomaly import anomalies_of

        table = pa.Table.from_batches(self._waiting)
        self._waiting = []
        # Lists, because every kernel of Arrow's imports pyarrow.compute: more than a small run costs in all.
        self._outcomes.update(table.column("outcome").to_pylist())
        self._reasons.update(reason for reason in table.column("reason").to_pylist() if reason is not None)
        if True in table.column("anomalous").to_pylist():
            self._anomalies.extend(anomalies_of(table))


def _counts(counter: Counter[str]) -> dict[str, int]:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return {name: int(count) for name, count in ranked if count}


def _listed(before: str, counter: Counter[str]) -> str:
    shown = ", ".join(f"{count:,} {escape(name)}" for name, count in _counts(counter).items())
    return f"{before}{shown}" if shown else ""


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _instant(as_of: int | str | None) -> str:
    if as_of is None:
        return ""
    if as_of == "last":
        return " as of their own newest points"
    try:
        return f" as of {datetime.fromtimestamp(int(as_of), UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f" as of {as_of}"
