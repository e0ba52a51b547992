"""Reads `[handoff]`, `[batch]`, `[archive]` and `[second_stage]`: who else looks at metrics and anomalies, and over how long."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ridgeline.engine.config.model import Archive, BatchWork, HandOff, SecondStage
from ridgeline.engine.config.reader import Table

DAY: Final = 86400
MOST_DAYS: Final = 366
APART: Final = (
    "needs a Redis source and `[analysis] bookkeeping`: checks that Mirage does not answer are looked for there"
)


def read_handoff(top: Table, *, books: bool) -> HandOff:
    """Read `[handoff]`. `books`: whether keys are shared with siblings."""
    table = top.table("handoff")
    handoff = HandOff(
        mirage_checks=table.file("mirage_checks", None),
        panorama_checks=table.file("panorama_checks", None),
        crucible_checks=table.file("crucible_checks", None),
        crucible_data=table.file("crucible_data", None),
        web_ui=table.file("web_ui", None),
    )
    if handoff.mirage_checks is not None and not books:
        table.refuse("mirage_checks", APART)
    for one, other in (("crucible_checks", "crucible_data"), ("crucible_data", "crucible_checks")):
        if one in table and other not in table:
            table.refuse(one, f"needs {other} beside it")
    table.finish()
    return handoff


def read_batch(top: Table) -> BatchWork:
    """Read `[batch]`."""
    table = top.table("batch")
    batch = BatchWork(match=table.patterns("match"))
    table.finish()
    return batch


def read_archive(top: Table, window: int) -> Archive:
    """Read `[archive]`. `window`: the seconds that a run judges."""
    table, usual = top.table("archive"), Archive()
    archive = Archive(directory=table.file("directory", None), keep=table.duration("keep", usual.keep))
    if "archive" in top and "directory" not in table:
        table.refuse("directory", "is missing: name the folder of the archive")
    if archive.directory is not None and archive.keep < window:
        table.refuse("keep", f"{archive.keep} s are less than `[analysis] full_duration`, which Redis holds anyway")
    table.finish()
    return archive


def read_second_stage(top: Table, window: int) -> SecondStage | None:
    """Read `[second_stage]`; None without the table. `window`: the seconds that are judged anyway."""
    table = top.table("second_stage")
    if "second_stage" not in top:
        return None
    path = table.string("path", None)
    if path is None and "path" not in table:
        table.refuse("path", "is missing: name the file, folder or address that holds the longer history")
    usual, match = SecondStage(path or ""), table.patterns("match")
    stage = replace(
        usual,
        days=table.integer("days", usual.days, low=1, high=MOST_DAYS),
        match=match if "match" in table else usual.match,
    )
    if stage.days * DAY <= window:
        table.refuse("days", f"{stage.days} are no longer than `[analysis] full_duration`, which is judged anyway")
    table.finish()
    return None if path is None else stage
