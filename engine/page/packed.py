"""Columns of one metric, packed for the page: arrays of fixed width, their bytes sorted by place, gzip, base64.

The bytes of a float differ in their last places and agree in the first: sorted by place they compress.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

EFFORT: Final = 6  # of gzip: 9 takes three times as long for a hundredth
MILLI: Final = 1000  # scores are kept to a thousandth
LOUDEST: Final = 65.0
NO_BOUND: Final = 0xFFFF
STEPS: Final = 0xFFFE  # between the lowest and the highest bound

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.bool_]


@dataclass(slots=True)
class Packer:
    """Sections of one metric in the order of `add`; `layout` tells the page's script what each is."""

    layout: list[dict[str, Any]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def add(self, name: str, column: npt.NDArray[Any], **facts: Any) -> None:
        """Append a column of unsigned integers or float32, little-endian, its bytes sorted by place."""
        width = column.dtype.itemsize
        plain = np.ascontiguousarray(column.astype(column.dtype.newbyteorder("<"), copy=False))
        self.parts.append(plain.view(np.uint8).reshape(-1, width).T.tobytes())
        kind = f"{'f' if column.dtype.kind == 'f' else 'u'}{8 * width}"
        self.layout.append({"name": name, "type": kind, "length": len(column), **facts})

    def values(self, values: Floats) -> None:
        """Values as float32 in parts of their largest distance from the first one: six digits of what they span."""
        base = float(values[0])
        with np.errstate(over="ignore"):
            away = values - base
        if not np.isfinite(away).all():
            base, away = 0.0, values
        scale = float(np.abs(away).max()) or 1.0
        self.add("value", (away / scale).astype(np.float32), base=base, scale=scale)

    def score(self, scores: Floats) -> None:
        """Scores in thousandths, rounded up, so that above 1 stays above 1; at most 65."""
        known = np.where(np.isnan(scores), 0.0, np.clip(scores, 0.0, LOUDEST))
        self.add("score", np.ceil(known * MILLI).astype(np.uint16))

    def bits(self, name: str, truths: Bits, names: Sequence[str]) -> None:
        """A row of bits for each of `names`: truths bool[n, names]."""
        self.add(name, np.packbits(truths.T, axis=1, bitorder="little").reshape(-1), names=list(names))

    def bounds(self, low: Floats, high: Floats) -> None:
        """Both bounds of the expected range in 65,534 steps between the lowest and the highest of them."""
        known = np.isfinite(low) & np.isfinite(high)
        least = float(low[known].min(initial=np.inf)) if known.any() else 0.0
        span = (float(high[known].max(initial=-np.inf)) - least) if known.any() else 0.0
        unit = span / STEPS or 1.0
        for name, bound in (("low", low), ("high", high)):
            steps = np.where(known, np.round((np.where(known, bound, least) - least) / unit), NO_BOUND)
            self.add(name, steps.astype(np.uint16), base=least, scale=unit)

    def text(self) -> str:
        """All sections as one text of base64."""
        return squeezed(b"".join(self.parts))


def squeezed(content: bytes) -> str:
    """Content as base64 of gzip; the same content gives the same text."""
    return base64.b64encode(gzip.compress(content, EFFORT, mtime=0)).decode()


def outcome_codes(outcomes: Any, known: Mapping[str, int]) -> npt.NDArray[np.uint8]:
    """Codes of a dictionary-encoded column of outcomes, by `known`."""
    table = np.array([known[name] for name in outcomes.dictionary.to_pylist()], np.uint8)
    found: npt.NDArray[np.uint8] = table[outcomes.indices.to_numpy()]
    return found
