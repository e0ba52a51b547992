"""What is to be written so that every list holds what it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ridgeline.engine.manage.lists import Hashes, MetricSet, Sets, Text
from ridgeline.engine.manage.report import Report
from ridgeline.engine.manage.steps.density import SPARSITY
from ridgeline.engine.manage.steps.every import STEPS
from ridgeline.engine.manage.subject import Subject
from ridgeline.io.redis.entries import Entries

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Ledger


def difference(subject: Subject, ledger: Ledger, report: Report) -> Entries:
    """Look through all lists, and add what differs, a transaction for each family; noted in the report. Raises StateError."""
    families = [step.lists(subject) for step in STEPS if step.can_be_known(subject)]
    every = [kept for family in families for kept in family]
    copies = [kept for kept in every if isinstance(kept, MetricSet) and kept.like is not None]
    sets = [kept for kept in every if isinstance(kept, Sets) and kept not in copies]
    amiss = ledger.sweep(sets, [kept for kept in every if isinstance(kept, Hashes)])
    amiss |= ledger.sweep([kept for kept in copies if kept.other in amiss], [])
    amiss |= ledger.compare([kept for kept in copies if kept.other not in amiss])
    texts = [kept for kept in every if isinstance(kept, Text)]
    there, unread = ledger.fetch([kept.key for kept in texts])
    amiss |= unread
    for one, text in zip(texts, there, strict=True):
        one.there = text
    report.tell_failures(amiss)
    entries = Entries()
    for family in families:
        together = Entries()
        for kept in family:
            change = None if kept.key in amiss else kept.change(together)
            if change:
                report.changes[kept.key] = change
        entries.together(together)
    report.numbers = {
        kept.key.removeprefix(f"{SPARSITY}."): float(kept.told())
        for kept in texts
        if kept.key.startswith(f"{SPARSITY}.")
    }
    return entries
