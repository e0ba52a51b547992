"""A run against an older one, with a noise band."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ridgeline.bench.row import Row
from ridgeline.io.errors import InputError

SMALLEST_BAND: Final = 0.1  # shared machines drift by this much by themselves


@dataclass(frozen=True, slots=True)
class Change:
    """`ratio` above 1: slower than before. Within `band` of 1 it is noise."""

    key: str
    ratio: float
    band: float

    @property
    def verdict(self) -> str:
        """Slower, faster, or the same within the noise."""
        if abs(self.ratio - 1) <= self.band:
            return "same"
        return "slower" if self.ratio > 1 else "faster"


def compare(rows: Sequence[Row], old: Path) -> list[Change]:
    """Compare rows that both runs have; the band is the larger spread of the two, at least 10 %."""
    try:
        document = json.loads(old.read_text(encoding="utf-8"))
        before: dict[str, dict[str, Any]] = {row["key"]: row for row in document["rows"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"--compare {old}: not a file that `ridgeline bench --json` wrote ({error})") from error
    changes = []
    for row in rows:
        if (then := before.get(row.key)) is not None:
            spread = max((row.high - row.low) / row.median, (then["high"] - then["low"]) / then["median"])
            changes.append(Change(row.key, row.median / then["median"], max(SMALLEST_BAND, spread)))
    return changes


def render(changes: Sequence[Change]) -> str:
    """One line per row, slower ones first."""
    if not changes:
        return "nothing to compare: the two runs share no row"
    lines = [
        f"{c.verdict:<7}{c.ratio:6.2f} x  (noise band {c.band:.0%})  {c.key}"
        for c in sorted(changes, key=lambda c: -c.ratio)
    ]
    return "\n".join(lines)
