"""One tuning as a job: what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ridgeline.engine.report.files import dumps
from ridgeline.engine.tune.tuned import Tuned
from ridgeline.engine.tune.tuning import Tuning
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import check_target

TUNE_JSON: Final = "tune.json"


def tune_backtests(tuning: Tuning, output: Path | None) -> Tuned:
    """Choose settings; write `tune.json` into the first folder, and a configuration to `output`.

    Raises InputError with one sentence where nothing could be chosen by, and for what cannot be written.
    """
    found = tuning.folders[0] / TUNE_JSON
    for target in (found if found.parent.is_dir() else None, output):
        if target is not None:
            check_target(target)
    tuned = tuning.run()
    write_atomic(found, dumps(tuned.as_json()).encode())
    if output is not None:
        write_atomic(output, tuned.toml().encode())
    return tuned
