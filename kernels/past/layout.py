"""Rows of the past in a memory, and what the entry `past` and its callers agree on. Needs no numba.

past  int64[n, WORDS]: points that were walked and are later than MARK: how many, the sum of their mixed bits, a check that
      binds them to the watermark of the walks

MARK lies a quarter into what the source held when the metric was last read in full: it tells nothing of earlier points, and
goes on telling while the source forgets these.
"""

from __future__ import annotations

from typing import Final

MARK, COUNT, SUM, CHECK = range(4)
WORDS: Final = 4
EARLIER: Final = 4  # MARK: one part in so many of the points lies before it

# Columns of facts int64[n, FACTS]: points that came late, later than MARK and never walked; 1 where points that were walked
# are others now, or gone, and none came late.
LATE, REWRITTEN = range(2)
FACTS: Final = 2
