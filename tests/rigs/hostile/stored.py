"""One metric as Redis holds it: pairs as senders packed them, in the order they came, and what a trimmer makes of them."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

import msgpack
from twins import pairs

LAYOUTS = ("integer", "float", "mixed")


class Item(NamedTuple):
    """One pair: what its sender meant, and its bytes."""

    t: int | float
    x: int | float | None
    data: bytes


def packed(t, x, layout):
    """A pair in a layout: 15 bytes ("integer"), 19 ("float"), or as msgpack packs Python's numbers ("mixed")."""
    if layout == "integer":
        return Item(int(t), float(x), b"\x92\xce" + struct.pack(">I", int(t)) + b"\xcb" + struct.pack(">d", x))
    if layout == "float":
        return Item(float(t), float(x), b"\x92\xcb" + struct.pack(">d", t) + b"\xcb" + struct.pack(">d", x))
    if isinstance(x, float) and x.is_integer() and abs(x) < 2**62:
        x = int(x)
    if isinstance(x, int) and not -(2**63) <= x < 2**64:
        x = float(x)  # no integer that msgpack has
    return Item(t, x, msgpack.packb([t, x]))


def single(t, x):
    """A pair whose value is a float of four bytes: a trimmer writes it in eight."""
    data = b"\x92\xce" + struct.pack(">I", t) + b"\xca" + struct.pack(">f", x)
    return Item(t, struct.unpack(">f", data[-4:])[0], data)


@dataclass
class Stored:
    """The pairs of one key, oldest first unless somebody wrote them otherwise. `broken`: not all of it are whole pairs."""

    layout: str
    items: list[Item] = field(default_factory=list)
    broken: bool = False

    @property
    def data(self) -> bytes:
        return b"".join([item.data for item in self.items])

    def append(self, t, x) -> None:
        self.items.append(packed(t, x, self.layout))

    def rewrite(self, back, x) -> None:
        """Give the point `back` from the end (1: the newest) another value."""
        if back <= len(self.items):
            self.items[-back] = packed(self.items[-back].t, x, self.layout)

    def points(self) -> list[tuple[int, bytes]]:
        """(second, bits of the value) of each usable pair, as a reader finds them."""
        if self.broken:
            return [(t, struct.pack(">d", x)) for t, x in pairs.decode(self.data).points]
        return [(math.floor(t), struct.pack(">d", x)) for t, x, _ in self.items if x is not None and math.isfinite(x)]

    def trim(self, oldest) -> bool:
        """What Horizon's roomba does to every key: sort, one pair (the smallest) for each time, none up to `oldest`.

        False: the key is gone, for nothing was left of it, or it could not be read.
        """
        if self.broken:
            return False
        kept: list[Item] = []
        for t, x, _ in sorted(self.items, key=lambda item: (item.t, -math.inf if item.x is None else item.x)):
            if t > oldest and not (kept and kept[-1].t == t):
                kept.append(Item(t, x, msgpack.packb([t, x])))
        self.items = kept
        return bool(kept)
