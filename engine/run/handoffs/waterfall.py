"""What Mirage did not answer in time: alerted on in our own name, and told to Panorama."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ridgeline.alerters import utc
from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.mirage import UNANSWERED, first_line
from ridgeline.engine.run.handoffs.parked import PARKED, PATIENCE, Parked
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.errors import OutputError
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Ledger

TOLD_PANORAMA: Final = "mirage.sent_to_panorama"


@dataclass(slots=True)
class Unanswered:
    """Items that have waited for too long, the oldest anomaly first, and what stands beside them and is none."""

    items: list[Parked] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def arrivals(self) -> Iterator[Anomaly]:
        """One anomaly a metric, its first: of those after it, runs a minute apart would have told nothing either."""
        seen: set[str] = set()
        for item in self.items:
            if item.anomaly.metric not in seen:
                seen.add(item.anomaly.metric)
                note = f"waterfall alert: Mirage was asked at {utc(item.added)} and has not answered"
                yield replace(item.anomaly, note=note)


def find_unanswered(turn: Turn, ledger: Ledger) -> Unanswered:
    """Look for what has waited for longer than Mirage may take. What cannot be read stays parked for the next run."""
    from ridgeline.io.redis.ledger import Members

    found = Unanswered()
    try:
        (texts,) = ledger.ask(Members(PARKED))
    except StateError as error:
        turn.unkept.append(error)
        return found
    for text in texts:
        try:
            item = Parked.read(text)
        except ValueError:
            found.damaged.append(text)
            continue
        if turn.as_of - item.added >= PATIENCE:
            found.items.append(item)
    found.items.sort(key=lambda item: (item.anomaly.timestamp, item.anomaly.metric, item.text))
    if found.damaged:
        turn.warn(f"{PARKED} in Redis held {len(found.damaged):,} members that make no sense; they are removed")
    return found


def settle_unanswered(turn: Turn, *, safe: bool) -> None:
    """Let go of what is alerted on, withdraw its checks, and mark it for siblings. `safe`: no crash loses the alerts now."""
    unanswered, folder = turn.handoffs.unanswered, turn.request.config.handoff.mirage_checks
    turn.entries.remove(PARKED, unanswered.damaged)
    if not safe or folder is None:
        return
    checks = Checks(folder)
    for item in unanswered.items:
        stamp, metric = item.anomaly.timestamp, item.anomaly.metric
        turn.entries.set(f"{UNANSWERED}.{stamp}.{metric}", str(turn.as_of), PATIENCE)
        try:
            for stem in (f"{stamp}", f"{item.added}.{stamp}"):
                checks.withdraw(stem, metric, first_line(metric), str(stamp))
        except OutputError as error:
            turn.find(error.exit_code, str(error))
    turn.entries.add(TOLD_PANORAMA, {item.anomaly.metric for item in unanswered.items})
    turn.entries.remove(PARKED, [item.text for item in unanswered.items])
    turn.handoffs.counts["unanswered"] += len(unanswered.items)
