"""The head of a file of memory: whose it is, how it is laid out, and a checksum of its own. It never changes."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import Final

from ridgeline.io.memory.owner import Owner
from ridgeline.io.memory.sections import ALIGNMENT, COLUMNS, HEADER_BYTES, SLOT_BYTES, Places, Section, lay_out
from ridgeline.io.memory.unusable import Unusable

MAGIC: Final = b"ridgeline memory"
DIGEST_BYTES: Final = 16
_FRAME: Final = len(MAGIC) + 8 + DIGEST_BYTES  # magic, length of the text, its digest
# What the rules of this file mean, for whoever reads it: another one is another format.
FORMAT: Final = hashlib.blake2b(
    repr(("keys: offsets, hashes, bytes", COLUMNS, ALIGNMENT, HEADER_BYTES, SLOT_BYTES)).encode(), digest_size=8
).hexdigest()


class Damaged(Exception):  # noqa: N818 - reads as the sentence it is
    """Nothing of the file can be used, and a new one may take its place."""


@dataclass(frozen=True, slots=True)
class Header:
    """What is fixed as long as the file lives.

    made      epoch seconds
    rows      how many keys it was made with, of `capacity`; their checksum is `keys_sum`
    room      bytes that all keys together may have
    """

    owner: Owner
    made: int
    rows: int
    capacity: int
    room: int
    keys_sum: int
    sections: tuple[Section, ...]

    @property
    def places(self) -> Places:
        """Where the parts of the file lie."""
        return lay_out(self.capacity, self.room, self.sections)

    def to_bytes(self) -> bytes:
        """The first bytes of the file. Raises Unusable for an owner of whom there is too much to say."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":")).encode()
        if _FRAME + len(text) > HEADER_BYTES:
            raise Unusable("the names of source, namespace, host and configuration are too long to be written down")
        return MAGIC + len(text).to_bytes(8, "little") + digest(text) + text


def read_header(descriptor: int, path: object, owner: Owner | None) -> Header:
    """The header of an open file, which belongs to `owner`; None: to anybody.

    Raises Damaged for what is no whole file of this format, Unusable for another's file, whatever its format, and for
    what is no file of memory at all; OSError.
    """
    raw = os.pread(descriptor, HEADER_BYTES, 0)
    if not raw.strip(b"\0"):
        raise Damaged("it is empty")  # what a power cut leaves of a new file
    if not raw.startswith(MAGIC):
        raise Unusable(f"{path} is no memory file of Ridgeline: it stays as it is, name another place for `memory`")
    length = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 8], "little")
    text = raw[_FRAME : _FRAME + length]
    if digest(text) != raw[_FRAME - DIGEST_BYTES : _FRAME]:
        raise Damaged("it is damaged")
    said = json.loads(text)
    if owner is not None and said["owner"] != owner.as_json():
        theirs = ", ".join(f"{name} {value}" for name, value in said["owner"].items() if value)
        raise Unusable(
            f"{path} is the memory of another ({theirs}): it stays as it is, name another place for `memory`"
        )
    if said.pop("format") != FORMAT:
        raise Damaged("another version of Ridgeline wrote it")
    sections = tuple(Section(**section) for section in said.pop("sections"))
    header = Header(**{**said, "owner": Owner(**said["owner"])}, sections=sections)
    if os.fstat(descriptor).st_size != header.places.size:
        raise Damaged("it is truncated")
    return header


def digest(raw: bytes) -> bytes:
    """What tells whole bytes from damaged ones."""
    return hashlib.blake2b(raw, digest_size=DIGEST_BYTES).digest()
