"""Work shared out among threads that nothing has to wait for when it is given up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from ridgeline.engine.score.pool import POOL

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOMENT: Final = 0.5  # seconds after which one who waits listens whether he was interrupted


def each(work: Callable[[Item], Result], items: Sequence[Item], threads: int, *, apart: bool = False) -> list[Result]:
    """Return work(item) of every item, in order, worked off by up to `threads` threads, the caller's among them.

    apart: none of it on the caller's own thread, so that the caller can be interrupted whatever the work does.

    Raises what the first item that failed raised, after which no further item is begun. The helpers are the process's
    (`engine.score.pool`), and as many as are idle; where apart, they are made for this call, for its work may never end.
    All are daemons: such work holds up neither an interrupted caller nor the end of the process.
    """
    results: list[Any] = [None] * len(items)
    failures: dict[int, BaseException] = {}
    left = iter(range(len(items)))

    def drain() -> None:
        for at in left:
            if failures:
                return
            try:
                results[at] = work(items[at])
            except BaseException as error:  # noqa: BLE001 - raised again by the caller
                failures[at] = error

    helpers = min(threads, len(items)) - (not apart)
    try:
        if apart:
            _apart(drain, helpers)
        else:
            loans = POOL.lend(drain, helpers)
            drain()
            for loan in loans:
                loan.finish(_MOMENT)
    except BaseException as error:
        failures.setdefault(len(items), error)  # the helpers stop after the item they are at
        raise
    if failures:
        raise failures[min(failures)]
    return results


def _apart(drain: Callable[[], None], helpers: int) -> None:
    threads = [threading.Thread(target=drain, name=f"ridgeline-apart-{k}", daemon=True) for k in range(helpers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(_MOMENT)
