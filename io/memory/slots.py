"""What changes with every run and is small: written in turn into one of two slots, so that one of them is always whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from ridgeline.io.memory.bulk import write_array
from ridgeline.io.memory.header import DIGEST_BYTES, digest
from ridgeline.io.memory.sections import HEADER_BYTES, SLOT_BYTES, SLOTS

_FRAME: Final = DIGEST_BYTES + 8 + 8  # digest of all that follows, turn, length of the text
MOST_NOTES: Final = SLOT_BYTES - 4096  # bytes of the notes as JSON


@dataclass(frozen=True, slots=True)
class Slot:
    """What the file says of itself since the newest commit.

    turn      one more than that of the slot before
    rows      how many rows have a key; `added_sum` is the checksum of the keys that the file was not made with
    sums      checksum of each column, by its name
    runs      how many runs have written; the last of them at `written`, epoch seconds
    assigned  what the assignment was made from, in a word
    notes     what runs note for the next one, by name
    """

    turn: int
    rows: int
    added_sum: int
    sums: dict[str, int]
    runs: int = 0
    written: int = 0
    assigned: str = ""
    notes: dict[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The bytes of one slot. Raises ValueError for notes beyond `MOST_NOTES`."""
        if len(json.dumps(self.notes)) > MOST_NOTES:
            raise ValueError(f"the notes of a memory are larger than {MOST_NOTES} bytes")
        text = json.dumps({name: value for name, value in asdict(self).items() if name != "turn"}).encode()
        framed = self.turn.to_bytes(8, "little") + len(text).to_bytes(8, "little") + text
        return digest(framed) + framed

    def write(self, descriptor: int) -> None:
        """Write it where the one before the last stood. Raises OSError, and ValueError as `to_bytes` does."""
        at = HEADER_BYTES + self.turn % SLOTS * SLOT_BYTES
        write_array(descriptor, at, np.frombuffer(self.to_bytes(), np.uint8))


NO_SLOT: Final = Slot(turn=0, rows=0, added_sum=0, sums={})


def read_slot(descriptor: int) -> Slot | None:
    """The newest whole slot of an open file; None where there is none. Raises OSError."""
    found = [_parse(os.pread(descriptor, SLOT_BYTES, HEADER_BYTES + at * SLOT_BYTES)) for at in range(SLOTS)]
    return max((slot for slot in found if slot is not None), key=lambda slot: slot.turn, default=None)


def _parse(raw: bytes) -> Slot | None:
    length = int.from_bytes(raw[_FRAME - 8 : _FRAME], "little")
    framed = raw[DIGEST_BYTES : _FRAME + length]
    if not length or digest(framed) != raw[:DIGEST_BYTES]:
        return None
    return Slot(int.from_bytes(framed[:8], "little"), **json.loads(framed[16:]))
