"""The whole of a source into an archive, offline: every point that it lacks, then each day in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ridgeline.engine.archive.archive import Archive
from ridgeline.engine.archive.compact import compact
from ridgeline.engine.archive.folder import DAY
from ridgeline.engine.archive.piece import joined, not_archived, piece_of
from ridgeline.engine.archive.select import behind
from ridgeline.io.matrix import MetricMatrix

SHARE: Final = 8  # of the memory, for the points that are written at once
BYTES_PER_POINT: Final = 96  # of those, in all the forms they take on their way
SCATTERED: Final = 16  # files of a day, from which on it is put in order before it is looked into


@dataclass(slots=True)
class Exported:
    """What came of it. `late`: of the points added, those that were older than what was archived of their metric."""

    metrics: int = 0
    points: int = 0
    late: int = 0
    days: int = 0
    pruned: int = 0
    problems: list[str] = field(default_factory=list)


def export(
    archive: Archive,
    chunks: Iterator[MetricMatrix],
    as_of: int,
    since: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Append what the chunks hold from `since` to `as_of`, put days in order, remove what is no longer kept.

    Raises what reading raises, and OutputError. What was written by then stays, and counts as archived.
    """
    done = Exported()
    compact(archive, more_than=SCATTERED)
    for group in _groups(chunks, archive.max_memory // SHARE // BYTES_PER_POINT):
        _take(archive, group, as_of, since, done)
        if progress is not None:
            progress(sum(len(matrix) for matrix in group))
    done.pruned = archive.prune()
    archive.marks = archive.marks.since(archive.oldest_day * DAY)
    archive.keep_marks()
    compacted = compact(archive)
    done.days, done.problems = compacted.days, compacted.problems
    return done


def _groups(chunks: Iterator[MetricMatrix], most: int) -> Iterator[list[MetricMatrix]]:
    """Chunks together, of about so many points: each group looks into the archive once."""
    group: list[MetricMatrix] = []
    points = 0
    for matrix in chunks:
        group.append(matrix)
        points += int(matrix.offsets[-1] - matrix.offsets[0])
        if points >= most:
            yield group
            group, points = [], 0
    if group:
        yield group


def _take(archive: Archive, group: list[MetricMatrix], as_of: int, since: int | None, done: Exported) -> None:
    marks = archive.marks
    whole = joined([piece_of(matrix) for matrix in group])
    ends = np.cumsum(whole.lengths)
    begins = ends - whole.lengths
    stops = behind(whole.stamps, begins, ends, np.full(len(ends), as_of))
    rows = marks.rows(whole.names)
    before = marks.last[rows]
    wanted = whole.stamps <= as_of
    if since is not None:
        wanted &= whole.stamps >= since
    lacking = not_archived(archive, whole.where(wanted))
    done.metrics += len(rows)
    done.late += int((lacking.stamps < before[lacking.owners]).sum())
    done.points += archive.append(lacking) if len(lacking.stamps) else 0
    some = stops > begins
    marks.advance(rows[some], whole.stamps[stops[some] - 1])
    marks.settle(rows, marks.counted(whole.stamps, begins, stops))
    archive.keep_marks()
