"""What the sweep entry and its callers agree on. Needs no numba to import."""

from __future__ import annotations

from typing import Final

# Rows of facts int32[FACTS, N], of each step: the lot it belongs to, its span (of those that windows cut a metric into),
# the window that NAB finds by it or a code, and which of its metric's judged steps it is: for the nine, for walks, and for
# what the backtest itself judged by.
LOT, SPAN, NAB_WINDOW, NINE, WALKS, JUDGED = range(6)
FACTS: Final = 6

# Codes in the row NAB_WINDOW: outside every window, and ignored.
OUTSIDE: Final = -1
PROBATION: Final = -2

# Columns of tallies: alerts that leave, alarms (runs of steps that alert), those that touch a window, windows touched, and
# NAB's points above those of a detector that is silent.
PAGES, ALARMS, TRUE, FOUND, NAB = range(5)
TALLIES: Final = 5

# Rows of lanes int64[LANES, X], one lane to an expiration: when its quiet ends, the last step that alerted, whether that
# one's alarm is true.
QUIET, LAST, HIT = range(3)
LANES: Final = 3
