"""A card as a picture."""

from __future__ import annotations

import numpy as np

from ridgeline.engine.explain.card import Card
from ridgeline.engine.report.envelope import envelope
from ridgeline.engine.report.picture import Picture
from ridgeline.io.ordered import median

COLUMNS = 800  # what a picture is wide


def picture(card: Card) -> Picture:
    """The series with its expected range, the newest point marked where it is anomalous, and who voted."""
    at = envelope(card.stamps, card.values, COLUMNS) if len(card.values) else np.empty(0, np.int64)
    stamps = card.stamps[at]
    return Picture(
        card.metric,
        stamps,
        card.values[at],
        (stamps == card.timestamp) & bool(card.anomalous),
        median=median(card.values) if len(card.values) else None,
        expected=card.expected,
        note=f"{card.outcome}: {card.votes} of {len(card.algorithms)} voted, {card.consensus} are needed"
        if card.votes is not None
        else card.outcome,
        voted=tuple(one.name for one in card.algorithms if one.vote),
        silent=tuple(one.name for one in card.algorithms if one.vote is False),
    )
