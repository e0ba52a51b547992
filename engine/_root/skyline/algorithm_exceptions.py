"""Why a series was not analysed, by Skyline's names; `algorithms` and `algorithms_batch` raise them, and have them too.

All are `ridgeline.NoData`: one sentence that says what, and by which measure.
"""

from __future__ import annotations

from ridgeline.io.errors import NoData

__all__ = ["Boring", "EmptyTimeseries", "Stale", "TooShort"]


class EmptyTimeseries(NoData):
    """No point with a value, or none with a timestamp between 2000 and 2100."""


class TooShort(NoData):
    """Fewer points than `MIN_TOLERABLE_LENGTH`: 100."""


class Stale(NoData):
    """The newest point is older than the metric's stale period."""


class Boring(NoData):
    """The newest `MAX_TOLERABLE_BOREDOM` points, 100, all have one value."""
