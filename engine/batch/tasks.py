"""What is due: one task a metric, from the queue, from the list of all metrics, or because it failed before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ridgeline.engine.batch.judging import NEVER
from ridgeline.engine.run.handoffs.routing import watermarks_of

if TYPE_CHECKING:
    from ridgeline.engine.batch.queue import Asked
    from ridgeline.engine.run.handoffs.batch_failing import Parked
    from ridgeline.io.redis.ledger import Books

PAGE = 10_000  # metrics whose watermarks are asked for at once


@dataclass(frozen=True, slots=True)
class Task:
    """One metric that is due.

    after    epoch seconds: what is newer is judged; `NEVER`: everything
    mark     what is recorded as judged; None: nothing is
    members  the texts to take out of the queue when it is done
    before   how it failed before; None: it did not
    """

    metric: str
    after: int
    mark: int | None
    members: tuple[str, ...] = ()
    before: Parked | None = None


def queued_tasks(
    asked: Mapping[str, Asked], failing: Mapping[str, Parked], ledger: Books, now: float
) -> tuple[list[Task], list[str]]:
    """What the queue asks for and what is to be tried again `now`; and members of metrics that are left alone meanwhile.

    The recorded watermark decides what is new, not the queue's members: of several, each has its own idea of it.
    Raises StateError.
    """
    resting = {metric for metric, one in failing.items() if one.rests(now)}
    again = {metric: one for metric, one in failing.items() if metric not in resting}
    tasks = []
    for metric, mark in _marks([*dict.fromkeys([*asked, *again])], ledger):
        if metric in resting:
            continue
        one, before = asked.get(metric), again.get(metric)
        since = min(([] if one is None else [one.since]) + ([] if before is None else [before.after]))
        members = () if one is None else tuple(one.members)
        tasks.append(Task(metric, since if mark is None else mark, mark, members, before))
    return tasks, [member for metric in resting if metric in asked for member in asked[metric].members]


def listed_tasks(
    names: Sequence[str], failing: Mapping[str, Parked], ledger: Books, reprocess: int | None
) -> list[Task]:
    """Every metric that is named, those that are left alone included; from `reprocess` on, or else its watermark.

    Raises StateError.
    """
    tasks = []
    for metric, mark in _marks(names, ledger):
        after = (NEVER if mark is None else mark) if reprocess is None else reprocess - 1
        tasks.append(Task(metric, after, mark, before=failing.get(metric)))
    return tasks


def shuffled(tasks: Iterable[Task], seed: int) -> list[Task]:
    """Another order in every pass, so that what ends a pass early does not keep the same metrics waiting each time."""
    found = list(tasks)
    return [found[at] for at in np.random.default_rng(seed).permutation(len(found)).tolist()]


def _marks(names: Sequence[str], ledger: Books) -> Iterator[tuple[str, int | None]]:
    for first in range(0, len(names), PAGE):
        found, _ = watermarks_of(names[first : first + PAGE], ledger)
        yield from found.items()
