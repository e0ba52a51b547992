"""What the stored bytes of one metric mean, by the msgpack library and plain validation: the decoder's readable twin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import msgpack

KINDS = ("null", "non_numeric", "non_finite", "bad_timestamp", "malformed", "truncated")
LARGEST = 2**62


@dataclass
class Decoded:
    """Points in stored order, timestamps floored but in their own unit; dropped objects by kind."""

    points: list[tuple[int, float]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))


def decode(data: bytes) -> Decoded:
    """Object after object; after bytes that msgpack cannot step over, nothing."""
    result = Decoded()
    stepper = unpacker(data)
    position = 0
    while position < len(data):
        try:
            stepper.skip()
        except msgpack.OutOfData:
            result.counts["truncated"] += 1
            break
        except (msgpack.FormatError, msgpack.StackError):
            result.counts["malformed"] += 1
            break
        point = read(data[position : stepper.tell()])
        if isinstance(point, str):
            result.counts[point] += 1
        else:
            result.points.append(point)
        position = stepper.tell()
    return result


def unpacker(data: bytes) -> msgpack.Unpacker:
    """An unpacker without limits of its own."""
    huge = 2**32
    made = msgpack.Unpacker(
        raw=True, strict_map_key=False, object_pairs_hook=list, max_buffer_size=2**31 - 1,
        max_array_len=huge, max_map_len=huge, max_str_len=huge, max_bin_len=huge, max_ext_len=huge,
    )  # fmt: skip
    made.feed(data)
    return made


def read(item: bytes) -> tuple[int, float] | str:
    """The point that one object is, or why it is none."""
    elements = unpacker(item)
    if not (0x90 <= item[0] <= 0x9F or item[0] in {0xDC, 0xDD}) or elements.read_array_header() < 2:
        return "malformed"
    before = elements.tell()
    elements.skip()
    middle = elements.tell()
    elements.skip()
    kinds = [classify(item[before:middle]), classify(item[middle : elements.tell()])]
    for kind in ("malformed", "null", "non_numeric"):
        if kind in kinds:
            return kind
    timestamp, value = kinds
    if not math.isfinite(float(value)):
        return "non_finite"
    # NaN is not smaller, so that it is refused too
    return (math.floor(timestamp), float(value)) if abs(timestamp) <= LARGEST else "bad_timestamp"


def classify(element: bytes) -> int | float | str:
    """A number, or the name of what it is instead."""
    try:
        found = msgpack.unpackb(element, raw=True, strict_map_key=False, object_pairs_hook=list)
    except ValueError:  # an extension that claims to be a timestamp
        return "malformed"
    if found is None:
        return "null"
    if isinstance(found, bool | bytes):
        return "non_numeric"
    return found if isinstance(found, int | float) else "malformed"
