"""Delivery, read aloud: match rows, drop the suppressed, send with retries, record what was sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.ledger import Ledger
from ridgeline.engine.alerts.match import match_rows
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.send import Sender
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Threads, Workers
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.interface import State


@dataclass(slots=True)
class Summary:
    """How delivery went: numbers of alerts, failed reads and writes of state, and reasons with their numbers."""

    sent: int = 0
    suppressed: int = 0
    failed: int = 0
    state_failures: int = 0
    state_reason: str = ""
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, item: Item) -> None:
        """Count one item."""
        self.sent += item.status == "sent"
        self.suppressed += item.status == "suppressed"
        self.failed += item.status == "failed"
        if item.status == "failed":
            self.reasons[item.alert.strategy, item.reason] += 1

    def counts(self) -> dict[str, int]:
        """What `--json` prints under `alerts`."""
        return {"sent": self.sent, "suppressed": self.suppressed, "failed": self.failed}

    @property
    def complete(self) -> bool:
        """Whether everything was delivered and recorded; if not, the run is partial (exit code 70)."""
        return not self.failed and not self.state_failures

    def problems(self) -> list[str]:
        """What went wrong, one sentence each."""
        lines = [f"{strategy}: {_alerts(n)} not sent: {reason}" for (strategy, reason), n in self.reasons.most_common()]
        if self.state_failures:
            lines.append(f"{self.state_reason}; {self.state_failures} times in all, so alerts may repeat")
        return lines


def deliver(
    anomalies: Iterable[Anomaly],
    rows: Sequence[AlertRow],
    alerters: Mapping[str, Strategy],
    state: State,
    *,
    deadline: float,
    full_duration: int = 86400,
    clock: Callable[[], float] = time.monotonic,
    workers: Workers | None = None,
) -> Summary:
    """Alert on the anomalies, at least once each, before `deadline` (seconds of `clock`, monotonic)."""
    return deliver_items(
        match_rows(anomalies, rows, full_duration), alerters, state, deadline=deadline, clock=clock, workers=workers
    )


def deliver_items(
    items: Iterable[Item],
    alerters: Mapping[str, Strategy],
    state: State,
    *,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    workers: Workers | None = None,
) -> Summary:
    """Everything after matching. A run told to stop (SystemExit) still records what was in flight and has arrived."""
    ledger, summary = Ledger(state), Summary()
    sender = Sender(alerters, workers or Threads(), deadline, clock)
    stages: list[Callable[[Iterable[Item]], Iterable[Item]]] = [
        ledger.drop_suppressed,
        sender.send,
        ledger.record_sent,
    ]
    for stage in stages:
        items = stage(items)
    try:
        for item in items:
            summary.add(item)
    except SystemExit:
        for item in ledger.record_sent(sender.land()):
            summary.add(item)
        raise
    summary.state_failures, summary.state_reason = ledger.failures, ledger.reason
    return summary


def _alerts(count: int) -> str:
    return "1 alert" if count == 1 else f"{count} alerts"
