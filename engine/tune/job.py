"""One tuning as a job: what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from ridgeline.engine.evaluate.detections import SCORE_FOLDER
from ridgeline.engine.report.files import dumps
from ridgeline.engine.tune.tuned import Tuned
from ridgeline.engine.tune.tuning import Tuning
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import check_apart, check_target

TUNE_JSON: Final = "tune.json"
RESULTS: Final = ("*.json", "*.parquet", "*.html")  # in the folder of a backtest, beside its scores


def tune_backtests(tuning: Tuning, output: Path | None, labels: Any = None) -> Tuned:
    """Choose settings; write `tune.json` into the first folder, and a configuration to `output`.

    labels   where the tuning's come from: a file of them is never written over, nor is any result of a backtest

    Raises InputError with one sentence where nothing could be chosen by, and for what cannot be written.
    """
    found = tuning.folders[0] / TUNE_JSON
    read = [labels] if isinstance(labels, (str, Path)) else []
    if found.parent.is_dir():
        check_target(found)
        check_apart(found, str(found.parent / SCORE_FOLDER), read)
    if output is not None:
        check_target(output)
        for folder in tuning.folders:
            results = [path for kind in RESULTS for path in folder.glob(kind)]
            check_apart(output, str(folder / SCORE_FOLDER), [*read, *results])
    tuned = tuning.run()
    write_atomic(found, dumps(tuned.as_json()).encode())
    if output is not None:
        write_atomic(output, tuned.toml().encode())
    return tuned
