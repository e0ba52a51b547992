"""What Skyline's agents look after before they start."""

from __future__ import annotations

import os

from ridgeline.engine.api.found import found_config
from ridgeline.io.disk.lock import state_folder
from ridgeline.io.errors import InputError, OutputError


def ensure_resources() -> None:
    """Make the folder that files go to. Raises OutputError where it cannot be made or written to."""
    folder = found_config().output.directory or state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {folder} cannot be written to by user number {os.getuid()}")


def ensure_votes() -> None:
    """Let every algorithm in force vote on a noisy series. Raises InputError naming those that do not."""
    from ridgeline.engine.score.rehearsal import failing

    analysis = found_config().analysis
    silent = failing(analysis, analysis.profile)
    if silent:
        raise InputError(f"no vote on a noisy series from {', '.join(silent)}: run `ridgeline config check`")
