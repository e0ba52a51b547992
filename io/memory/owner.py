"""Whose memory a file holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Owner:
    """What a memory is of: rows of one owner mean nothing to another.

    source         where the metrics are read, without user and password
    database       its number there, or whatever tells several in one place
    namespace      what every key begins with
    shard          this host's name among those that share the fleet; empty where there is but one
    configuration  the path of the file of configuration; empty for the defaults
    """

    source: str
    database: str = ""
    namespace: str = ""
    shard: str = ""
    configuration: str = ""

    def __str__(self) -> str:
        """One line for people: what is not empty."""
        said = ((field.name, getattr(self, field.name)) for field in fields(self))
        return ", ".join(f"{name} {value}" for name, value in said if value)

    def as_json(self) -> dict[str, Any]:
        """Return what the header of the file says, and `memory show --json`."""
        return asdict(self)
