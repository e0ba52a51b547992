"""The rights that a program of ours needs in Redis, as rules of an ACL user, derived from the catalogue of keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Final

from ridgeline.io.redis.key import NAMESPACE, Key, Program
from ridgeline.io.redis.keys import CATALOGUE, OURS

# What is there today. A feature that is built is added here, and the rights, the documentation and the tests follow.
BUILT: Final = frozenset(
    {
        "source",
        "alerts",
        "mutes",
        "skips",
        "bookkeeping",
        "airgaps",
        "handoffs",
        "batch",
        "preparation",
        "memory",
        "remote",
        "shards",
        "manage",
    }
)
CONNECTION: Final = ("PING", "SELECT", "TIME")  # CLIENT SETINFO may fail: the library does not mind
WIDTH: Final = 110  # of a line of rights
TRANSACTION: Final = ("MULTI", "EXEC")


def needed(program: Program, features: Iterable[str] = BUILT) -> list[Key]:
    """The keys that a program reads or writes."""
    wanted = frozenset(features)
    return [key for key in CATALOGUE if key.feature in wanted and key.commands(program)]


def commands(program: Program, features: Iterable[str] = BUILT) -> frozenset[str]:
    """Every command that a program may send."""
    keys = needed(program, features)
    transaction = TRANSACTION if any(program in key.writers for key in keys) else ()
    return frozenset((*CONNECTION, *transaction)).union(*(key.commands(program) for key in keys))


def patterns(program: Program, namespace: str = NAMESPACE, features: Iterable[str] = BUILT) -> dict[str, bool]:
    """The patterns of keys that a program uses, and whether it writes there; none that another one covers."""
    found: dict[str, bool] = {}
    for key in needed(program, features):
        glob = f"{OURS}*" if key.name.startswith(OURS) else re.sub(r"\*(\.\*)+$", "*", key.glob(namespace))
        found[glob] = found.get(glob, False) or program in key.writers
    return {glob: writes for glob, writes in found.items() if not _covered(glob, found)}


def _covered(glob: str, others: Mapping[str, bool]) -> bool:
    """Whether a pattern `prefix*` among the others gives the same rights to all that this one matches."""
    return any(
        wider != glob and wider.endswith("*") and glob.startswith(wider[:-1]) and others[wider] == others[glob]
        for wider in others
    )


def statement(
    program: Program, user: str, namespace: str = NAMESPACE, features: Iterable[str] = BUILT, *, redis_7: bool = True
) -> str:
    """The command that makes such a user; PASSWORD is for the administrator to fill in.

    From Redis 7 on, keys that are only read can be given for reading alone (`%R~`). Before, whoever may write one of the
    keys may write all of them.
    """
    opened = patterns(program, namespace, features)
    allowed = [f"+{command.lower()}" for command in sorted(commands(program, features))]
    keys = [f"~{glob}" if writes or not redis_7 else f"%R~{glob}" for glob, writes in opened.items()]
    lines = (line for words in (allowed, keys) for line in _lines(words))
    return "\n  ".join((f"ACL SETUSER {user} on >PASSWORD resetkeys resetchannels -@all", *lines))


def _lines(words: Iterable[str]) -> list[str]:
    """The words, as many to a line as fit."""
    return wrap(" ".join(words), WIDTH, break_long_words=False, break_on_hyphens=False)
