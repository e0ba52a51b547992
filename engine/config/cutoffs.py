"""Reads `cutoffs`, which `[analysis]` and `[[override]]` both have."""

from __future__ import annotations

from collections.abc import Sequence

from ridgeline.engine.config.problems import suggestion
from ridgeline.engine.config.reader import Table


def read_cutoffs(table: Table, algorithms: Sequence[str], default: float | None) -> tuple[tuple[str, float], ...]:
    """Read what scores are divided by, as (algorithm, cutoff) pairs of the algorithms that are named there."""
    cutoffs = table.table("cutoffs")
    for name in cutoffs.values:
        if name not in algorithms:
            cutoffs.refuse(name, f"there is no such algorithm; {suggestion(name, algorithms)}")
            cutoffs.known.append(name)
    found = [(name, cutoffs.number(name, default, above=True)) for name in algorithms]
    return tuple((name, cutoff) for name, cutoff in found if cutoff is not None and name in cutoffs)
