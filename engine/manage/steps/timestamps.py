"""What is noted of metrics when they were last heard of or read, and has become old."""

from __future__ import annotations

from ridgeline.engine.manage.lists import Kept, Pruned
from ridgeline.engine.manage.reading import older_than
from ridgeline.engine.manage.subject import Subject
from ridgeline.engine.run.books.timestamps import ANALYSED, SEEN


def timestamps(subject: Subject) -> list[Kept]:
    """Timestamps older than the window are forgotten."""
    over = older_than(subject.now - subject.config.analysis.full_duration)
    return [Pruned(key, over, subject.fleet.share.among) for key in (SEEN, ANALYSED)]
