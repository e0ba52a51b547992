"""What the readers of a configuration ask for: every key with its kind and its default, noted as it is read.

`config show` and `config schema` are made of these notes, so that they cannot differ from what is read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from ridgeline.engine.config.lines import KeyPath


@dataclass(frozen=True, slots=True)
class Asked:
    """One key.

    kind       text, secret, number, integer, boolean, texts, integers, word or texts, text or false, duration, size, table or tables
    words      those that it may be, where there are only some
    low, high  bounds of a number; `above`: `low` itself is out of them
    """

    kind: str
    default: Any = None
    words: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: bool = False


@dataclass(slots=True)
class Notes:
    """All keys that were asked for, in their order."""

    asked: dict[KeyPath, Asked] = field(default_factory=dict)

    def note(self, path: KeyPath, asked: Asked) -> None:
        """Note a key; of several questions about one, the first says the most."""
        self.asked.setdefault(path, asked)

    def usually(self, path: KeyPath, default: Any) -> None:
        """Note the default of a key whose reader leaves it to others."""
        if path in self.asked and default is not None:
            self.asked[path] = replace(self.asked[path], default=default)


def one_of(known: Collection[str], default: Any) -> Asked:
    """A text that is one of the known words."""
    return Asked("text", default, tuple(known))
