"""One alert for all metrics that are newly stale, each told of once for as long as it stays quiet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ridgeline.alerters import Alert, duration
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.store import Store
from ridgeline.io.state.batch import Alerted, Batch
from ridgeline.io.text import escape, truncate

STALE: Final = "ridgeline.stale"
AFTER: Final = 300.0  # seconds, as Skyline's ALERT_ON_STALE_PERIOD
NAMED: Final = 100  # metrics that the digest names
LONGEST: Final = 200  # bytes of one name in it
TOLD: Final = "stale"  # Skyline's name for the strategy, under which it remembers each metric that was told of


@dataclass(frozen=True, slots=True)
class StaleDigest:
    """`[stale_digest]`: by which strategies, after how many seconds without a new point, and for which metrics never."""

    strategies: tuple[str, ...]
    after: float = AFTER
    exclude: tuple[str, ...] = ()


def stale_alert(names: Sequence[str], timestamp: int, after: float = AFTER) -> Alert:
    """The digest of these metrics, for no strategy yet: how many there are, and the first hundred by name.

    `timestamp` in epoch seconds; `after`: the seconds without a new point that make a metric stale.
    """
    named = ", ".join(truncate(escape(name), LONGEST) for name in names[:NAMED])
    more = f", and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    what = "1 metric is" if len(names) == 1 else f"{len(names):,} metrics are"
    sentence = f"{what} newly stale, without a new point for more than {duration(int(after))}: {named or 'none'}{more}"
    return Alert(STALE, float(len(names)), timestamp, message=sentence)


def untold(found: Mapping[str, int], store: Store) -> dict[str, int]:
    """Of the metrics, each with its newest timestamp, those of which neither we nor Skyline told since that."""
    names = list(found)
    unknown: list[int | None] = [None] * len(names)
    last = store.read(lambda state: state.last_alerts([(TOLD, name) for name in names]), unknown) if names else []
    return {name: found[name] for name, at in zip(names, last, strict=True) if at is None or at < found[name]}


def stale_items(found: Mapping[str, int], digest: StaleDigest, plan: Plan, as_of: int, now: float) -> list[Item]:
    """One item for each strategy of the digest, none where nothing was found; it joins with no other digest that waits."""
    if not found:
        return []
    alert = replace(stale_alert(sorted(found), as_of, digest.after), metric=plan.own(STALE))
    return [
        Item(
            replace(alert, strategy=name, recipients=plan.strategies[name].default_recipients),
            subject=f"{alert.metric}.{as_of}",
            since=now,
            due=now,
        )
        for name in digest.strategies
    ]


def remember_stale(found: Mapping[str, int], store: Store, period: int) -> None:
    """Keep for `period` seconds, after which they are stale, that these were told of: the digest is sent or waits."""
    batch = Batch()
    batch.alerted(Alerted(TOLD, name, timestamp, period) for name, timestamp in found.items())
    store.write(batch)
