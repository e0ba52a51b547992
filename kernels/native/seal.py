"""What is written beside machine code: sealed JSON, read back strictly.

The seal finds damage. It is no signature, so what it holds is judged all the same: nonsense is a ValueError, as damage
is, and costs a rebuild, never a crash.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from ridgeline.kernels.native.signature import parse

MOST_TEXT: Final = 1 << 20  # bytes of a sealed text
MOST_CODE: Final = 1 << 26  # bytes of a library or an object
Facts = dict[str, dict[str, Any]]
_FACTS: Final = {"summary": str, "min_points": int, "threshold": float, "cost": int}


def seal(payload: Any) -> bytes:
    """JSON under a first line with its SHA-256."""
    body = json.dumps(payload, indent=1).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def unseal(content: bytes) -> Any:
    """Payload of a sealed text; ValueError where it is truncated, changed or no JSON."""
    digest, _, body = content.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("the checksum does not match")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested beyond measure") from error


def unseal_facts(content: bytes) -> Facts:
    """Facts per algorithm, each of the type that it must have; ValueError for anything else."""
    found = unseal(content)
    if not isinstance(found, dict) or not found:
        raise ValueError("no facts")
    for facts in found.values():
        if not isinstance(facts, dict) or {name: type(value) for name, value in facts.items()} != _FACTS:
            raise ValueError("not the facts of an algorithm")
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """What NAME.json vouches for.

    signature     of the entry; "" as `code`
    code          SHA-256 of NAME.o; "" where the entry cannot be made, and `unbuildable` says why
    library       SHA-256 of NAME.so; "" where no linker made one
    seconds       that compiling took
    """

    signature: str = ""
    code: str = ""
    library: str = ""
    unbuildable: str = ""
    seconds: float = 0.0

    def sealed(self) -> bytes:
        """The content of NAME.json."""
        return seal(asdict(self))

    @classmethod
    def read(cls, content: bytes) -> Self:
        """What a NAME.json holds; ValueError where it is damaged or nonsense."""
        found = unseal(content)
        wanted = {"signature": str, "code": str, "library": str, "unbuildable": str, "seconds": float}
        if not isinstance(found, dict) or {name: type(value) for name, value in found.items()} != wanted:
            raise ValueError("not what is known of an entry")
        known = cls(**found)
        if known.code:
            parse(known.signature)
        if not math.isfinite(known.seconds) or bool(known.code) == bool(known.unbuildable):
            raise ValueError("not what is known of an entry")
        return known
