"""What `[[alert]]` says: which metrics go to which strategies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ridgeline.engine.alerts.schedule import Schedule

EXPIRATION: Final = 3600


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One `[[alert]]`: which metrics go to which strategies, and for how long each of them then stays quiet.

    recipients          instead of those of the channel's own settings
    schedule            None: at any hour
    m_of_n              (m, n): only what was anomalous in m of its last n analysed runs; instead of the metric's own
    group               False: a message for every metric, however many there are
    severity            for channels that know severities
    second_order_hours  the metric is Mirage's; without effect unless checks are handed to Mirage
    external_id         that of the external alert configuration it was made from; None for those of our own
    """

    match: str
    strategies: tuple[str, ...]
    expiration: int = EXPIRATION
    recipients: tuple[str, ...] = ()
    schedule: Schedule | None = None
    m_of_n: tuple[int, int] | None = None
    group: bool = True
    severity: str = ""
    second_order_hours: int = 0
    external_id: str | None = field(default=None, metadata={"key": False})
