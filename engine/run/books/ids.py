"""Panorama's ids of anomalies, for receivers of Skyline's own payload: asked for once, and not waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ridgeline.engine.run.turn import Turn
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.interface import StateError

ID: Final = "panorama.anomaly_id"


def anomaly_ids(turn: Turn, anomalies: Sequence[Anomaly]) -> Mapping[tuple[str, int], str]:
    """By (metric, timestamp), as far as Panorama has given any; none where no receiver asks, or they cannot be read."""
    settings = (settings for _, _, settings in turn.request.config.alerters.settings)
    if turn.ledger is None or all(getattr(one, "payload", None) != "skyline" for one in settings):
        return {}
    from ridgeline.io.redis.ledger import Strings  # other sources do without the client library

    names = [(one.metric, one.timestamp) for one in anomalies]
    try:
        (found,) = turn.ledger.ask(Strings([f"{ID}.{timestamp}.{metric}" for metric, timestamp in names]))
    except StateError as error:
        turn.unkept.append(error)
        return {}
    return {name: identity for name, identity in zip(names, found, strict=True) if identity is not None}
