"""Series whose past siblings have filled or sorted anew: what is remembered of them is not what they hold."""

from __future__ import annotations

from typing import Final

from ridgeline.io.redis.ledger import Books, Fields, Members

FILLED: Final = "flux.filled_metrics"
SORTED: Final = "flux.sort_and_dedup.metrics"
MIRAGES: Final = "mirage.filled"


def marked(books: Books, namespace: str) -> frozenset[str]:
    """The metrics that siblings say so of, by base name. Raises StateError."""
    found = books.ask(Fields(FILLED), Members(SORTED), Members(MIRAGES))
    return frozenset(name.removeprefix(namespace) for names in found for name in names)
