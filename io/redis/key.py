"""One row of the catalogue of Redis keys: what a key is called, what it holds, who uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Program = Literal["run", "load", "batch", "manage"]
Kind = Literal["string", "set", "hash"]

NAMESPACE: Final = "metrics."
SIBLINGS: Final = "siblings"  # Horizon, Mirage, Panorama, Ionosphere, Flux, the web application
OPERATORS: Final = "operators"
READ: Final[dict[Kind, tuple[str, ...]]] = {"string": ("MGET",), "set": ("SSCAN",), "hash": ("HSCAN", "HMGET", "HLEN")}
WRITE: Final[dict[Kind, tuple[str, ...]]] = {
    "string": ("SET", "UNLINK"),
    "set": ("SADD", "SREM", "UNLINK"),
    "hash": ("HSET", "HDEL", "UNLINK"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key, or all keys of one form: `<...>` in the name stands for any text, `<namespace>` for the configured one.

    `ttl`: seconds, or whose they are; "" for a key that never expires by itself. `writers` and `readers`: our programs
    (`run` is also every command that looks at its state), siblings, operators. `feature`: what of Ridgeline needs it.
    `sends`: the commands of a program where they are not those of the key's type.
    """

    name: str
    kind: Kind
    value: str
    ttl: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    feature: str
    sends: tuple[tuple[Program, tuple[str, ...]], ...] = ()

    def glob(self, namespace: str = NAMESPACE) -> str:
        """The pattern that Redis matches the key by."""
        return "*".join(re.sub(r"([*?\[\]\\])", r"\\\1", part) for part in _parts(self.name, namespace))

    def form(self, namespace: str = NAMESPACE) -> str:
        """The regular expression (with re.DOTALL) of what the key may be called."""
        return _form(self.name, namespace).pattern

    def describes(self, key: str, namespace: str = NAMESPACE) -> bool:
        """Whether a key is this one, or of this form."""
        return _form(self.name, namespace).fullmatch(key) is not None

    def commands(self, program: Program) -> frozenset[str]:
        """The commands that a program sends about this key."""
        if program in dict(self.sends):
            return frozenset(dict(self.sends)[program])
        reads = READ[self.kind] if program in self.readers else ()
        return frozenset((*reads, *(WRITE[self.kind] if program in self.writers else ())))


@cache
def _form(name: str, namespace: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, _parts(name, namespace))), re.DOTALL)


def _parts(name: str, namespace: str) -> list[str]:
    """The literal parts of a name."""
    return [part.replace("<namespace>", namespace) for part in re.split(r"<(?!namespace>)[^>]*>", name)]
