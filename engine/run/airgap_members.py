"""Airgaps as siblings of Skyline read them: one text each in a set, and how such a set changes from run to run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

_FORM = re.compile(r"\[(?P<metric>'.*'|\".*\"), (?P<step>\d{1,12}), (?P<start>\d{1,12}), (?P<end>\d{1,12})(?:, .*)?\]", re.DOTALL)  # fmt: skip


class Airgap(NamedTuple):
    """A closed gap: the usual step of its metric, its first and its last second (epoch seconds)."""

    metric: str
    step: int
    start: int
    end: int

    @property
    def text(self) -> str:
        """The member of the set: Python's list, 0 for "not filled" at its end."""
        return repr([*self, 0])


def read_airgap(text: str) -> Airgap | None:
    """The gap that a member of the sets tells of; None for what is none."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    try:
        metric = ast.literal_eval(found["metric"])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    numbers = (int(found[name]) for name in ("step", "start", "end"))
    return Airgap(metric, *numbers) if isinstance(metric, str) else None


def metric_of(text: str) -> str | None:
    """The metric that a member of the sets tells of; None for what is no gap."""
    gap = read_airgap(text)
    return None if gap is None else gap.metric


@dataclass(frozen=True, slots=True)
class Changes:
    """Members to add to the set of airgaps and to remove from it, and those to remove from the set of filled ones."""

    add: list[str]
    remove: list[str]
    forget: list[str]


def changes(
    found: Iterable[Airgap],
    known: Collection[str],
    filled: Collection[str],
    oldest: int,
    looked_at: Callable[[Collection[str]], Collection[str]],
) -> Changes:
    """What makes the set hold just the gaps found that nobody has filled, and those that cannot be looked for.

    known, filled   the members of both sets now
    oldest          epoch seconds: gaps that begin earlier are forgotten
    looked_at       of some metrics, those whose series told all their gaps that begin later than that
    """
    read = {text: read_airgap(text) for text in filled}
    done = {gap for gap in read.values() if gap is not None}
    wanted = {gap.text: gap for gap in found if gap not in done}
    rest = {text: read_airgap(text) for text in known if text not in wanted}
    seen = looked_at({gap.metric for gap in rest.values() if gap is not None})
    open_still = set(wanted.values())
    kept = {text: gap for text, gap in rest.items() if gap is not None and _stays(gap, oldest, open_still, done, seen)}
    marked = set(kept.values())  # with another mark at their end than ours: theirs stays
    return Changes(
        add=[text for text, gap in wanted.items() if text not in known and gap not in marked],
        remove=[text for text in rest if text not in kept],
        forget=[text for text, gap in read.items() if gap is not None and gap.start < oldest],
    )


def _stays(
    gap: Airgap, oldest: int, found: Collection[Airgap], done: Collection[Airgap], seen: Collection[str]
) -> bool:
    """Whether a member that is not among those found, as it is written, remains."""
    if gap.start < oldest or gap in done:
        return False
    # Of a gap that begins with the period, the point before it is no longer seen.
    return gap in found or gap.metric not in seen or gap.start == oldest
