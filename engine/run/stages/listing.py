"""What there is to judge."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from ridgeline.engine.rules.selection import Selection
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.sources import open_source
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.source import Source

if TYPE_CHECKING:
    from ridgeline.io.redis.source import RedisSource

GRACE: Final = 0.5  # seconds for a source to say itself, and better, that its time was over


def list_metrics(turn: Turn) -> None:
    """Open and list the source. Raises SourceUnavailable, AuthenticationFailed or InputError."""
    request, budget = turn.request, turn.budget
    turn.selection = Selection.of(request.match, request.config.analysis.skip, turn.operators, request.only)
    # With `--as-of` no clock is compared with any other.
    wall = turn.wall if request.as_of is None else None
    opening = partial(_opened, turn, wall)
    try:
        turn.source = aside(opening, budget.reading_left() + GRACE, "list")
    except Overdue:
        raise SourceUnavailable(
            f"the source could not be opened and listed within {budget.spent():.0f} s, all that `[run] deadline` leaves "
            "for reading: it hangs, or crawls"
        ) from None
    turn.cleanup.callback(turn.source.close)


def _opened(turn: Turn, wall: Callable[[], float] | None) -> Source:
    """The source, listed: by itself, or by what is remembered where nothing has changed."""
    memory, left = turn.memory, turn.budget.reading_left
    source = open_source(turn.request.config, turn.selection, left, wall, turn.share, later=memory is not None)
    if memory is None:
        listed = source.list()
        turn.scorer.foresee(listed or ())
        return source
    from ridgeline.engine.run.roster import learn, recall

    of_redis = cast("RedisSource", source)  # no other is remembered
    if not recall(turn, memory, of_redis):
        turn.scorer.foresee(of_redis.list())
        learn(turn, memory, of_redis)
    return source
