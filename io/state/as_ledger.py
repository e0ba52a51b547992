"""The keys that `batch` shares with siblings, where there are none: in a state instead of Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ridgeline.io.redis.entries import Entries, Entry, Together
from ridgeline.io.redis.ledger import Exact, Fields, Members, Pick, Question
from ridgeline.io.state.batch import Batch, Drop, Put
from ridgeline.io.state.interface import State


class StateLedger:
    """Hashes of a ledger as hashes of a state; texts, sets and counts, which only siblings read, are neither kept nor known."""

    def __init__(self, state: State) -> None:
        self._state = state

    def ask(self, *questions: Question) -> list[Any]:
        """The answer to each question, in their order. Raises StateError."""
        return [self._answer(question) for question in questions]

    def write(self, entries: Entries) -> None:
        """Make all changes, all or none. Raises StateError."""
        batch = Batch()
        for entry in _plain(entries.entries):
            if isinstance(entry, Put):
                batch.put(entry.key, entry.fields)
            elif isinstance(entry, Drop):
                batch.drop(entry.key, entry.fields)
        if batch.changes:
            self._state.apply(batch)

    def close(self) -> None:
        """Let go of the state."""
        self._state.close()

    def _answer(self, question: Question) -> Any:
        if isinstance(question, Pick):
            return [_text(found) for found in self._state.pick(question.key, question.names)]
        if isinstance(question, Fields):
            fields = self._state.fields(question.key, question.most)
            return {name: text for name, text in fields.items() if isinstance(text, str)}
        return set() if isinstance(question, Members | Exact) else [None] * len(question.keys)


def _plain(entries: list[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield from entry.changes if isinstance(entry, Together) else (entry,)


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None
