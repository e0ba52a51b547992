"""Reads `m_of_n = [m, n]`, wherever it stands."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.config.reader import Table

MOST_RUNS: Final = 1440  # that m of n looks back on: a day of them


def read_m_of_n(table: Table) -> tuple[int, int] | None:
    """Read `m_of_n`; None where it is absent or wrong."""
    value = table.whole_numbers("m_of_n")
    if value is None:
        return None
    if len(value) != 2 or not 1 <= value[0] <= value[1] <= MOST_RUNS:
        table.refuse("m_of_n", f"must be [m, n]: m of the last n runs, n at most {MOST_RUNS}")
        return None
    return value[0], value[1]
