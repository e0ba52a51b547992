"""What there is to judge."""

from __future__ import annotations

from functools import partial
from typing import Final

from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.sources import open_source
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import SourceUnavailable

GRACE: Final = 0.5  # seconds for a source to say itself, and better, that its time was over


def list_metrics(turn: Turn) -> None:
    """Open and list the source. Raises SourceUnavailable, AuthenticationFailed or InputError."""
    request, budget = turn.request, turn.budget
    turn.selection = Selection.of(request.match, request.config.analysis.skip, turn.operators, request.only)
    # With `--as-of` no clock is compared with any other.
    wall = turn.wall if request.as_of is None else None
    opening = partial(open_source, request.config, turn.selection, budget.reading_left, wall, turn.share)
    try:
        turn.source = aside(opening, budget.reading_left() + GRACE, "list")
    except Overdue:
        raise SourceUnavailable(
            f"the source could not be opened and listed within {budget.spent():.0f} s, all that `[run] deadline` leaves "
            "for reading: it hangs, or crawls"
        ) from None
    turn.cleanup.callback(turn.source.close)
    listed = turn.source.list()
    if listed is not None:
        turn.scorer.foresee(listed)
