"""Stage: ongoing alerts are repeated where they end by themselves, which is not an alert: nothing is counted or kept of it."""

from __future__ import annotations

from dataclasses import replace

from ridgeline.engine.alerts.group import group
from ridgeline.engine.alerts.mute import heard
from ridgeline.engine.alerts.round import Round


def renew(round_: Round) -> None:
    """Make parcels of what was told already and lasts, unless nobody wants to hear it now."""
    if not round_.told:
        return
    round_.items, _ = heard(round_, round_.told)
    round_.told = []
    group(round_)
    round_.parcels = [replace(parcel, renewal=True) for parcel in round_.parcels]
