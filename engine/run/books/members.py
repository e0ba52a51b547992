"""Which metric a member of the books is about; None where it is about none, such as the time of a set."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.shard import Share

MARK: Final = re.compile(r"(?:_updated_at_|skyline_set_as_of_)\d+", re.ASCII)  # a member that says when a set was made
LONGEST: Final = 1 << 17  # characters of a member that is read

Named = Callable[[str], str | None]


def name(member: str) -> str | None:
    """Of members that are metrics."""
    return None if MARK.fullmatch(member) else member


def in_namespace(namespace: str) -> Named:
    """Of members that are keys of series."""
    return lambda member: None if MARK.fullmatch(member) else member.removeprefix(namespace)


def of_pair(member: str) -> str | None:
    """Of members `[metric, ...]`, texts of Python lists."""
    return _literal(member[1 : member.rfind(",")])


def of_triple(member: str) -> str | None:
    """Of members `[value, metric, timestamp]`. Values may be nan or inf, which are names and no literals."""
    return _literal(member[member.find(",") + 1 : member.rfind(",")].strip())


def _literal(text: str) -> str | None:
    """The text that Python's literal stands for."""
    if len(text) > LONGEST or not text.startswith(("'", '"')):
        return None
    inner = text[1:-1]
    if text[-1] == text[0] and "\\" not in inner and text[0] not in inner:
        return inner
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def ours(share: Share, named: Named, members: Iterable[str]) -> set[str]:
    """Those of the members that are this host's to change; what is about no metric is the first host's."""
    if share.whole:
        return set(members)
    metrics = {member: named(member) for member in members}
    known = share.among({metric for metric in metrics.values() if metric is not None})
    return {member for member, metric in metrics.items() if (share.first if metric is None else metric in known)}


def put_set(
    turn: Turn,
    key: str,
    members: Iterable[str],
    named: Named = name,
    *,
    previous: str | None = None,
    ttl: int | None = None,
) -> None:
    """Let a set hold these members alone, and `previous` what it held before; only our part of it where hosts share it."""
    share = turn.share
    if share.whole:
        turn.entries.replace_set(key, members, previous=previous, ttl=ttl)
    else:
        aside = previous if share.first else None
        turn.entries.change_part(key, members, partial(ours, share, named), previous=aside, ttl=ttl)


def clear_set(turn: Turn, key: str, named: Named = name) -> None:
    """Forget a set, or our part of it where hosts share it."""
    if turn.share.whole:
        turn.entries.unlink(key)
    else:
        turn.entries.change_part(key, (), partial(ours, turn.share, named))


def put_hash(turn: Turn, key: str, fields: Mapping[str, str], named: Named = name) -> None:
    """Let a hash hold these fields alone; only our part of it where hosts share it."""
    if turn.share.whole:
        turn.entries.replace_hash(key, fields)
    else:
        turn.entries.change_fields(key, fields, partial(ours, turn.share, named))
