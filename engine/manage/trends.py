"""What passes note of densities, for the passes after them: how dense each series was, and when that last changed."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.shard import stored

TRENDS: Final = "ridgeline.density"
ROW: Final = np.dtype([("name", "<u8"), ("percent", "<f8"), ("sign", "i1"), ("since", "<i8")])


@dataclass(frozen=True, slots=True, eq=False)
class Trends:
    """Of n metrics.

    percent   float64[n]; NaN: not known
    sign      int64[n]: 1 where it became denser when it last changed, -1 where sparser, 0 where it has not changed
    since     int64[n]: when that was, epoch seconds
    """

    percent: NDArray[np.float64]
    sign: NDArray[np.int64]
    since: NDArray[np.int64]

    @classmethod
    def read(cls, text: str | None, names: Sequence[str]) -> Trends:
        """What a note says of these metrics; nothing where there is none, or none that makes sense."""
        noted = _unpacked(text)
        percent = np.full(len(names), np.nan)
        sign, since = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
        if len(noted):
            marks = _marks(names)
            at = np.minimum(np.searchsorted(noted["name"], marks), len(noted) - 1)
            known = noted["name"][at] == marks
            percent[known], sign[known], since[known] = (
                noted[part][at[known]] for part in ("percent", "sign", "since")
            )
        return cls(percent, sign, since)

    def after(self, percent: NDArray[np.float64], now: int) -> Trends:
        """How it is once densities are these, float64[n], NaN where none is told. What was not known has not changed."""
        told = ~np.isnan(percent)
        changed = told & ~np.isnan(self.percent) & (percent != self.percent)
        sign = np.where(changed, np.where(percent > self.percent, 1, -1), self.sign)
        return Trends(percent, np.where(told, sign, 0), np.where(changed, now, np.where(told, self.since, 0)))

    def same(self, other: Trends) -> bool:
        """Whether both say the same."""
        return (
            np.array_equal(self.percent, other.percent, equal_nan=True)
            and np.array_equal(self.sign, other.sign)
            and np.array_equal(self.since, other.since)
        )

    def lately(self, sign: int, seconds: int, now: int) -> NDArray[np.bool_]:
        """Where the last change was this way and less than so many seconds ago, bool[n]; a later one is a wrong clock's."""
        recent = (self.since > now - seconds) & (self.since <= now)
        found: NDArray[np.bool_] = ~np.isnan(self.percent) & (self.sign == sign) & recent
        return found

    def text(self, names: Sequence[str]) -> str:
        """As it is stored: JSON."""
        rows = np.empty(len(names), ROW)
        rows["name"], rows["percent"], rows["sign"], rows["since"] = _marks(names), self.percent, self.sign, self.since
        kept = np.sort(rows[~np.isnan(self.percent)], order="name")
        packed = base64.b64encode(zlib.compress(kept.tobytes(), 1)).decode()
        return json.dumps({"version": 1, "rows": packed}, separators=(",", ":"))


def key_of(host: str) -> str:
    """Where a host notes its metrics."""
    return f"{TRENDS}.{host}" if host else TRENDS


def _marks(names: Sequence[str]) -> NDArray[np.uint64]:
    """A number of 64 bits for each name."""
    raw = list(map(stored, names))
    first, second = (np.fromiter(map(mark, raw), np.uint64, len(raw)) for mark in (zlib.crc32, zlib.adler32))
    marks: NDArray[np.uint64] = first << np.uint64(32) | second
    return marks


def _unpacked(text: str | None) -> NDArray[np.void]:
    """The rows of a note, sorted by name."""
    try:
        told = json.loads(text or "{}")
        if told["version"] != 1:
            return np.empty(0, ROW)
        rows = np.frombuffer(zlib.decompress(base64.b64decode(told["rows"], validate=True)), ROW)
    except (ValueError, TypeError, LookupError, RecursionError, zlib.error, binascii.Error):
        return np.empty(0, ROW)
    ascending = len(rows) < 2 or bool((rows["name"][1:] >= rows["name"][:-1]).all())
    return rows if ascending else np.empty(0, ROW)
