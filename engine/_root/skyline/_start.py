"""What Skyline's agents look after before they start."""

from __future__ import annotations

from collections.abc import Iterable

from ridgeline.engine.api.found import found_config
from ridgeline.engine.doctor.check import Check
from ridgeline.io.errors import InputError, OutputError, RidgelineError


def ensure_resources() -> None:
    """Make the folders that files go to. Raises OutputError where one cannot be made or written to."""
    from ridgeline.engine.doctor.folders import look_at_folders, written

    config = found_config()
    _refuse(look_at_folders(config), OutputError)
    for folder in written(config).values():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error


def ensure_votes() -> None:
    """Let every algorithm in force vote on a noisy series. Raises InputError naming those that do not."""
    from ridgeline.engine.doctor.algorithms import look_at_algorithms

    _refuse(look_at_algorithms(found_config()), InputError)


def _refuse(checks: Iterable[Check], kind: type[RidgelineError]) -> None:
    wrong = [f"{check.detail} ({check.remedy})" for check in checks if check.status == "red"]
    if wrong:
        raise kind("; ".join(wrong))
