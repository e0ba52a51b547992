"""Why a row has no points, and why points were dropped: the words that reports, verdicts and tests share."""

from __future__ import annotations

from typing import Final

USABLE: Final = 0
NO_KEY: Final = 1
WRONG_TYPE: Final = 2
NO_USABLE_POINTS: Final = 3
MALFORMED: Final = 4
TOO_LONG: Final = 5
AS_OF_CONFLICT: Final = 6
UNREADABLE: Final = 7

# Verdicts name a row's reason by its position here. A row with any reason but the first has no points.
ROW_REASONS: Final[tuple[str, ...]] = (
    "",  # usable (it may still have no points: an empty list)
    "no_key",  # missing: listed, but the source has no such key
    "wrong_type",  # missing: the key holds something else than a string
    "no_usable_points",  # rejected: there were points, and every one was dropped
    "malformed",  # rejected: not one whole point could be read; or lists of different lengths
    "too_long",  # rejected: the stored value is longer than the source allows
    "as_of_conflict",  # rejected: two different `as_of` values within one metric
    "unreadable",  # rejected: its name was read, but none of its points: the file is damaged there
)

MISSING: Final[frozenset[int]] = frozenset({NO_KEY, WRONG_TYPE})

# Repairs are counted in points. A point with several faults is counted once, under the first of them in this order.
POINT_REASONS: Final[dict[str, str]] = {
    "malformed": "not a pair of timestamp and value; or a row or line of a file that is none; dropped",
    "truncated": "the stored bytes end within the point; dropped",
    "beyond_max_points": "older than the newest points that the source may read of one metric; dropped",
    "null": "no metric name, no timestamp or no value; dropped",
    "non_numeric": "the value is not a number (true and false are none), or the timestamp neither a number nor a time; dropped",
    "non_finite": "the value is NaN or infinite; dropped",
    "bad_timestamp": "the timestamp lies outside 2000-01-01 .. 2100-01-01; dropped",
    "reordered": "earlier than the point before it; kept, its row was sorted by time",
    "after_as_of": "later than the instant that its series was judged as of, under a profile that leaves such points out",
    "duplicate_timestamp": "at the same second as the point before it; kept, the profile decides what becomes of it",
}
