"""Reads a backtest's folder and writes its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from ridgeline.engine.evaluate.detections import SCORE_FOLDER
from ridgeline.engine.evaluate.labels import read_labels
from ridgeline.engine.page.html import page
from ridgeline.engine.page.library import plotting_script
from ridgeline.engine.page.stored import open_stored
from ridgeline.engine.page.summary import Summary
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.target import check_apart, check_target
from ridgeline.io.errors import InputError

NAME: Final = "report.html"
METRICS: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """A page: where it is, its bytes, the metrics that it holds in full, of how many."""

    path: Path
    size: int
    shown: int
    metrics: int


def write_page(
    folder: Path,
    labels: Any = None,
    output: Path | None = None,
    *,
    metrics: int = METRICS,
    labels_from: tuple[str, ...] = (),
) -> Written:
    """Write the page of the backtest in `folder` to `output`, `report.html` in the folder unless given.

    labels    as for `read_labels`, or None
    metrics   how many to hold in full, the noisiest and the labelled first

    The same files give the same page. Raises InputError where plotly, the backtest or its scores are missing or the labels
    cannot be read, and OutputError or UnsafeTarget where the page cannot be written; the page is whole or absent.
    """
    target = folder / NAME if output is None else output
    library = plotting_script()
    stored = open_stored(folder)
    check_target(target)
    check_apart(
        target, str(folder / SCORE_FOLDER), [*stored.files, *([labels] if isinstance(labels, (str, Path)) else [])]
    )
    known = None if labels is None else read_labels(labels, labels_from)
    if known is not None and not known.count:
        raise InputError("the labels hold no window at all: leave them out, or give some")
    summary = Summary(stored, known, metrics)
    told = summary.as_json()

    def content(file: BinaryIO) -> None:
        file.writelines(page(told, [one.columns for one in summary.metrics.values()], library))

    write_atomic(target, content)
    return Written(target, target.stat().st_size, len(summary.metrics), told["facts"]["metrics"])
