"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was found: `detail` in words, and what to do about it where it is not green."""

    name: str
    status: Status
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `checks`."""
        return {name: getattr(self, name) for name in self.__slots__}


def green(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, "green", detail)


def yellow(name: str, detail: str, remedy: str) -> Check:
    """It works, and should be changed; or it cannot be known."""
    return Check(name, "yellow", detail, remedy)


def red(name: str, detail: str, remedy: str) -> Check:
    """A run would fail, or miss what it is for."""
    return Check(name, "red", detail, remedy)
