"""What could not be sent and waits, without end of its own: one JSON entry per (strategy, metric)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import OUTBOX, outbox_name, outbox_pair
from ridgeline.io.text import escape

log = logging.getLogger("ridgeline.state")

MOST: Final = 100_000  # entries read at once; the rest is there at the next reading

Pair = tuple[str, str]
Entry = dict[str, Any]


def read_outbox(state: State, strategy: str | None = None, most: int = MOST) -> dict[Pair, Entry]:
    """The waiting entries of one strategy, or of all; an empty one where the text is damaged, so that it can be told."""
    found: dict[Pair, Entry] = {}
    for name, entry in state.fields(OUTBOX, most).items():
        pair = outbox_pair(name)
        if pair is None:
            log.warning("the outbox holds an entry of nobody, %s; it is passed over", escape(name))
        elif strategy in {None, pair[0]}:
            found[pair] = entry if isinstance(entry, dict) else {}
    return found


def pick_outbox(state: State, pairs: Sequence[Pair]) -> list[Entry | None]:
    """The entries of these pairs, None where nothing waits or the text is damaged."""
    found = state.pick(OUTBOX, [outbox_name(*pair) for pair in pairs])
    return [entry if isinstance(entry, dict) else None for entry in found]


def outbox_size(state: State) -> int:
    """How many entries wait."""
    return state.size(OUTBOX)


def put_outbox(batch: Batch, entries: Mapping[Pair, Entry]) -> None:
    """Store entries, in the place of what waited for their pairs."""
    batch.put(OUTBOX, {outbox_name(*pair): entry for pair, entry in entries.items()})


def drop_outbox(batch: Batch, pairs: Iterable[Pair]) -> None:
    """Forget the entries of these pairs."""
    batch.drop(OUTBOX, [outbox_name(*pair) for pair in pairs])
