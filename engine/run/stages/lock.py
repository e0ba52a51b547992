"""First of all: that no other run is at work."""

from __future__ import annotations

from ridgeline.engine.run.turn import Turn
from ridgeline.io.disk.atomic import sweep_orphans
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import OutputError


def take_lock(turn: Turn) -> None:
    """Take the lock until the run ends, and sweep what killed runs left. Raises LockHeld.

    Where no lock file can be made, the run goes on without: a full disk must not keep alerts back.
    """
    if turn.request.dry_run:
        return
    config = turn.request.config
    directory = config.output.directory
    try:
        path = lock_path("run", config.source.settings.identity(), directory, shard=config.shards.name)
        turn.cleanup.enter_context(lock(path))
        if directory is not None:
            sweep_orphans(directory)
    except OutputError as error:
        turn.find(error.exit_code, str(error))
