"""A value that only its own endpoint may see."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import NoReturn

from ridgeline.io.text import conceal


@dataclass(frozen=True, slots=True, eq=False)
class Secret:
    """A value that shows itself to nobody but the code that asks for it by `reveal()`.

    >>> Secret("hunter2")
    Secret(********)
    >>> f"{Secret('hunter2')}"
    '********'
    """

    _value: str = field(repr=False)

    def __post_init__(self) -> None:
        conceal(self._value)

    def reveal(self) -> str:
        """The value itself; only for handing it to its own endpoint."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(********)"

    def __str__(self) -> str:
        return "********"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied into a file."""
        raise TypeError("a secret is not written anywhere")
