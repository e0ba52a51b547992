"""Until when an operator's word holds: what Skyline's operators and web UI write into pauses, mutes and skips."""

from __future__ import annotations

import math


def until(text: str | None) -> float:
    """Epoch seconds, 0 for no word at all; one that names no time holds for as long as it is there.

    >>> until("1700000000"), until("maintenance"), until(None)
    (1700000000.0, inf, 0.0)
    """
    if text is None:
        return 0.0
    try:
        found = float(text)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found
