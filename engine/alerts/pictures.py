"""Stage: the top alerts that people are about to see get pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ridgeline.engine.alerts.group import Parcel

if TYPE_CHECKING:
    from ridgeline.engine.alerts.round import Round


def illustrate(round_: Round) -> None:
    """Pictures for at most `[delivery] pictures` metrics, the top ones of all messages of channels that show any."""
    most = round_.plan.delivery.pictures
    if round_.draw is None or most == 0:
        return
    shown = [alert for parcel in round_.parcels if _shows(round_, parcel) for alert in parcel.message.shown]
    top = {alert.metric: alert for alert in sorted(shown, key=lambda alert: alert.rank) if not alert.message}
    pictures = round_.draw(list(top.values()), most) if top else {}
    if pictures:
        round_.parcels = [
            _illustrated(parcel, pictures) if _shows(round_, parcel) else parcel for parcel in round_.parcels
        ]


def _shows(round_: Round, parcel: Parcel) -> bool:
    return round_.plan.strategies[parcel.strategy].pictures and not parcel.message.resolved


def _illustrated(parcel: Parcel, pictures: Mapping[str, bytes]) -> Parcel:
    """The parcel with the pictures that there are; its items stay as they were, since pictures are not kept."""
    alerts = tuple(replace(alert, picture=pictures.get(alert.metric)) for alert in parcel.message.alerts)
    return replace(parcel, message=replace(parcel.message, alerts=alerts))
