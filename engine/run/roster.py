"""Which metrics there are, by what the memory knows of them: listed anew only where something has changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.memory.assignment import assign, digest_of
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.rules.selection import BY_OPERATORS, CONFIGURED, Selection
from ridgeline.engine.run.unmatched import patterns_of
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.slots import MOST_NOTES
from ridgeline.io.redis.glance import glance
from ridgeline.io.redis.source import UNIQUE_SET, RedisSource, key_of
from ridgeline.io.redis.tails import Refused

if TYPE_CHECKING:
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.turn import Turn

NOTES: Final = "names"
ROOM: Final = (
    MOST_NOTES // 2
)  # bytes for odd names and combinations of overrides: with more, every run lists its metrics
SHARE: Final = 10  # a run looks through one part in so many of the names


def recall(turn: Turn, memory: Remembered, source: RedisSource) -> bool:
    """Take the names of the run before, and return whether they hold, as far as can be told at little cost."""
    notes = memory.file.notes.get(NOTES)
    if (
        turn.request.full
        or not memory.asks
        or not turn.request.everything
        or notes is None
        or memory.file.assigned != _digest(turn)
    ):
        return False
    unique = f"{source.settings.namespace}{UNIQUE_SET}"
    try:
        seen = glance(source, unique, notes["cursor"], max(notes["listed"] // SHARE, 1))
    except Refused:
        return False
    if seen.count != notes["listed"] or _news(turn, memory, seen.keys):
        return False
    notes["cursor"] = seen.cursor
    turn.scorer.overrides.recall((tuple(hits), name) for hits, name in notes["hits"])
    rows = np.flatnonzero(memory.file.gone == 0)
    memory.listed = False
    memory.odd = {bytes.fromhex(key): name for key, name in notes["odd"].items()}
    memory.begin(rows[~np.isin(rows, _taken_out(turn, memory))], memory.file.assignment)
    turn.report.add_unscored(notes["skipped"], "skipped", CONFIGURED)
    source.choose([], [])
    return True


def learn(turn: Turn, memory: Remembered, source: RedisSource) -> None:
    """Give every metric that the source lists its row, and say how each is judged."""
    names, file = source.list(), memory.file
    selection = turn.selection
    put_back = [] if selection is None else [name for name, why in selection.skipped.items() if why == BY_OPERATORS]
    every = [*names, *put_back]
    keys = Keys.of([*source.keys(), *(key_of(name, memory.namespace) for name in put_back)])
    memory.odd = _odd(names, source.keys(), memory.namespace)
    rows = file.rows_of(keys)
    new = rows < 0
    if new.any():
        rows[new] = file.add(keys.take(new))
        file.assigned = ""
    patterns = turn.request.config.batch.match
    assignment = np.full(len(file), -1, np.int32)  # the numbers of an earlier run say nothing of this one's policies
    assignment[rows] = assign(turn.scorer, every, Patterns(patterns).any(every) if patterns else None)
    file.gone[rows] = 0
    if turn.request.everything:
        file.assigned = ""
        file.assignment[:] = assignment
        if source.incomplete is None:
            _note(turn, memory, source, rows)
    memory.begin(np.sort(rows[: len(names)]), assignment)


def _note(turn: Turn, memory: Remembered, source: RedisSource, rows: NDArray[np.int64]) -> None:
    """Note what spares the next run the listing, if it is not too much."""
    file = memory.file
    there = np.zeros(len(file), np.bool_)
    there[rows] = True
    file.gone[~there & (file.gone == 0)] = turn.as_of
    skipped = () if turn.selection is None else turn.selection.skipped.values()
    notes = {
        "listed": source.listed,
        "cursor": 0,
        "hits": turn.scorer.overrides.hits,
        "odd": {key.hex(): name for key, name in memory.odd.items()},
        "skipped": sum(why == CONFIGURED for why in skipped),
    }
    file.notes.pop(NOTES, None)
    if len(json.dumps(notes)) <= ROOM:
        file.notes[NOTES], file.assigned = notes, _digest(turn)


def _odd(names: Sequence[str], keys: Sequence[bytes], namespace: str) -> dict[bytes, str]:
    """The names that their keys do not say by themselves."""
    if "".join([namespace, f"\n{namespace}".join(names)]).encode() == b"\n".join(keys):
        return {}
    return {key: name for name, key in zip(names, keys, strict=True) if f"{namespace}{name}".encode() != key}


def _news(turn: Turn, memory: Remembered, keys: Sequence[bytes]) -> bool:
    """Whether there is a key among these that has no row, or had gone, and is ours to judge."""
    rows = memory.file.rows_of(Keys.of(keys))
    unknown = (rows < 0) | (memory.file.gone[np.maximum(rows, 0)] > 0) if len(memory.file) else rows < 0
    if not unknown.any():
        return False
    namespace = memory.namespace.encode()
    some = (keys[at].removeprefix(namespace) for at in np.flatnonzero(unknown).tolist())
    names = [name.decode("utf-8", "backslashreplace") for name in some]
    ours = turn.share.narrow(None if turn.selection is None else Selection(skip=turn.request.config.analysis.skip))
    return ours is None or bool(ours(names).any())


def _taken_out(turn: Turn, memory: Remembered) -> NDArray[np.int64]:
    """The rows of metrics that operators took out of the analysis, which are told as skipped."""
    if turn.operators is None or turn.selection is None:
        return np.empty(0, np.int64)
    names = sorted(turn.operators())
    rows = memory.rows_of(names)
    here = (rows >= 0) & (memory.file.gone[np.maximum(rows, 0)] == 0) if len(rows) else rows >= 0
    turn.selection.skipped.update((names[at], BY_OPERATORS) for at in np.flatnonzero(here).tolist())
    return rows[here]


def _digest(turn: Turn) -> str:
    """What stands for all of the configuration that names are judged by."""
    config = turn.request.config
    return digest_of(
        config.analysis, config.overrides, config.preparation.describe(), config.shards, config.batch.match,
        config.source.settings.namespace, patterns_of(config),
    )  # fmt: skip
