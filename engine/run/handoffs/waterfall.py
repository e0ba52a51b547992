"""What Mirage did not answer in time: alerted on in our own name, and told to Panorama."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.handoffs.arrived import Unanswered
from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.mirage import UNANSWERED, first_line
from ridgeline.engine.run.handoffs.parked import MOST, PARKED, PATIENCE, Parked
from ridgeline.engine.run.handoffs.writing import Write
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Ledger

TOLD_PANORAMA: Final = "mirage.sent_to_panorama"


def find_unanswered(turn: Turn, ledger: Ledger) -> Unanswered:
    """Look for what of ours has waited for longer than Mirage may take. What cannot be read stays parked for the next run."""
    from ridgeline.io.redis.ledger import Members

    found = Unanswered()
    try:
        (texts,) = ledger.ask(Members(PARKED, MOST))
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
    ours = turn.share.among({item.anomaly.metric for item in found.items})
    found.items = [item for item in found.items if item.anomaly.metric in ours]
    if not turn.share.first:
        found.damaged.clear()
    found.items.sort(key=lambda item: (item.anomaly.timestamp, item.anomaly.metric, item.text))
    if found.damaged:
        turn.warn(f"{PARKED} in Redis held {len(found.damaged):,} members that make no sense; they are removed")
    return found


def settle_unanswered(turn: Turn, *, safe: bool) -> None:
    """Let go of what is alerted on, and mark it for siblings. `safe`: no crash loses the alerts now."""
    unanswered = turn.handoffs.unanswered
    turn.entries.remove(PARKED, unanswered.damaged)
    if not safe:
        return
    for item in unanswered.items:
        key = f"{UNANSWERED}.{item.anomaly.timestamp}.{item.anomaly.metric}"
        turn.entries.set(key, str(turn.as_of), PATIENCE)
    turn.entries.add(TOLD_PANORAMA, {item.anomaly.metric for item in unanswered.items})
    turn.entries.remove(PARKED, [item.text for item in unanswered.items])
    turn.handoffs.counts["unanswered"] += len(unanswered.items)


def withdrawals(turn: Turn, folder: Path) -> Iterator[Write]:
    """Take the checks back that Mirage did not answer, whether it was an anomaly of a run's own or one of `batch`'s."""
    checks = Checks(folder)
    for item in turn.handoffs.unanswered.items if turn.handoffs.safe else ():
        stamp, metric = item.anomaly.timestamp, item.anomaly.metric
        for stem in (f"{stamp}", f"{item.added}.{stamp}"):
            yield partial(checks.withdraw, stem, metric, first_line(metric), str(stamp))
