"""One alert for all metrics that are newly stale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ridgeline.alerters import Alert, duration
from ridgeline.io.text import escape, truncate

STALE: Final = "ridgeline.stale"
AFTER: Final = 300.0  # seconds, as Skyline's ALERT_ON_STALE_PERIOD
NAMED: Final = 100  # metrics that the digest names
LONGEST: Final = 200  # bytes of one name in it


def stale_alert(names: Sequence[str], timestamp: int, after: float = AFTER) -> Alert:
    """The digest of these metrics, for no strategy yet: how many there are, and the first hundred by name.

    `timestamp` in epoch seconds; `after`: the seconds without a new point that make a metric stale.
    """
    named = ", ".join(truncate(escape(name), LONGEST) for name in names[:NAMED])
    more = f", and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    what = "1 metric is" if len(names) == 1 else f"{len(names):,} metrics are"
    sentence = f"{what} newly stale, without a new point for more than {duration(int(after))}: {named or 'none'}{more}"
    return Alert(STALE, float(len(names)), timestamp, message=sentence)
