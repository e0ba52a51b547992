"""What `min_window_points` means, the slow way: one instant at a time."""

import math
from itertools import pairwise


def step_of(stamps):
    """The median of the newest 31 steps, of two the shorter, to two significant digits; 0 without a step."""
    newest = sorted(set(stamps))[-32:]
    steps = sorted(after - before for before, after in pairwise(newest))
    if not steps:
        return 0
    middle = steps[(len(steps) - 1) // 2]
    unit = 10 ** (len(str(middle)) - 2) if middle > 99 else 1
    return math.floor(middle / unit + 0.5) * unit


def window_of(stamps, full_duration, points):
    """Seconds of the window that ends at the last of the stamps."""
    return max(full_duration, points * step_of(stamps))
