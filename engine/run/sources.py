"""Opens the source that the configuration names."""

from __future__ import annotations

from collections.abc import Callable

from ridgeline.engine.config.model import Config
from ridgeline.io.shard import Share
from ridgeline.io.source import Reading, Select, Source
from ridgeline.io.sources import load


def open_source(
    config: Config,
    select: Select | None,
    left: Callable[[], float],
    now: Callable[[], float] | None = None,
    share: Share | None = None,
    *,
    later: bool = False,
) -> Source:
    """Open the source, list of it what `share` holds if it can be, and compare its clock with `now`, unless that is None.

    `later`: it is listed when that is first asked for.

    Raises SourceUnavailable, AuthenticationFailed or InputError.
    """
    kind = load()[config.source.kind]
    return kind.open(
        config.source.settings, Reading(select, left, config.run.max_memory, now, share=share, later=later)
    )
