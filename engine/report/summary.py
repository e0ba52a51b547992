"""What a run or a scoring found: built up from verdict batches, and told as text or as one JSON object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.score.sparse import Sparse

if TYPE_CHECKING:
    import pyarrow as pa

    from ridgeline.engine.report.difference import Difference
    from ridgeline.engine.score.anomaly import Anomaly
    from ridgeline.engine.score.failures import Complaint

# Seconds of the wall clock, which add up to the total; and those of threads at work, which overlap with one another.
SHARES: Final = ("list", "compile", "scan", "alert", "bookkeeping", "write")
WORK: Final = ("load", "decode", "score")
SHOWN: Final = 10
# Verdict batches are small; so many rows are counted at once.
_ENOUGH: Final = 16_384


@dataclass(slots=True, repr=False)
class Report:
    """Counts and anomalies of one run. `add` verdict batches in order; `exit` and `problems` are for the caller to set.

    algorithms         those in force, in the order of verdict columns
    as_of              epoch seconds, or "last"
    repairs            points by reason
    prepared           metrics by what was done to their series, and `raw_counter` (`engine.score.tally`)
    sparse             metrics that no window is long enough for (`engine.score.sparse`)
    spent              by user's algorithm, (seconds, metrics judged) of each block: they run by themselves
    traceback          of the bug that ended the run, if one did
    failures           per algorithm that failed somewhere, an account of one of its failures
    alerts             by what became of them; None where none can be sent (`score`)
    seconds            by `SHARES` and `WORK`; "total"
    reads              of the source: full_reads, delta_reads (metrics), bytes; None where it was not read by a run
    read_for           with a memory: metrics that were `settled`, and those read in full by why; None without one
    learning           metrics that a rule judges by walks of which some have not learned enough yet; None: no rule does
    walks              what walking met (`engine.walks.kept`, `engine.memory.recalled`); None where none is kept
    airgaps            open and closed ones, and unordered series; None: not looked for
    shed               metrics that were, and how many of them have an alert rule (None: unknown); None outside of runs
    judged             whether metrics were judged at all
    archive            points archived, late ones among them, and metrics that wait for it; None where nothing is archived
    shadow             how it differs from what Skyline found; None outside of shadow runs
    handoffs           what siblings were told and what came from them, by word; None where none is configured
    unmatched          patterns of the configuration that matched no listed metric; None: not looked at
    """

    algorithms: Sequence[str]
    as_of: int | str | None = None
    repairs: Counter[str] = field(default_factory=Counter)
    prepared: Counter[str] = field(default_factory=Counter)
    sparse: Sparse = field(default_factory=Sparse)
    failures: dict[str, Complaint] = field(default_factory=dict)
    alerts: Mapping[str, int] | None = None
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("compile", *WORK, "total"), 0.0))
    reads: Mapping[str, int] | None = None
    read_for: Mapping[str, int] | None = None
    learning: int | None = None
    walks: Mapping[str, int] | None = None
    handoffs: Mapping[str, int] | None = None
    archive: Mapping[str, int] | None = None
    shadow: Difference | None = None
    unmatched: Sequence[str] | None = None
    airgaps: Mapping[str, int] | None = None
    shed: Mapping[str, int | None] | None = None
    judged: bool = True
    problems: list[str] = field(default_factory=list)
    spent: Mapping[str, Sequence[tuple[float, int]]] = field(default_factory=dict)
    traceback: str = ""
    exit: int = 0
    _outcomes: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _failed: Counter[str] = field(default_factory=Counter)
    _given: Counter[str] = field(default_factory=Counter)
    _anomalies: list[Anomaly] = field(default_factory=list)
    _details: dict[str, dict[str, Any]] = field(default_factory=dict)
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

    def add_settled(self, outcomes: Mapping[str, int], reasons: Mapping[str, int]) -> None:
        """Take in metrics that have no verdict row, by outcome and by reason."""
        self._outcomes.update(outcomes)
        self._reasons.update(reasons)

    def add_votes(self, given: Mapping[str, int], anomalous: pa.RecordBatch | None) -> None:
        """Take in how many votes each algorithm gave where none failed, and the verdict rows, if some are anomalous."""
        self._given.update(given)
        if anomalous is not None:
            from ridgeline.engine.score.anomaly import anomalies_of

            self._count()  # anomalies are in the order of the source
            self._anomalies.extend(anomalies_of(anomalous))

    def describe(self, metric: str, **details: Any) -> None:
        """Say more of an anomaly than its verdict does: fields of `Anomaly`."""
        self._details.setdefault(metric, {}).update(details)

    def described(self, metric: str) -> Mapping[str, Any]:
        """What `describe` was told of it, until the anomalies are asked for."""
        return self._details.get(metric, {})

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
    def algorithm_errors(self) -> Counter[str]:
        """Per algorithm, of how many metrics it could not judge: they lack its vote, not the others'."""
        self._count()
        return self._failed

    @property
    def times_run(self) -> dict[str, int]:
        """Per algorithm, on how many metrics it ran: where consensus was impossible before its turn, it did not."""
        self._count()
        return {name: self._given[name] + self._failed[name] for name in self.algorithms}

    @property
    def anomalies(self) -> list[Anomaly]:
        """All anomalies, in the order of the source."""
        self._count()
        if self._details:
            details = self._details
            self._anomalies = [
                replace(found, **details[found.metric]) if found.metric in details else found
                for found in self._anomalies
            ]
            self._details = {}
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
        """Return the object that `--json` prints."""
        from ridgeline.engine.report.object import as_object

        return as_object(self)

    def __repr__(self) -> str:
        return self.as_text()

    def as_text(self, limit: int = SHOWN) -> str:
        """Return the summary for people: outcomes, at most `limit` anomalies, alerts, speed."""
        from ridgeline.engine.report.text import as_text

        return as_text(self, limit)

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
        for name in self.algorithms if self.judged else ():
            self._given[name] += len(table) - table.column(name).null_count
        if any(len(names.values) for names in table.column("failed").chunks):
            self._count_failures(table)
        if True in table.column("anomalous").to_pylist():
            self._anomalies.extend(anomalies_of(table))

    def _count_failures(self, table: pa.Table) -> None:
        """Count the votes that are missing because an algorithm failed, and keep the first metric of each."""
        from ridgeline.engine.score.failures import Complaint
        from ridgeline.io.text import escape

        rows = zip(table.column("metric").to_pylist(), table.column("failed").to_pylist(), strict=True)
        for metric, names in rows:
            self._failed.update(names)
            for name in names:
                if name not in self.failures:
                    self.failures[name] = Complaint(f"algorithm {name!r} gave no score on {escape(metric)}")
