"""A run against an older one: what got slower or faster by more than chance explains."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ridgeline.bench.measure import Timing
from ridgeline.bench.row import Row
from ridgeline.io.errors import InputError

DRIFT: Final = 0.05  # the same code differs by this much from one process to the next
SURE: Final = 3.0  # standard errors
WIDEST: Final = 0.25  # a comparison less sure than this says nothing

Verdict = Literal["same", "slower", "faster", "unsure"]


@dataclass(frozen=True, slots=True)
class Change:
    """`ratio` above 1: slower than before. Within `band` of 1 it is noise.

    `relative`: both times were taken as multiples of the machine's own limit, measured beside each of them, so that a
    machine that is slower today as a whole is no change.
    """

    key: str
    ratio: float
    band: float
    relative: bool = False

    @property
    def verdict(self) -> Verdict:
        """Slower, faster, the same within the noise, or unsure where the noise could hide a change by a quarter."""
        if abs(math.log(self.ratio)) > math.log1p(self.band):
            return "slower" if self.ratio > 1 else "faster"
        return "same" if self.band <= WIDEST else "unsure"


def compare(rows: Sequence[Row], old: Path) -> list[Change]:
    """Compare the rows that both runs have; InputError for a file that is no run."""
    before = read_rows(old)
    with _naming(old):
        return [_change(row, before[row.key]) for row in rows if row.key in before]


def read_rows(old: Path) -> dict[str, dict[str, Any]]:
    """The rows of an older run by their keys; InputError for a file that is no run."""
    with _naming(old):
        return {row["key"]: row for row in json.loads(old.read_text(encoding="utf-8"))["rows"]}


@contextmanager
def _naming(old: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise InputError(f"--compare {old}: not a file that `ridgeline bench --json` wrote ({error})") from error


def _change(row: Row, before: dict[str, Any]) -> Change:
    then = Timing(tuple(float(seconds) for seconds in before["seconds"]))
    ratio = row.median / then.median
    limit = before["limit"]
    relative = row.limit is not None and limit is not None and row.limit[0] == limit[0]
    if relative:
        assert row.limit is not None
        # Whichever reading is kinder to the machine's drift: a real change shows in both.
        ratio = min(ratio, ratio * limit[1] / row.limit[1], key=lambda r: abs(math.log(r)))
    return Change(row.key, ratio, DRIFT + SURE * math.hypot(row.timing.error, then.error), relative)


def render(changes: Sequence[Change]) -> str:
    """One line per row, slower ones first, and what to do about unsure ones."""
    if not changes:
        return "nothing to compare: the two runs share no row"
    lines = [
        f"{c.verdict:<7}{c.ratio:6.2f} x  (noise band {_band(c.band)})  {c.key}"
        for c in sorted(changes, key=lambda c: (c.verdict != "slower", -c.ratio))
    ]
    unsure = sum(change.verdict == "unsure" for change in changes)
    if unsure:
        lines.append(f"{unsure} of {len(changes)} rows are too noisy to judge: repeat both runs with more --runs")
    return "\n".join(lines)


def _band(band: float) -> str:
    return "unknown: too few runs" if math.isinf(band) else f"{band:.0%}"
