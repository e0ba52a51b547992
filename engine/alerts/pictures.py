"""Stage: the top alerts that people are about to see get pictures, drawn while others are told.

Only a message that shows pictures waits for them, on the thread that sends it; no other strategy does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from ridgeline.alerters import Alert, Alerter, Message, Outcome
from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.strategy import Strategy

if TYPE_CHECKING:
    from ridgeline.engine.alerts.round import Round

Draw = Callable[[Sequence[Alert], int], Mapping[str, bytes]]  # alerts, top first, and for how many of them at most
SLACK: Final = 1.5  # seconds for a drawing that is broken off to hand over what there is


def _long() -> float:
    return 5.0


@dataclass(slots=True)
class Album:
    """The pictures of one delivery: PNG by metric. `draw` raises nothing and takes about `seconds()`, asked as it begins."""

    draw: Draw
    seconds: Callable[[], float] = _long
    clock: Callable[[], float] = time.monotonic
    _until: float | None = None
    _drawn: Mapping[str, bytes] = field(default_factory=dict)
    _ended: Event = field(default_factory=Event)

    def begin(self, alerts: Sequence[Alert], most: int) -> None:
        """Draw on a thread, once: what is sent later in the run has the pictures that there are."""
        if self._until is None:
            self._until = self.clock() + self.seconds() + SLACK
            Thread(target=self._work, args=[alerts, most], name="pictures", daemon=True).start()

    @property
    def patience(self) -> float:
        """Seconds that pictures may still be waited for: 0 where none are on their way."""
        return 0.0 if self._until is None or self._ended.is_set() else max(self._until - self.clock(), 0.0)

    def wait(self, seconds: float) -> Mapping[str, bytes]:
        """What there is after at most so many seconds."""
        if self.patience:
            self._ended.wait(min(max(seconds, 0.0), self.patience))
        return self._drawn

    def _work(self, alerts: Sequence[Alert], most: int) -> None:
        try:
            self._drawn = self.draw(alerts, most)
        finally:
            self._ended.set()


@dataclass(frozen=True, slots=True)
class Illustrated:
    """An alerter whose messages wait for their pictures, in time that it has beside its own."""

    alerter: Alerter
    album: Album

    @property
    def concurrency(self) -> int:
        """That of the alerter."""
        return self.alerter.concurrency

    @property
    def timeout(self) -> float:
        """Seconds for pictures and one attempt."""
        return self.alerter.timeout + self.album.patience

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send with the pictures that are there while an attempt still has its whole time; a probe does not wait."""
        if not message.resolved:
            pictures = self.album.wait(deadline - self.album.clock() - self.alerter.timeout)
            message = _with(message, pictures) if pictures else message
        return self.alerter.send(message, deadline)


def illustrated(strategies: Mapping[str, Strategy], album: Album | None) -> dict[str, Strategy]:
    """The strategies as they send, those that show pictures with the album at hand."""
    return {
        name: replace(one, alerter=Illustrated(one.alerter, album)) if one.pictures and album is not None else one
        for name, one in strategies.items()
    }


def illustrate(round_: Round) -> None:
    """Begin to draw for at most `[delivery] pictures` metrics, the top ones of all messages of channels that show any."""
    most = round_.plan.delivery.pictures
    if round_.album is None or most == 0:
        return
    shown = [alert for parcel in round_.parcels if _shows(round_, parcel) for alert in parcel.message.shown]
    top = {alert.metric: alert for alert in sorted(shown, key=lambda alert: alert.rank) if not alert.message}
    if top:
        round_.album.begin(list(top.values()), most)


def _shows(round_: Round, parcel: Parcel) -> bool:
    return round_.plan.strategies[parcel.strategy].pictures and not parcel.message.resolved


def _with(message: Message, pictures: Mapping[str, bytes]) -> Message:
    return replace(
        message, alerts=tuple(replace(alert, picture=pictures.get(alert.metric)) for alert in message.alerts)
    )
