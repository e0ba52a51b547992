"""What files of siblings are called after: names of metrics, made safe as Skyline does, and told apart where it does not."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from ridgeline.io.text import encodable, truncate

LONGEST: Final = 180  # bytes that a metric takes in a file name, of 255
_PARTS: Final = re.compile(r"[./]")


def sane(metric: str) -> str:
    """The characters of the name that are alphanumeric or one of `. _ -`, as Skyline's sane names; it may be empty."""
    return "".join(c for c in metric if c.isalnum() or c in "._-")


def check_name(stem: str, metric: str, suffix: str, apart: str = "") -> str:
    """`<stem>.<sane name><suffix>`; with a hash of `apart`, if there is one, or of the metric where its name was cut."""
    plain = sane(metric)
    short = truncate(plain, LONGEST, "")
    mark = f"-{digest(apart or metric)}" if apart or short != plain or not plain else ""
    return f"{f'{stem}.' if stem else ''}{short}{mark}{suffix}"


def data_path(metric: str) -> tuple[str, ...]:
    """The folders of a metric below the folder for data: its dotted parts, each a plain name; at least one."""
    parts = [truncate(sane(part), LONGEST, "") for part in _PARTS.split(metric)]
    return tuple(part for part in parts if part) or (digest(metric),)


def digest(text: str) -> str:
    """Eight hexadecimal digits."""
    return hashlib.sha256(encodable(text).encode()).hexdigest()[:8]
