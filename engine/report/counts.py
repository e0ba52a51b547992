"""Counters as reports show them."""

from __future__ import annotations

from collections.abc import Mapping


def ranked(counter: Mapping[str, int]) -> dict[str, int]:
    """The counts above 0, largest first, equal ones by name."""
    pairs = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return {name: int(count) for name, count in pairs if count}
