"""The queue that `run` and Skyline's analyzer fill: what its members ask for, and which of them ask for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ridgeline.engine.run.handoffs.parked import literal, whole
from ridgeline.io.shard import Share

LONGEST: Final = 65_536  # characters of a member; longer ones ask for nothing
# The form that nearly all members have, which needs no parser.
_PLAIN: Final = re.compile(r"\['([^'\\\n]+)', (\d{1,12})(?:, (?:None|'custom_algorithm_only'))?\]")


@dataclass(slots=True)
class Asked:
    """What the queue asks of one metric.

    since    epoch seconds: the earliest that any member tells as last analysed, for a metric without a watermark
    members  the texts to take out of the queue when it is done
    """

    since: int
    members: list[str]


@dataclass(slots=True)
class Queued:
    """Members of the queue by the metric they name, and those that name none."""

    by_metric: dict[str, Asked] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)

    def leave(self, share: Share) -> None:
        """Leave to other hosts what is theirs."""
        ours = share.among(self.by_metric)
        self.by_metric = {metric: asked for metric, asked in self.by_metric.items() if metric in ours}


def sort_out(members: Iterable[str], namespace: str) -> Queued:
    """Make sense of members: texts of Python lists `[key, last timestamp]`, with a flag as a third element or without.

    Members of one metric ask for one thing together, whatever their flags: every point after its watermark.
    """
    found = Queued()
    for member in members:
        try:
            key, since = _read(member)
        except ValueError:
            found.malformed.append(member)
            continue
        metric = key.removeprefix(namespace)
        asked = found.by_metric.setdefault(metric, Asked(since, []))
        asked.since = min(asked.since, since)
        asked.members.append(member)
    return found


def _read(member: str) -> tuple[str, int]:
    """The key and the timestamp of a member. Raises ValueError where it has none."""
    plain = _PLAIN.fullmatch(member)
    if plain is not None and _is_utf8(plain[1]):
        return plain[1], int(plain[2])
    if len(member) > LONGEST:
        raise ValueError("it is too long")
    found = literal(member)
    if not isinstance(found, list | tuple) or len(found) not in {2, 3}:
        raise ValueError("it is no list of a key and a timestamp")
    key, stamp = found[0], found[1]
    if not isinstance(key, str) or not key or not _is_utf8(key):
        raise ValueError("it names no key")
    return key, whole(int(stamp) if isinstance(stamp, str) and stamp.isdecimal() else stamp)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
