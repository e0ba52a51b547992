"""What the prepare entry and its callers agree on. Needs no numba to import."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels.density.layout import ROOM

# What is asked for a row, one bit each. WATCH: say whether it is a counter, and leave it as it is.
DETECT: Final = 1
DERIVE: Final = 2
ZERO_FILL: Final = 4
LAST_VALUE: Final = 8
WATCH: Final = 16

# What was found and done, one bit each: the window is a counter's; its series is another one now.
COUNTER: Final = 1
DERIVED: Final = 2
ZEROED: Final = 4
LASTED: Final = 8
CHANGED: Final = DERIVED | ZEROED | LASTED

FEWEST: Final = 4  # points of a series that are turned into rises
MINUTE: Final = 60  # the step of a series that shows none
MOST_STEPS: Final = 20_000  # steps that a window may have where its gaps are filled: one of 5 s has 17,280 in a day


def prepare_room(longest: int) -> int:
    """Length of the entry's scratch, float64, for rows of up to `longest` points."""
    return 2 * longest + ROOM
