"""What each algorithm and each rule is worth: today's setting with one of them taken away, or put in its place."""

from __future__ import annotations

from typing import Any

from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.tune.measures import Measures
from ridgeline.engine.tune.setting import OFF, Column, Grid, Own, Setting


def ablation(grid: Grid, whole: Measures, own: Own) -> list[dict[str, Any]]:
    """Rows: the consensus of all algorithms, without each of them, and each rule with walks at its own threshold of 1.

    m of n and expiration are today's everywhere. `whole` measures the grid's settings on everything.
    """
    today = own.setting
    rows = [("all algorithms", Column(0, CONSENSUS, own.consensus), today.threshold)]
    for family in grid.families:
        column = family.column
        if column.cutoff is not None and column.cutoff[1] == OFF:
            rows.append((f"without {column.cutoff[0]}", column, today.threshold))
        elif column.rule != CONSENSUS and column.view == 0:
            rows.append((f"rule {column.rule}", column, 1.0))
    found = []
    for name, column, threshold in rows:
        at = _place(grid, Setting(column, threshold, today.m_of_n, today.expiration))
        found.append({"what": name, **whole.of(at)})
    return found


def _place(grid: Grid, setting: Setting) -> int:
    here = grid.of_column(setting.column)
    return next(at for at in range(here.start, here.stop) if grid[at] == setting)
