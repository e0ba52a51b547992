"""The airgaps of one series, as plainly as they can be found: the oracle of `ridgeline.kernels.gaps`."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise


def usual_step(timestamps: list[int]) -> int:
    """The most frequent step above 0, of equals the smallest; 0 without one."""
    steps = Counter(b - a for a, b in pairwise(timestamps) if b > a)
    return max(steps, key=lambda step: (steps[step], -step), default=0)


def gaps(timestamps: list[int], as_of: int | None, period: int) -> tuple[int, list[tuple[int, int]], int]:
    """(usual step, closed gaps as (first second, last second), first second of the open one or 0) of ascending points."""
    if len(timestamps) < 30:
        return 0, [], 0
    now = timestamps[-1] if as_of is None else as_of
    seen = [t for t in timestamps if now - period <= t <= now]
    step = usual_step(seen)
    if step == 0:
        return 0, [], 0
    allowed = 2 * step + step // 2 if step < 600 else 2 * step + 60
    closed: list[tuple[int, int]] = []
    missing_since = None
    for before, here in pairwise(seen):
        if here - before > allowed and missing_since is None:
            missing_since = before + 1
        elif here - before < allowed and missing_since is not None:
            closed.append((missing_since, before - 1))
            missing_since = None
    if missing_since is None and now - seen[-1] > allowed:
        missing_since = seen[-1] + 1
    return step, closed, missing_since or 0
