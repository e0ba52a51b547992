"""The counter test, as Skyline's reads and as the native rule does: one step after the other, in plain Python."""

import itertools
import math


def share(height):
    """Percent of a height that counts as next to nothing."""
    return 3 if height > 10000 else 2 if height > 1000 else 1


def is_counter(values, rule):
    """Whether values, oldest first, are a counter's. rule: "native" or "earthgecko"."""
    values = [float(value) for value in values]
    if len(values) < 90 or any(value < 0 for value in values):
        return False
    pairs = list(itertools.pairwise(values))
    rises = sum(after > before for before, after in pairs)
    drops = [(before, after) for before, after in pairs if after < before]
    if len(drops) >= rises or len(drops) / rises * 100 > 25 or len(drops) + 1 > 280:
        return False
    if rises < 10 and (rule == "native" or len(set(values)) == 1 or sum(values[1:]) == 0):
        return False
    if not drops:
        return True
    span = max(values) - min(values)
    heights = [span if rule == "earthgecko" else before - after for before, after in drops]
    return any(after * 100 <= height * share(height) for height, (_, after) in zip(heights, drops, strict=True))


def derivative(points, last_wins):
    """(timestamp, rise) of each point that is not lower than the one before it; of equal timestamps the last, if so asked."""
    if last_wins:
        points = list(dict(points).items())
    rises = [(t, x - before) for (_, before), (t, x) in itertools.pairwise(points)]
    return [(t, rise) for t, rise in rises if 0 <= rise < math.inf]
