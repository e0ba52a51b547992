"""One or more alerts on their way together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ridgeline.alerters._alert import Alert, dedup_key

TOP: Final = 10  # so many members of a storm are shown one by one

Status = Literal["firing", "resolved"]


@dataclass(frozen=True, slots=True)
class Message:
    """What one `send` is given: the alerts of one strategy and one rule, top first, at least one.

    `storm`: there are more than `[delivery] group_above`, so a channel shows the top ten (`shown`) and says how many
    `more` there are; all of them are in `alerts` for channels that attach or carry the whole list. `fleet` is the
    number of metrics that were judged, 0 where unknown. `recipients` are those to send to now, whatever the alerts say:
    after a partial success only those that were deferred.

    >>> Message("http", (Alert("cpu", 9.0, 1700000000, strategy="http"),)).single
    True
    """

    strategy: str
    alerts: tuple[Alert, ...]
    rule: str = ""
    status: Status = "firing"
    storm: bool = False
    fleet: int = 0
    recipients: tuple[str, ...] = ()

    @classmethod
    def of(cls, alert: Alert, status: Status = "firing") -> Message:
        """The message of one alert."""
        return cls(alert.strategy, (alert,), alert.rule, status, recipients=alert.recipients)

    @property
    def single(self) -> bool:
        """Whether this is about one metric, not a group."""
        return len(self.alerts) == 1 and not self.storm

    @property
    def first(self) -> Alert:
        """The top alert."""
        return self.alerts[0]

    @property
    def count(self) -> int:
        """How many metrics this is about."""
        return len(self.alerts)

    @property
    def shown(self) -> tuple[Alert, ...]:
        """The alerts to show one by one."""
        return self.alerts[:TOP] if self.storm else self.alerts

    @property
    def more(self) -> int:
        """How many there are beyond those shown: "and N more"."""
        return self.count - len(self.shown)

    @property
    def resolved(self) -> bool:
        """Whether it says that all is normal again."""
        return self.status == "resolved"

    @property
    def test(self) -> bool:
        """Whether somebody only tries the channel."""
        return self.first.test

    @property
    def severity(self) -> str:
        """That of the rule, empty where it names none."""
        return self.first.severity

    @property
    def dedup_key(self) -> str:
        """The same for each repeat: of (strategy, metric) for one metric, of (strategy, rule) for a group."""
        return dedup_key(self.strategy, self.first.metric if self.single else self.rule)
